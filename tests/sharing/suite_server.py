"""A server as the pytest suite needs it: `python -m tests.sharing.suite_server --port PORT --store URL`.

Its fixture is as of the moment at which the tests freeze the clock, and it takes any rows in snapshots, because tests
put rows into worlds that no request could have made.
"""

import argparse
from typing import Any

import click

import stubserver.app
from stubserver.app import StubServer
from stubserver.contract.load import load_contract
from stubserver.fixtures.fixture import load
from stubserver.row_check import RowChecks
from stubserver.serving.banner import banner
from stubserver.serving.server import serve
from stubserver.serving.sockets import bind, url_of
from stubserver.stores.opening import store_at
from tests.support.default import NOW, SETTINGS


class Unchecked(RowChecks):
    """Accepts all rows."""

    def entries(self, *_: Any) -> None:
        """Check nothing."""

    def tables(self, *_: Any) -> None:
        """Check nothing."""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int)
    parser.add_argument("--store", default="memory:")
    options = parser.parse_args()
    vars(stubserver.app)["RowChecks"] = Unchecked
    contract = load_contract()
    store = store_at(options.store, SETTINGS.max_requests)
    app = StubServer(contract, load("default", contract, NOW), SETTINGS, store=store)
    listener = bind("127.0.0.1", options.port)
    click.echo(banner(app, url_of(listener)))
    serve(app, listener, "text")


if __name__ == "__main__":
    main()
