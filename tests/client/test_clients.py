"""Clients that share a transport."""

import httpx
import pytest

from stubserver.client.clients import AsyncClient, Client, SharedTransport


def answering(request: httpx.Request) -> httpx.Response:
    return httpx.Response(200, text=request.url.path)


def test_closing_one_client_leaves_the_others_connected() -> None:
    shared = SharedTransport(httpx.MockTransport(answering))
    with Client(transport=shared, base_url="http://x") as first:
        assert first.get("/a").text == "/a"
    with Client(transport=shared, base_url="http://x") as second:
        assert second.get("/b").text == "/b"


def test_after_the_shared_end_every_client_says_so() -> None:
    shared = SharedTransport(httpx.MockTransport(answering))
    shared.shut()
    with (
        Client(transport=shared, base_url="http://x") as client,
        pytest.raises(httpx.ConnectError, match="been closed"),
    ):
        client.get("/a")


def test_a_client_keeps_to_its_transport(monkeypatch: pytest.MonkeyPatch) -> None:
    """Libraries that fake answers replace this method of httpx's clients."""
    own = httpx.MockTransport(answering)
    for kind in (httpx.Client, httpx.AsyncClient):
        monkeypatch.setattr(kind, "_transport_for_url", lambda *_: None)
    assert Client(transport=own)._transport_for_url(httpx.URL("http://x")) is own
    assert AsyncClient(transport=own)._transport_for_url(httpx.URL("http://x")) is own
