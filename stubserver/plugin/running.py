"""The server of a run, in a thread of this process, with or without a socket."""

from typing import TYPE_CHECKING

import pytest

from stubserver.serving.background import Background, quietly
from stubserver.serving.in_process import InProcess
from stubserver.testing import Stub

if TYPE_CHECKING:
    from stubserver.app import StubServer


class Running:
    """The server of this process, started on first use."""

    def __init__(self, config: pytest.Config) -> None:
        self.app: StubServer | None = None

        def build() -> "StubServer":
            app: StubServer = config.hook.pytest_course_stub(config=config)
            self.app = app
            return app

        self.transport: InProcess | None = None
        self._background: Background | None = None
        if config.option.stub_in_process:
            self.transport = InProcess(quietly(build))
            self.url = "http://localhost"
        else:
            self._background = Background(build)
            try:
                self.url = self._background.start()
            except Exception as error:  # the system refuses, or a library that keeps tests off the network
                raise RuntimeError(f"no socket for the stub server: {error} --stub-in-process needs none.") from None

    @property
    def error(self) -> BaseException | None:
        """What stopped the server, if it failed."""
        return self._background.error if self._background else None

    def stub(self) -> Stub:
        """A handle for the server."""
        if self.transport is None:
            return Stub(self.url)
        stub = Stub(self.url, transport=self.transport, listen=self.transport.listen)
        stub.app = self.app
        return stub

    def stop(self) -> None:
        """Stop the server and release what it holds."""
        if self._background is not None:
            self._background.stop()
        if self.transport is not None:
            self.transport.close()
