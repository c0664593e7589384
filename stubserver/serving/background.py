"""A server in a thread of this process, for test suites and for commands that need one while they run."""

import selectors
import socket
import threading
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING

from stubserver.serving.sockets import bind, url_of

if TYPE_CHECKING:  # starting a server that nobody calls must not wait for these imports
    import uvicorn

    from stubserver.app import StubServer


class Background:
    """A server on loopback. It is built when the first client connects, so an unused one costs nothing.

    Use it as a context manager, or call `start` and `stop`.
    """

    def __init__(self, build: "Callable[[], StubServer]", port: int = 0) -> None:
        """`build` creates the application; it is called in the thread. Port 0 picks a free one."""
        self._build = build
        self._port = port
        self._listener: socket.socket | None = None
        self._server: uvicorn.Server | None = None
        self.error: BaseException | None = None
        """What ended the server, if it failed; clients only see that they get no answer."""
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="stubserver", daemon=True)
        self.app: StubServer | None = None
        """The application, once a client has connected."""

    def start(self) -> str:
        """Start to listen; returns the base URL. Raises OSError if the port is not available."""
        self._listener = bind("127.0.0.1", self._port)
        self._thread.start()
        return url_of(self._listener)

    def stop(self) -> None:
        """Stop the server and wait for its thread to end."""
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
            if self._is_called(listener):
                self._server = self._built()
                if not self._stopping.is_set():
                    self._server.run(sockets=[listener])
        except BaseException as error:  # a thread has no caller to raise it to
            self.error = error
        finally:
            listener.close()

    def _is_called(self, listener: socket.socket) -> bool:
        """Wait for the first client; False if the server is stopped before."""
        with selectors.DefaultSelector() as selector:  # select itself fails where more than 1,024 files are open
            selector.register(listener, selectors.EVENT_READ)
            while not selector.select(0.1):
                if self._stopping.is_set():
                    return False
        return True

    def _built(self) -> "uvicorn.Server":
        self.app = quietly(self._build)
        from stubserver.serving.server import Server

        return Server(self.app)


def quietly(build: "Callable[[], StubServer]") -> "StubServer":
    """Call `build`, without the warnings that connexion's imports cause."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return build()
