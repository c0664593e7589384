"""HTTP as uvicorn speaks it, with one addition: the application can reach the connection, to break it for a fault."""

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from stubserver.faults import TRANSPORT


class Protocol(HttpToolsProtocol):
    """uvicorn's protocol; the connection is in the scope."""

    def on_headers_complete(self) -> None:
        """As uvicorn does; the task that it starts runs later, so it sees the connection."""
        super().on_headers_complete()
        self.scope["extensions"] = {TRANSPORT: {"connection": self.transport}}
