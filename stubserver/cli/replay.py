"""`stubserver replay`: sends the requests of a case file again and says what is answered differently."""

import secrets
from contextlib import closing
from pathlib import Path

import click

from stubserver.cli.options import fail


@click.command()
@click.option("--fixture", help="Fixture to start from, if it is not the one that the case names: a name, or a file.")
@click.argument("case", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def replay(case: Path, fixture: str | None) -> None:
    """Send the requests in the file CASE again, to a world restored to what it was, and say what differs.

    The exit status is 0 if every answer is the same, 1 if one differs, and 2 if CASE cannot be replayed. Failed tests
    write such files with --stub-artifacts, failed commands with exec --artifacts, and GET /__stub/case answers with
    one.
    """
    import httpx

    from stubserver.app import create_app
    from stubserver.contract.merging import SpecError
    from stubserver.fixtures.fixture import FixtureError
    from stubserver.reports import replay as replaying
    from stubserver.reports.text import printable
    from stubserver.serving.in_process import InProcess

    try:
        read = replaying.read(case.read_text(encoding="utf-8"))
        name = fixture or replaying.fixture_of(read)
        strict, secret = replaying.is_strict(read), secrets.token_urlsafe(32)
        app = create_app(name, seed=replaying.seed_of(read), strict=strict, jwt_secret=secret)
    except (replaying.UnreadableCase, UnicodeDecodeError, OSError) as error:
        fail(f"{case}: {error}")
    except FixtureError as error:
        fail(f"{case}: {error.brief}; give its fixture with --fixture")
    except (SpecError, ValueError) as error:
        fail(f"{case}: {error}; give its fixture with --fixture")
    transport = InProcess(app)
    with closing(transport), httpx.Client(transport=transport, base_url="http://localhost") as client:
        found = replaying.replay(read, app, client)
    if about := read.get("about"):
        click.echo(printable(str(about)))
    for text in [*found.missing, *found.differences]:
        click.echo(text)
    click.echo(f"{found.sent} of {found.total} requests sent again: {found.verdict}")
    if found.differences:
        raise SystemExit(1)
