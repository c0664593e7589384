"""HTTP as uvicorn speaks it, with one addition: the application can drop the connection, for a fault."""

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from stubserver.faults import CONNECTION


class Protocol(HttpToolsProtocol):
    """uvicorn's protocol; the scope of each request has a way to drop its connection."""

    def on_headers_complete(self) -> None:
        """As uvicorn does; the task that it starts runs later, so it sees the extension."""
        super().on_headers_complete()
        cycle = self.cycle

        def drop() -> None:
            cycle.disconnected = True  # so that nobody misses the answer
            self.transport.abort()

        self.scope["extensions"] = {CONNECTION: {"drop": drop}}
