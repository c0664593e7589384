"""`stubserver explain`: the story of a request, from a running server."""

from contextlib import closing

import click

from stubserver.cli.options import TOKEN, URL, fail


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
