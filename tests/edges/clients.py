"""Every client by its name, and why it may be missing."""

from collections.abc import Mapping

from tests.edges.exchanges import Client
from tests.edges.programs import by_curl, by_java, by_node, missing
from tests.edges.python import by_aiohttp, by_http_client, by_httpx, by_requests, by_urllib, by_urllib3, in_pieces

CLIENTS: Mapping[str, Client] = {
    "whole": in_pieces(10**6),
    "byte by byte": in_pieces(1),
    "in chunks": in_pieces(10**6, chunk=1000),
    "in chunks, in pieces": in_pieces(7, chunk=500),
    "http.client": by_http_client(in_chunks=False),
    "http.client, in chunks": by_http_client(in_chunks=True),
    "urllib": by_urllib,
    "httpx": by_httpx("length"),
    "httpx, in chunks": by_httpx("chunked"),
    "httpx, encoding": by_httpx("encoding"),
    "requests": by_requests("length"),
    "requests, in chunks": by_requests("chunked"),
    "requests, encoding": by_requests("encoding"),
    "urllib3": by_urllib3("length"),
    "urllib3, in chunks": by_urllib3("chunked"),
    "urllib3, encoding": by_urllib3("encoding"),
    "aiohttp": by_aiohttp("length"),
    "aiohttp, in chunks": by_aiohttp("chunked"),
    "aiohttp, encoding": by_aiohttp("encoding"),
    "aiohttp, expecting 100": by_aiohttp("expect"),
    "curl": by_curl(),
    "curl --http2": by_curl("--http2"),
    "curl --http1.0": by_curl("--http1.0"),
    "curl --compressed": by_curl("--compressed"),
    "curl -T -": by_curl("-T", "-"),
    "curl -T - --http2": by_curl("-T", "-", "--http2"),
    "node http": by_node("http", "length"),
    "node http, in chunks": by_node("http", "chunked"),
    "node fetch": by_node("fetch", "length"),
    "node fetch, in chunks": by_node("fetch", "chunked"),
    "java": by_java("HTTP_2", "length"),
    "java, in chunks": by_java("HTTP_2", "chunked"),
    "java, expecting 100": by_java("HTTP_2", "expect"),
    "java, HTTP/1.1": by_java("HTTP_1_1", "length"),
}
"""What follows the first word is a way to use a program or a library."""


def why_missing(name: str) -> str:
    """Why a client cannot be used here; empty if it can. The libraries are always there."""
    program = name.split()[0].rstrip(",")
    return missing(program) if program in ("curl", "node", "java") else ""
