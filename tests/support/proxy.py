"""A reverse proxy that stands in for those that people use: it does with a request what their settings say."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx

Headers = Mapping[str, str]


class Proxy(BaseHTTPRequestHandler):
    """Passes GET requests on, without the prefix, and with the headers that `changed` makes of theirs."""

    target: str
    prefix: str
    changed: Callable[[Headers], Headers]

    def do_GET(self) -> None:
        """Answer what the target answers."""
        path = self.path.removeprefix(self.prefix)
        sent = type(self).changed({name.title(): value for name, value in self.headers.items()})
        answer = httpx.get(self.target + path, headers=sent, follow_redirects=False)
        self.send_response(answer.status_code)
        for name in ("content-type", "location"):
            if name in answer.headers:
                self.send_header(name, answer.headers[name])
        self.send_header("Content-Length", str(len(answer.content)))
        self.end_headers()
        self.wfile.write(answer.content)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def proxied(target: str, prefix: str, changed: Callable[[Headers], Headers]) -> Iterator[str]:
    """A proxy of the target; gives its URL, without the prefix."""
    handler = type("Handler", (Proxy,), {"target": target, "prefix": prefix, "changed": staticmethod(changed)})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://localhost:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
