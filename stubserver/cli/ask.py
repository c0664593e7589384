"""Commands that query a running server: `stubserver explain` and `stubserver coverage`."""

from contextlib import closing
from pathlib import Path

import click

from stubserver.cli.options import fail, option

URL = option("--url", "Base URL of the server.", default="http://127.0.0.1:8765")
TOKEN = option("--control-token", "Token for its control plane, if it requires one.")


@click.command()
@URL
@TOKEN
@click.argument("request")
def explain(url: str, control_token: str | None, request: str) -> None:
    """Tell the story of REQUEST, an id from the log or from an answer's header X-Stub-Request."""
    from urllib.parse import quote

    from stubserver.contract.load import load_contract
    from stubserver.reports.explain import story
    from stubserver.testing import Stub, StubError

    try:
        with closing(Stub(url, control_token)) as stub:
            found = stub.control("GET", f"/requests/{quote(request, safe='')}")
            tokens = stub.world(found["id"].rpartition("-")[0]).tokens.values()
    except StubError as error:
        fail(str(error))
    click.echo(story(found, load_contract(), url, tokens))


@click.command()
@URL
@TOKEN
@click.option(
    "--format", "form", type=click.Choice(["text", "json", "junit", "html"]), default="text", show_default=True
)
@click.option("--fail-under", type=click.FloatRange(0, 100), help="Fail if less than this percentage is covered.")
@click.argument("files", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
def coverage(url: str, control_token: str | None, form: str, fail_under: float | None, files: tuple[Path, ...]) -> None:
    """Show how much of the contract has been exercised: on a running server, or in the JSON reports FILES together."""
    from stubserver.reports import coverage_report
    from stubserver.testing import Stub, StubError

    try:
        if files:
            found = coverage_report.merged([coverage_report.read(file.read_text(encoding="utf-8")) for file in files])
        else:
            with closing(Stub(url, control_token)) as stub:
                found = stub.coverage()
    except (StubError, OSError, ValueError) as error:
        fail(str(error))
    click.echo(coverage_report.FORMATS[form](found), nl=False)
    if fail_under is not None and found["percent"] < fail_under:
        fail(f"{found['percent']} % of the contract is covered, less than {fail_under:g} %", 1)
