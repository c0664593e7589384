"""Clients of httpx that share one transport, and keep to it whatever other libraries replace."""

import httpx


class SharedTransport(httpx.BaseTransport):
    """A transport shared by many clients; closing a client does not close it."""

    def __init__(self, inner: httpx.BaseTransport) -> None:
        self._inner = inner
        self._is_shut = False

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if self._is_shut:
            raise httpx.ConnectError("the handle of this server has been closed; make a new one", request=request)
        return self._inner.handle_request(request)

    def shut(self) -> None:
        """Close the transport; from now on, requests raise ConnectError."""
        self._is_shut = True
        self._inner.close()


class Client(httpx.Client):
    """A client that keeps to its transport, even if a library replaces how httpx's clients choose theirs."""

    def _transport_for_url(self, _: httpx.URL) -> httpx.BaseTransport:
        return self._transport


class AsyncClient(httpx.AsyncClient):
    """The same for asynchronous code."""

    def _transport_for_url(self, _: httpx.URL) -> httpx.AsyncBaseTransport:
        return self._transport
