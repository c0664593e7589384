"""Listening sockets, and the URLs at which clients on this machine reach them."""

import socket

_addresses = socket.getaddrinfo
_Socket = socket.socket
"""Kept as they are now: libraries replace them to keep tests off the network, but not from their stub server."""


def bind(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 picks a free one. Raises OSError if the address is not available."""
    family, _, _, _, address = _addresses(host, port, type=socket.SOCK_STREAM)[0]
    listener = _Socket(family, socket.SOCK_STREAM)
    try:
        # On Windows, SO_REUSEADDR would let another server have the same port at the same time.
        option = getattr(socket, "SO_EXCLUSIVEADDRUSE", socket.SO_REUSEADDR)
        listener.setsockopt(socket.SOL_SOCKET, option, 1)
        listener.bind(address)
        listener.listen(2048)
    except OSError:
        listener.close()
        raise
    return listener


def url_of(listener: socket.socket) -> str:
    """The base URL at which a client on this machine reaches the socket."""
    host, port = listener.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
