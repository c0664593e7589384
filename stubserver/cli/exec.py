"""`stubserver exec`: runs a command with a server of its own, and reports what the command did with it."""

import shutil
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from stubserver.cli.export import CONSUMER, PROVIDER, Exports
from stubserver.cli.options import (
    ALLOWED_HOST,
    CORS_ORIGIN,
    EXPORT,
    FIXTURE,
    FIXTURE_DIR,
    FREEZE_AT,
    IMPORT,
    PORT,
    SEED,
    SINGLE,
    STRICT,
    WATCH,
    WORLDS_FILE,
    NamedPath,
    fail,
    say,
)

if TYPE_CHECKING:  # the other commands must not wait for these imports
    from stubserver.app import StubServer
    from stubserver.cli.output import Output
    from stubserver.records.journal import Entry
    from stubserver.serving.background import Background

NOT_FOUND = 127
"""Exit status if there is no such command, as in shells."""
_MAX_CASES = 100
_FILE = NamedPath(path_type=Path)


@click.command("exec", context_settings={"allow_interspersed_args": False})
@click.option("--port", default=0, type=PORT, help="Port to listen on (default: a free one).")
@FIXTURE
@FIXTURE_DIR
@WATCH
@SEED
@FREEZE_AT
@STRICT
@CORS_ORIGIN
@ALLOWED_HOST
@click.option("--import", "source", type=WORLDS_FILE, help=IMPORT)
@click.option("--export-on-exit", type=WORLDS_FILE, help=EXPORT)
@click.option("--journal", type=_FILE, help="Write every request to this file, one JSON object per line.")
@click.option("--coverage", type=_FILE, help="Write a coverage report to this file (.json, .html, .xml or .txt).")
@click.option("--har", type=_FILE, help="Write every request to this file, as a HAR file (HTTP Archive 1.2).")
@click.option("--pact", type=_FILE, help="Write what was used of the API to this file, as a pact; needs --consumer.")
@CONSUMER
@PROVIDER
@click.option(
    "--artifacts",
    type=NamedPath(path_type=Path, file_okay=False),
    help="If the command fails, write a case file of each world to this folder, for `stubserver replay`.",
)
@click.option(
    "--fail-on-violation", is_flag=True, help="Fail if the command requested anything that is not in the contract."
)
@SINGLE
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def exec_command(
    port: int,
    fixture: str,
    cors_origin: tuple[str, ...],
    allowed_host: tuple[str, ...],
    source: Path | None,
    export_on_exit: Path | None,
    journal: Path | None,
    coverage: Path | None,
    har: Path | None,
    pact: Path | None,
    consumer: str | None,
    provider: str,
    artifacts: Path | None,
    fail_on_violation: bool,
    command: tuple[str, ...],
    **options: Any,
) -> None:
    """Run COMMAND with a server of its own: stubserver exec -- npm test.

    The server's URL is in STUBSERVER_URL, tokens are in STUBSERVER_TOKEN_CREATOR and so on. The exit status is that of
    the command, or 1 if the command succeeded but violated the contract and --fail-on-violation is given.
    """
    from stubserver.pipeline.imports import import_connexion

    import_connexion()
    from stubserver.cli.child import interruptible
    from stubserver.reports.coverage_report import FORMATS, format_of
    from stubserver.reports.findings import Findings
    from stubserver.serving.background import Background

    files = {"--journal": journal, "--coverage": coverage, "--har": har, "--pact": pact}
    _check_apart({**files, "--export-on-exit": export_on_exit, "--import": source})
    _check(command, coverage, artifacts)
    exports = Exports(har, pact, consumer, provider)
    app = built(fixture, source, export_on_exit, cors_origins=cors_origin, allowed_hosts=allowed_host, **options)
    findings, server, notes, lost = Findings(), Background(lambda: app, port), list[str](), list[str]()
    app.journal.listeners.append(findings.note)
    write_exports = exports.listen(app)
    with ExitStack() as stack:
        stack.enter_context(interruptible())
        url = _start(server, port)
        stack.callback(server.stop)
        log, report = (_opened(stack, file) for file in (journal, coverage))
        if log is not None:
            _log_to(log, app)
        status = _run(command, url)
        if status and artifacts is not None:
            notes = _saved(url, artifacts, " ".join(command))
        server.stop()  # so that everything has been recorded
        if log is not None:
            log.write(b"")  # a journal without requests is empty
        if report is not None:
            report.write(FORMATS[format_of(report.path.name)](app.coverage.report()).encode())
        lost = [*write_exports(url), *_exported(app, export_on_exit)]
    for line in [*findings.violations, *(findings.refusals if status else ()), *notes, *lost]:
        say(line)
    _check_written([log, report], status or 2)
    sys.exit(status or 2 * bool(lost) or int(fail_on_violation and bool(findings.violations)))


def _check_apart(files: Mapping[str, Path | None]) -> None:
    """Refuse options that would write to the same file; only --export-on-exit and --import may."""
    given = [(option, file.absolute()) for option, file in files.items() if file is not None]
    for (option, file), (other, its) in combinations(given, 2):
        if file == its and option != "--export-on-exit":
            fail(f"{option} and {other} cannot share the file {files[option]}")


def _check(command: Sequence[str], coverage: Path | None, artifacts: Path | None) -> None:
    """Refuse what can be seen to be wrong before there is a server."""
    from stubserver.reports import artifacts as case_files
    from stubserver.reports.coverage_report import format_of

    if coverage is not None:
        try:
            format_of(coverage.name)
        except ValueError as error:
            fail(str(error))
    if artifacts is not None:
        try:
            case_files.check(artifacts)
        except OSError as error:
            fail(f"--artifacts: cannot write to {artifacts}: {error.strerror}")
    check_program(command)


def check_program(command: Sequence[str]) -> None:
    """Refuse a command that cannot be run."""
    if shutil.which(command[0]) is None:
        fail(f"cannot run {command[0]}: there is no such program on the PATH, or it is not executable", NOT_FOUND)


def built(fixture: str, source: Path | None, target: Path | None, **options: Any) -> "StubServer":
    """The server, with the worlds in the file `source`, which can be exported to `target`. If it cannot be built, the
    command ends with one line."""
    from stubserver.app import create_app
    from stubserver.contract.merging import SpecError
    from stubserver.fixtures.fixture import FixtureError
    from stubserver.serving import persistence

    try:
        app = create_app(fixture, **options)
        persistence.prepare(app, source, target)
    except (SpecError, FixtureError, ValueError, persistence.CannotPersist) as error:
        fail(str(error))
    return app


def _exported(app: "StubServer", target: Path | None) -> list[str]:
    """Write all worlds, if they are to be written. Returns what went wrong."""
    from stubserver.serving import persistence

    try:
        persistence.save(app, target, say)
    except persistence.CannotPersist as error:
        return [str(error)]
    return []


def _start(server: "Background", port: int) -> str:
    try:
        return server.start()
    except OSError as error:
        fail(f"cannot listen on 127.0.0.1 port {port}: {error.strerror or error}")


def _opened(stack: ExitStack, file: Path | None) -> "Output | None":
    from stubserver.cli.output import Output

    if file is None:
        return None
    try:
        return stack.enter_context(closing(Output(file)))
    except OSError as error:
        fail(f"cannot write {file}: {error.strerror}")


def _check_written(outputs: "Sequence[Output | None]", status: int) -> None:
    for output in outputs:
        if output is not None and output.error is not None:
            fail(f"cannot write {output.path}: {output.error.strerror}", status)


def _saved(url: str, folder: Path, about: str) -> list[str]:
    """Write a case file of each world that has received requests. Returns a line for each."""
    from stubserver.reports import artifacts
    from stubserver.testing import Stub, StubError

    lines = []
    try:
        with closing(Stub(url)) as stub:
            worlds = stub.control("GET", "/worlds", params={"limit": _MAX_CASES})
            for world in worlds["results"]:
                if world["requests"]:
                    case = stub.control("GET", "/case", world=world["name"])
                    file = artifacts.save(folder, world["name"], case, about)
                    lines.append(f"repeat world {world['name']} with: stubserver replay {file}")
            if worlds["count"] > _MAX_CASES:
                lines.append(f"the other {worlds['count'] - _MAX_CASES} worlds have no case file")
    except (StubError, OSError) as error:
        lines.append(f"the case files are not complete: {error}")
    return lines


def _log_to(output: "Output", app: "StubServer") -> None:
    """Write each request when it ends, one JSON object per line."""
    import orjson

    from stubserver.control.request_view import RequestView

    def write(entry: "Entry") -> None:
        output.write(orjson.dumps(RequestView(app.contract, entry).as_dict()) + b"\n")

    app.journal.listeners.append(write)


def _run(command: Sequence[str], url: str) -> int:
    from stubserver.cli import child
    from stubserver.testing import StubError

    try:
        return child.run(command, url)
    except StubError as error:
        fail(str(error))
    except OSError as error:
        fail(f"cannot run {command[0]}: {error.strerror}", NOT_FOUND)
