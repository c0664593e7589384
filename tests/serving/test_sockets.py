"""Listening sockets, and the URLs by which clients on this machine reach them."""

import socket
from contextlib import closing

import pytest

from stubserver.serving.sockets import bind, url_of


def test_port_0_picks_a_free_one() -> None:
    with closing(bind("127.0.0.1", 0)) as one, closing(bind("127.0.0.1", 0)) as other:
        assert url_of(one) != url_of(other)
        port = one.getsockname()[1]
        assert url_of(one) == f"http://127.0.0.1:{port}"
        with closing(socket.create_connection(("127.0.0.1", port), 5)):
            pass


def test_a_port_is_had_once() -> None:
    """A second server gets an error, and leaves no socket open."""
    with closing(bind("127.0.0.1", 0)) as listener, pytest.raises(OSError, match="in use"):
        bind("127.0.0.1", listener.getsockname()[1])


def test_on_windows_a_port_is_asked_for_exclusively(monkeypatch: pytest.MonkeyPatch) -> None:
    """There, SO_REUSEADDR would share it. Any other option stands in for the one that only Windows has."""
    monkeypatch.setattr(socket, "SO_EXCLUSIVEADDRUSE", socket.SO_KEEPALIVE, raising=False)
    with closing(bind("127.0.0.1", 0)) as listener:
        options = [listener.getsockopt(socket.SOL_SOCKET, o) for o in (socket.SO_KEEPALIVE, socket.SO_REUSEADDR)]
    assert options == [1, 0]


@pytest.mark.parametrize(
    ("address", "url"),
    [
        (("0.0.0.0", 80), "http://127.0.0.1:80"),
        (("::", 80, 0, 0), "http://[::1]:80"),
        (("::1", 80, 0, 0), "http://[::1]:80"),
        (("10.0.0.7", 80), "http://10.0.0.7:80"),
    ],
)
def test_all_addresses_are_reached_by_loopback(
    monkeypatch: pytest.MonkeyPatch, address: tuple[str | int, ...], url: str
) -> None:
    """An IPv6 address needs brackets."""
    monkeypatch.setattr(socket.socket, "getsockname", lambda _: address)
    with socket.socket() as listener:
        assert url_of(listener) == url
