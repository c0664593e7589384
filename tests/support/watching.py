"""A proxy that watches a server for a test, in a thread."""

import contextlib
import http.client
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import httpx

from stubserver.checking.observed import Exchange, Observed
from stubserver.checking.observer import Observer
from stubserver.checking.proxy import Proxy, Server
from stubserver.contract.load import load_contract
from stubserver.serving.sockets import bind, url_of
from stubserver.settings import Settings
from tests.support.commands import PATIENCE, until


class Aside(httpx.AsyncBaseTransport):
    """A transport that blocks, for a client that does not."""

    def __init__(self, inner: httpx.BaseTransport) -> None:
        self._inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Pass it on, with the target that the extension of that name says."""
        url = request.url.copy_with(raw_path=request.extensions["target"])
        content = await request.aread()
        answer = self._inner.handle_request(
            httpx.Request(request.method, url, headers=request.headers, content=content)
        )
        return httpx.Response(answer.status_code, headers=answer.headers.raw, stream=httpx.ByteStream(answer.read()))


@dataclass
class Watched:
    """The proxy."""

    url: str
    observer: Observer
    seen: list[Exchange] = field(default_factory=list)

    def ask(self, method: str, target: str, body: bytes | None = None, **headers: str) -> "Raw":
        """Send a request, as `ask` does."""
        return ask(self.url, method, target, body, **headers)

    def report(self, exchanges: int) -> Observed:
        """What was seen, once so many exchanges have passed."""
        until(lambda: len(self.seen) >= exchanges, lambda: self.seen)
        return self.observer.report(1.0)


@dataclass
class Raw:
    """An answer as it arrived."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def named(self) -> Mapping[str, str]:
        """Its headers by lower-case name."""
        return {name.lower(): value for name, value in self.headers}


def ask(url: str, method: str, target: str, body: bytes | None = None, **headers: str) -> Raw:
    """Send a request without changing it: underscores in names of headers stand for hyphens."""
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=PATIENCE)
    with contextlib.closing(connection):
        connection.putrequest(method, target, skip_accept_encoding=True)
        for name, value in headers.items():
            connection.putheader(name.replace("_", "-"), value)
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        response = connection.getresponse()
        return Raw(response.status, response.getheaders(), response.read())


@contextlib.contextmanager
def watched(
    upstream: str, settings: Settings | None = None, transport: httpx.AsyncBaseTransport | None = None
) -> Iterator[Watched]:
    """A proxy in front of a server."""
    observer = Observer(load_contract(), upstream, settings)
    listener = bind("127.0.0.1", 0)
    found = Watched(url_of(listener), observer)
    proxy = Proxy(upstream, observer, lambda exchange, _: found.seen.append(exchange), settings, transport)
    server = Server(proxy)
    thread = threading.Thread(target=lambda: server.run(sockets=[listener]))
    thread.start()
    try:
        yield found
    finally:
        server.should_exit = True
        thread.join(PATIENCE)
        listener.close()
