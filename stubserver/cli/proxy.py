"""`stubserver proxy`: watches an application and a server that talk to each other, and holds both to the contract."""

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click

from stubserver.addressing import LOOPBACK
from stubserver.cli.options import PORT, NamedPath, fail
from stubserver.cli.output import opened, write

if TYPE_CHECKING:
    import socket

    from stubserver.checking.observed import Observed
    from stubserver.contract.contract import Contract

_NEW = NamedPath(dir_okay=False, path_type=Path)


def _url(_: click.Context, __: click.Parameter, text: str) -> str:
    try:
        url = urlsplit(text)
        is_right = url.scheme in ("http", "https") and url.hostname and url.port != 0
    except ValueError:
        is_right = False
    if not is_right or not text.isascii() or not text.isprintable() or " " in text:
        raise click.BadParameter(f"{text!r} is no URL such as https://staging.example.com")
    if "@" in url.netloc:
        raise click.BadParameter("leave out user and password: the application sends its own credentials.")
    if "?" in text or "#" in text:
        raise click.BadParameter("leave out what follows the path: requests have queries of their own.")
    return text.rstrip("/").removesuffix("/api/v2")


@click.command("proxy")
@click.option("--upstream", required=True, metavar="URL", callback=_url, help="Base URL of the real server.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8766, show_default=True, type=PORT, help="Port to listen on; 0 picks a free one.")
@click.option(
    "--allowed-host",
    multiple=True,
    help="Host name, besides localhost, under which it answers (repeatable; * for any).",
)
@click.option(
    "--format", "form", type=click.Choice(["text", "json", "junit", "html"]), default="text", show_default=True
)
@click.option("--output", type=_NEW, help="File for the report, instead of standard output.")
@click.option("--coverage", type=_NEW, help="File for what of the contract was exercised, for `stubserver coverage`.")
@click.option("--har", type=_NEW, help="File for the newest requests and answers, as HAR 1.2, without credentials.")
def proxy_command(
    upstream: str,
    host: str,
    port: int,
    allowed_host: tuple[str, ...],
    form: str,
    output: Path | None,
    coverage: Path | None,
    har: Path | None,
) -> None:
    """Pass requests on to the server at URL, unchanged, and report at the end what the contract does not allow.

    Point the application at the proxy, use it, and press Ctrl-C. What the application does wrong is told apart from
    what the server does wrong. The exit status is 0 if nothing is wrong, 1 if something is, and 2 if nothing could be
    checked.
    """
    from stubserver.checking.rendering import FORMATS
    from stubserver.contract.load import load_contract

    contract = load_contract()
    _check_apart(output, coverage, har)
    with opened(output) as file, opened(coverage) as second, opened(har) as third:
        report = _watch(contract, upstream, host, port, allowed_host)
        written = FORMATS[form](report, contract.document["x-rules"])
        if file is None:
            click.echo(written, nl=False)
        write(file, written)
        write(second, json.dumps(report.coverage, indent=2) + "\n")
        write(third, json.dumps(_har(report), indent=2, ensure_ascii=False) + "\n")
    if not report.documented:
        fail("no request of a documented operation came through: nothing was checked")
    sys.exit(1 if report.findings else 0)


def _check_apart(*paths: Path | None) -> None:
    """Fail if one file is named for two things."""
    given = [path for path in paths if path is not None]
    if len({path.resolve() for path in given}) < len(given):
        fail("--output, --coverage and --har need files of their own")


def _har(report: "Observed") -> dict[str, Any]:
    from stubserver.exports.har import har as written
    from stubserver.exports.recording import Recording

    recording = Recording("proxy", "", is_complete=False, requests=report.journal, lost=report.forgotten)
    return written([recording], report.target, is_proxied=True)


def _watch(contract: "Contract", upstream: str, host: str, port: int, allowed_host: tuple[str, ...]) -> "Observed":
    """Serve until interrupted; returns what was seen."""
    from stubserver.checking.observed import as_line
    from stubserver.checking.observer import Observer
    from stubserver.checking.proxy import Proxy, Server
    from stubserver.pipeline.visitors import is_host
    from stubserver.records.log_writer import LogWriter
    from stubserver.serving.sockets import bind, url_of
    from stubserver.settings import Settings

    try:
        settings = Settings(allowed_hosts=(*allowed_host, host) if is_host(host) else allowed_host)
        observer = Observer(contract, upstream, settings)
        proxy = Proxy(upstream, observer, lambda *seen: log.write(as_line(*seen)), settings)
        listener = bind(host, port)
    except ValueError as error:
        fail(str(error))
    except OSError as error:
        fail(f"cannot listen on {host} port {port}: {error.strerror or error}")
    if _is_itself(upstream, listener):
        listener.close()
        fail(f"--upstream {upstream} is this proxy itself; name the real server")
    log = LogWriter(sys.stderr.fileno())
    banner = f"{url_of(listener)} passes requests on to {upstream}; Ctrl-C ends it, and prints the report\n"
    if host not in LOOPBACK:
        banner += f"Warning: {host} lets other machines in; this is a development tool.\n"
    begun = time.monotonic()
    Server(proxy, lambda: log.write(banner)).run(sockets=[listener])
    log.close()
    return observer.report(time.monotonic() - begun)


def _is_itself(upstream: str, listener: "socket.socket") -> bool:
    """Whether the proxy would talk to itself, without end."""
    url = urlsplit(upstream)
    host, port = listener.getsockname()[:2]
    return url.port == port and url.hostname in (*LOOPBACK, host)
