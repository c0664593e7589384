"""The command `stubserver`: serve the API, print and explain the contract, generate fixtures, connect projects.

A usage error is reported in one line on standard error, with exit status 2.
"""

import contextlib
import gc
import json
import secrets
import warnings
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from stubserver import __version__
from stubserver.addressing import LOOPBACK
from stubserver.cli.announcement import announce, check_quiet
from stubserver.cli.ask import explain
from stubserver.cli.authoring import from_har, from_world, generate
from stubserver.cli.check import check_command
from stubserver.cli.compare import compare_command
from stubserver.cli.coverage import coverage_command
from stubserver.cli.exec import exec_command
from stubserver.cli.export import export_command
from stubserver.cli.fixture import schema, validate
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
    STORE,
    STRICT,
    WATCH,
    WORKERS,
    WORLDS_FILE,
    LoggingCommand,
    NamedPath,
    PortOption,
    check_workers,
    fail,
    option,
    say,
)
from stubserver.cli.proxy import proxy_command
from stubserver.cli.replay import replay
from stubserver.cli.snapshot import snapshot_command
from stubserver.cli.starter import init
from stubserver.cli.streams import open_closed, print_anything
from stubserver.cli.variants import variants_command
from stubserver.settings import Settings

_MANY = click.IntRange(1)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="stubserver")
def main() -> None:
    """A stateful stub server for the SelfCommunity Course API, driven and proven by its OpenAPI contract."""
    open_closed()
    print_anything()
    warnings.filterwarnings("ignore", message=".*httpx")  # connexion imports starlette's test client
    warnings.filterwarnings("ignore", message="The HMAC key is")  # a stub's secret may be short


@main.command(cls=LoggingCommand)
@option("--host", "Address to listen on.", default="127.0.0.1")
@option("--port", "Port to listen on; 0 picks a free one.", default=8765, type=PORT, cls=PortOption)
@FIXTURE
@FIXTURE_DIR
@WATCH
@STORE
@WORKERS
@SEED
@FREEZE_AT
@STRICT
@option("--import", IMPORT, type=WORLDS_FILE)
@option("--export-on-exit", EXPORT, type=WORLDS_FILE)
@option("--jwt-secret", "Also accept HS256 JWTs signed with this secret.")
@CORS_ORIGIN
@option("--control-token", "Token that the control plane requires; generated and printed unless all is on loopback.")
@option(
    "--control-origin",
    "Origin, besides the server's own, whose pages may use the control plane (repeatable).",
    multiple=True,
)
@option("--metrics-token", "Token with which the metrics, and nothing else of the control plane, can be had.")
@ALLOWED_HOST
@option(
    "--public-url",
    "URL at which a proxy makes the server known, such as https://dev.example/stub; URLs in answers begin with it.",
)
@option(
    "--forwarded-allow-ips",
    "Addresses and networks of proxies whose X-Forwarded-* and Forwarded headers count, separated by commas, or *.",
)
@option(
    "--max-worlds",
    "Maximum number of worlds; the one idle longest is evicted.",
    default=Settings.max_worlds,
    type=click.IntRange(2),
)
@option(
    "--max-rows",
    "Maximum number of rows in which a world may differ from its fixture.",
    default=Settings.max_rows,
    type=_MANY,
)
@option(
    "--max-world",
    "Maximum size of a world, in bytes: its changed rows and its faults.",
    default=Settings.max_world,
    type=_MANY,
)
@option(
    "--max-memory",
    "Maximum size of all worlds and snapshots, in bytes; the world idle longest is evicted.",
    default=Settings.max_memory,
    type=_MANY,
)
@option(
    "--max-requests",
    "Maximum number of journal entries of one world; its oldest is evicted first.",
    default=Settings.max_requests,
    type=_MANY,
)
@option(
    "--max-journal",
    "Maximum size of all journals together, in bytes; the largest loses its oldest entries first.",
    default=Settings.max_journal,
    type=_MANY,
)
@option("--max-body", "Maximum size of a request body, in bytes.", default=Settings.max_body, type=_MANY)
@option(
    "--no-fast-path",
    "Send every request through the whole stack; the answers are the same.",
    is_flag=True,
    default=False,
)
@option(
    "--log-format",
    "Format of all that is printed and logged.",
    type=click.Choice(["text", "json"]),
    default="text",
    is_eager=True,  # mistakes in other options are told in this format
)
@option("--quiet", "Print no banner and log no requests; only warnings and errors.", is_flag=True, default=False)
def serve(
    host: str,
    port: int,
    fixture: str,
    log_format: str,
    quiet: bool,
    workers: int,
    cors_origin: tuple[str, ...],
    control_origin: tuple[str, ...],
    allowed_host: tuple[str, ...],
    no_fast_path: bool,
    export_on_exit: Path | None,
    **options: Any,
) -> None:
    """Serve the API until interrupted."""
    check_workers(workers, options["store"])
    gc.disable()  # until all is built: there is nothing to collect yet, and trying takes a sixth of the startup time
    from stubserver.pipeline.imports import import_connexion

    import_connexion()
    from stubserver.app import create_app
    from stubserver.contract.merging import SpecError
    from stubserver.fixtures.fixture import FixtureError
    from stubserver.pipeline.visitors import is_host
    from stubserver.serving import persistence, server
    from stubserver.serving.sockets import bind, url_of

    source = options.pop("import")  # which is no name in Python
    made_up = None
    try:
        if options["control_token"] is None and not _is_private(host, options["public_url"]):
            options["control_token"] = made_up = secrets.token_urlsafe(16)
        check_quiet(quiet, port, made_up)
        origins: dict[str, Any] = {"cors_origins": cors_origin, "control_origins": control_origin}
        options["allowed_hosts"] = (*allowed_host, host) if is_host(host) else allowed_host
        app = create_app(fixture, **origins, fast_path=not no_fast_path, **options)
        persistence.prepare(app, source, export_on_exit)
        listener = bind(host, port)
    except (SpecError, FixtureError, ValueError, persistence.CannotPersist) as error:
        fail(str(error))
    except OSError as error:
        fail(f"cannot listen on {host} port {port}: {error.strerror or error}")
    if not quiet:
        announce(app, url_of(listener), workers, made_up, is_json=log_format == "json")
        if host not in LOOPBACK:
            with contextlib.suppress(OSError):
                say(f"{host} lets other machines in; this is a development tool.")
    at_end = partial(persistence.save_all, app, export_on_exit, say)
    try:
        server.serve(app, listener, log_format, workers, at_end, quiet=quiet)
    except persistence.CannotPersist as error:
        fail(str(error), 1)


def _is_private(host: str, public_url: str | None) -> bool:
    """Whether only this machine can reach a server there. May raise ValueError for a malformed URL."""
    public = urlsplit(public_url).hostname if public_url else host
    return host in LOOPBACK and public in LOOPBACK


@main.command()
@click.option("--format", "form", type=click.Choice(["json", "yaml"]), default="json", show_default=True)
@click.option(
    "--openapi",
    "version",
    type=click.Choice(["3.0", "3.1"]),
    default="3.0",
    show_default=True,
    help="Version of OpenAPI; the server itself uses and serves 3.0.",
)
@click.option("--control", is_flag=True, help="Print the document of the control plane instead of the API's.")
def spec(form: str, version: str, control: bool) -> None:
    """Print the merged OpenAPI document."""
    from stubserver.contract.load import load_contract, load_control_contract
    from stubserver.contract.merging import SpecError
    from stubserver.contract.versions import as_openapi_31

    try:
        document = dict((load_control_contract() if control else load_contract()).document)
    except SpecError as error:
        fail(str(error))
    if version == "3.1":
        document = as_openapi_31(document)
    if form == "json":
        click.echo(json.dumps(document, indent=2, ensure_ascii=False))
    else:
        import yaml

        click.echo(yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=110))


@main.command()
@click.argument("name", required=False, metavar="[OPERATION|RULE]")
@click.option(
    "--verified",
    type=NamedPath(exists=True, dir_okay=False, path_type=Path),
    envvar="STUBSERVER_VERIFIED",
    show_envvar=True,
    help="File that `stubserver check --verified` has written: where the rules were confirmed, and when.",
)
def why(name: str | None, verified: Path | None) -> None:
    """Explain an operation or a rule: its source, how sure it is, the status of its refusals, and the stories that
    show it.

    Without a name, print the page "Decided, not documented" on all of them, as Markdown.
    """
    from stubserver.checking import verified as verification
    from stubserver.checking.catalogue import told
    from stubserver.contract.load import load_contract
    from stubserver.contract.merging import SpecError
    from stubserver.reports.why import UnknownName, decisions, rules_of
    from stubserver.reports.why import why as explain

    try:
        contract = load_contract()
        seen = verification.read(verified) if verified else {}
        click.echo(explain(contract, name) if name else decisions(contract), nl=bool(name))
    except (SpecError, UnknownName, verification.BadFile) as error:
        fail(str(error))
    for line in [*verification.told(seen, rules_of(contract, name)), *told(name)] if name else ():
        click.echo(line)


@main.group()
def fixture() -> None:
    """Work with fixtures."""


for command in (schema, validate, generate, from_world, from_har):
    fixture.add_command(command)
for command in (
    exec_command,
    explain,
    check_command,
    variants_command,
    compare_command,
    coverage_command,
    proxy_command,
    replay,
    init,
    snapshot_command,
    export_command,
):
    main.add_command(command)
