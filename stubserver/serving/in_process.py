"""The server without a socket: httpx calls the application in this process."""

import asyncio
import threading
from types import TracebackType

import httpx
from starlette.types import ASGIApp, Receive, Scope, Send


class InProcess(httpx.BaseTransport):
    """A transport for httpx's synchronous client that runs an ASGI application, one request at a time."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._runner = asyncio.Runner()
        self._alone = threading.Lock()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Run the request to its end. Raises RemoteProtocolError if a fault drops the connection."""
        with self._alone:
            return self._runner.run(self._answer(request))

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        dropped: list[ConnectionResetError] = []

        async def watched(scope: Scope, receive: Receive, send: Send) -> None:
            try:
                await self._app(scope, receive, send)
            except ConnectionResetError as error:
                dropped.append(error)
                raise

        transport = httpx.ASGITransport(watched, raise_app_exceptions=False)
        sent = httpx.Request(request.method, request.url, headers=request.headers, content=request.read())
        answer = await transport.handle_async_request(sent)
        content = await answer.aread()
        if dropped:
            raise httpx.RemoteProtocolError(str(dropped[0]), request=request)
        return httpx.Response(answer.status_code, headers=answer.headers, content=content)

    def __exit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        trace: TracebackType | None = None,
    ) -> None:
        """Does nothing: clients come and go, but the transport stays open until `close`."""

    def close(self) -> None:
        """Close the event loop in which the application ran."""
        self._runner.close()
