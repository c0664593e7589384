"""`stubserver check`: whether another server keeps the contract, its rules included."""

import re
import signal
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click

from stubserver.cli.options import NamedPath, deliver, fail, say
from stubserver.suggestions import unknown

if TYPE_CHECKING:
    from stubserver.checking.findings import Report

_QUICK = 28.0
"""Seconds of a quick check."""
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_NEW = NamedPath(dir_okay=False, path_type=Path)


def _personas(_: click.Context, __: click.Parameter, texts: tuple[str, ...]) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for text in texts:
        name, token = text.partition("=")[::2]
        _check_persona(name, token)
        if name in found:
            raise click.BadParameter(f"{name} is given twice.")
        found[name] = token
    return found


def _check_persona(name: object, token: object) -> None:
    from stubserver.checking.catalogue import PERSONAS

    if name not in PERSONAS:
        raise click.BadParameter(unknown("persona", str(name), PERSONAS))
    if not isinstance(token, str) or not re.fullmatch(r"[!-~]+", token):
        raise click.BadParameter(f"{name} needs a token, as in {name}=TOKEN.")


def _personas_of_file(_: click.Context, __: click.Parameter, file: Path | None) -> Mapping[str, str]:
    if file is None:
        return {}
    import yaml

    try:
        found = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise click.BadParameter(f"{file}: {getattr(error, 'strerror', None) or error}.") from None
    except yaml.YAMLError as error:
        raise click.BadParameter(f"{file}: {' '.join(str(error).split())}.") from None
    if not isinstance(found, dict):
        raise click.BadParameter(f"{file}: it has to have lines such as creator: TOKEN.")
    for name, token in found.items():
        _check_persona(name, token)
    return found


def _url(_: click.Context, __: click.Parameter, text: str) -> str:
    try:
        url = urlsplit(text)
        is_right = url.scheme in ("http", "https") and url.hostname and url.port != 0
    except ValueError:
        is_right = False
    if not is_right:
        raise click.BadParameter(f"{text!r} is no URL such as https://staging.example.com")
    return text.removesuffix("/").removesuffix("/api/v2")


def _rules(_: click.Context, __: click.Parameter, text: str | None) -> tuple[str, ...]:
    from stubserver.checking.catalogue import unseen
    from stubserver.contract.load import load_contract

    if text is None:
        return ()

    known = load_contract().document["x-rules"]
    codes = tuple(code.strip().upper() for code in text.split(",") if code.strip())
    for code in codes:
        if code not in known:
            raise click.BadParameter(unknown("rule", code, known))
        if code in unseen():
            raise click.BadParameter(f"{code} has no story: {unseen()[code]}")
    if not codes:
        raise click.BadParameter("name at least one rule, as in R101,R113.")
    return codes


@click.command("check")
@click.argument("url", callback=_url)
@click.option(
    "--persona",
    "tokens",
    metavar="NAME=TOKEN",
    multiple=True,
    callback=_personas,
    help="Token of somebody who acts in the check (repeatable): a creator of courses and, as far as there are any, "
    "manager, member, invited, requested, stranger, staff. The variable may hold several, with blanks between.",
    envvar="STUBSERVER_CHECK_PERSONAS",
    show_envvar=True,
)
@click.option(
    "--personas",
    "file_tokens",
    type=_FILE,
    callback=_personas_of_file,
    help="YAML or JSON file of tokens by the names of personas; --persona wins.",
)
@click.option("--quick", is_flag=True, help="Stories, but neither grid nor long walks: half a minute.")
@click.option("--read-only", is_flag=True, help="Send nothing but GET requests, and check what is there.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Seed of the walks.")
@click.option("--time", "seconds", type=click.FloatRange(5), help="Seconds after which what was seen is reported.")
@click.option("--rate", type=click.FloatRange(0, min_open=True), help="Requests a second, at most.")
@click.option("--rules", metavar="R101,...", callback=_rules, help="Play only the stories of these rules.")
@click.option(
    "--format", "form", type=click.Choice(["text", "json", "junit", "html"]), default="text", show_default=True
)
@click.option("--output", type=_NEW, help="File for the report, instead of standard output; as a whole or not at all.")
@click.option("--accept", type=_FILE, help="File of known differences, each with a reason.")
@click.option(
    "--verified",
    type=_NEW,
    envvar="STUBSERVER_VERIFIED",
    show_envvar=True,
    help="File of which rules were confirmed where and when, to be brought up to date; `stubserver why` shows it.",
)
@click.option("--write-accept", type=_NEW, help="Write a file of all differences, to be given reasons.")
def check_command(
    url: str,
    tokens: Mapping[str, str],
    file_tokens: Mapping[str, str],
    quick: bool,
    read_only: bool,
    seed: int,
    seconds: float | None,
    rate: float | None,
    rules: tuple[str, ...],
    form: str,
    output: Path | None,
    accept: Path | None,
    write_accept: Path | None,
    verified: Path | None,
) -> None:
    """Check whether the server at URL keeps the contract, its rules included.

    The same requests go to URL and to a server of our own in this process, and the answers are compared. Courses are
    made and deleted there, as the personas; nothing else is touched. The exit status is 0 if all agrees, 1 if something
    differs, and 2 if the check cannot run or was interrupted before it found anything.
    """
    from stubserver.checking import acceptance
    from stubserver.checking import verified as verification
    from stubserver.checking.check import Effort, check
    from stubserver.checking.meeting import CannotCheck
    from stubserver.cli.child import handled
    from stubserver.contract.load import load_contract

    tokens = {**file_tokens, **tokens}
    if "creator" not in tokens and not read_only:
        fail("a check needs somebody who may create courses: --persona creator=TOKEN (or --read-only)")
    if read_only and (rules or quick):
        fail("--read-only plays no stories: leave out --rules and --quick")
    _check_files(output, write_accept, verified)
    effort = Effort(
        seconds=seconds or (_QUICK if quick else Effort.seconds),
        walks=2 if quick else Effort.walks,
        grid=not quick,
        rate=rate or 0.0,
        sweeps=not rate,
        rules=rules,
        read_only=read_only,
    )
    try:
        accepted = acceptance.read(accept) if accept else {}
        before = verification.read(verified) if verified else {}
        # Whoever ends a check, such as a job in CI that is cancelled, has it clean up as Ctrl-C does.
        with handled(signal.default_int_handler):
            report = check(load_contract(), url, tokens, seed, effort, _progress(effort.seconds))
    except (acceptance.BadList, verification.BadFile, CannotCheck) as error:
        fail(str(error))
    except KeyboardInterrupt:
        fail("interrupted before anything was checked")
    _progress_ended()
    gone = acceptance.apply(report, accepted, is_whole=not (rules or quick or report.ended))
    if write_accept:
        _write(write_accept, acceptance.written(report))
    if verified:
        _write(verified, verification.written(before, report, datetime.now(UTC).date()))
    deliver(output, _encoded(_rendered(report, form)))
    for key in gone:
        say(f"{accept}: {key} no longer occurs; remove it")
    sys.exit(1 if report.new or gone else 2 if report.lacking else 0)


def _progress(seconds: float) -> Any:
    """Says on a terminal what is being done, and how long it may go on; elsewhere, only the parts."""
    is_terminal, begun = sys.stderr.isatty(), time.monotonic()

    def told(what: str) -> None:
        if is_terminal:
            left = max(0.0, seconds - (time.monotonic() - begun))
            sys.stderr.write(f"\r\x1b[K{left:4.0f} s left at most  {what[:90]}")
            sys.stderr.flush()
        elif ": " not in what and not what.startswith("walk "):
            say(what)

    return told


def _progress_ended() -> None:
    if sys.stderr.isatty():
        sys.stderr.write("\r\x1b[K")


def _check_files(*paths: Path | None) -> None:
    """Fail if a file for the end cannot be written, before anything is sent."""
    from stubserver import files

    given = [path for path in paths if path is not None]
    if len({path.resolve() for path in given}) < len(given):
        fail("--output, --write-accept and --verified need files of their own")
    for path in given:
        try:
            files.check_replaceable(path)
        except OSError as error:
            fail(f"cannot write {path}: {error.strerror}")


def _write(path: Path, text: str) -> None:
    """Write a file beside the report, which may be on standard output, so that nothing else goes there."""
    from stubserver import files

    try:
        files.replace(path, _encoded(text))
    except OSError as error:
        fail(f"cannot write {path}: {error.strerror}")
    say(f"wrote {path}")


def _rendered(report: "Report", form: str) -> str:
    from stubserver.checking.rendering import FORMATS
    from stubserver.contract.load import load_contract

    return FORMATS[form](report, load_contract().document["x-rules"])


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "backslashreplace")
