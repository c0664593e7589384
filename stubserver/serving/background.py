"""A server in a thread of this process: for test suites, and for commands that need one while they run."""

import select
import socket
import threading
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING

from stubserver.serving.sockets import bind, url_of

if TYPE_CHECKING:  # whoever starts a server that nobody calls shall not wait for what it is made of
    import uvicorn

    from stubserver.app import StubServer


class Background:
    """A server on a free port of loopback. It is built when the first client comes, so that nobody pays for nothing.

    Use it as a context manager, or call `start` and `stop`.
    """

    def __init__(self, build: "Callable[[], StubServer]") -> None:
        """`build` makes the application, in the thread."""
        self._build = build
        self._listener: socket.socket | None = None
        self._server: uvicorn.Server | None = None
        self.error: BaseException | None = None
        """What ended the server, if something did; clients only see that nobody answers."""
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="stubserver", daemon=True)
        self.app: StubServer | None = None
        """The application, once a client has come."""

    def start(self) -> str:
        """Listen; returns the base URL."""
        self._listener = bind("127.0.0.1", 0)
        self._thread.start()
        return url_of(self._listener)

    def stop(self) -> None:
        """End the server and wait for it."""
        self._stopping.set()
        if self._server is not None:
            self._server.should_exit = True
        self._thread.join(10)

    def __enter__(self) -> str:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _run(self) -> None:
        listener = self._listener
        assert listener is not None  # noqa: S101 (start has bound it)
        try:
            while not select.select([listener], [], [], 0.1)[0]:
                if self._stopping.is_set():
                    return
            self._server = self._built()
            if not self._stopping.is_set():
                self._server.run(sockets=[listener])
        except BaseException as error:  # the thread has nobody to tell
            self.error = error
        finally:
            listener.close()

    def _built(self) -> "uvicorn.Server":
        self.app = quietly(self._build)
        import uvicorn

        from stubserver.serving.server import config

        return uvicorn.Server(config(self.app))


def quietly(build: "Callable[[], StubServer]") -> "StubServer":
    """What `build` makes, without the warnings about what connexion imports."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return build()
