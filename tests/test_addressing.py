"""Names of worlds in paths, tokens in headers, and which hosts are this machine."""

import re

import pytest

from stubserver.addressing import BASE_PATH, LOCAL_HOST, LOOPBACK, base_path, basic_credentials, bearer_token, path_fits


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/~w/api/v2/course/", ("/~w", "w")),
        ("/~w", ("/~w", "w")),
        ("/~/api/", ("/~", "")),
        ("/~a.b-c_d/x", ("/~a.b-c_d", "a.b-c_d")),
    ],
)
def test_the_base_path_of_a_world_is_read(path: str, found: tuple[str, str]) -> None:
    match = BASE_PATH.match(path)
    assert match is not None
    assert (match[0], match[1]) == found


@pytest.mark.parametrize("path", ["/api/~w/", "/w/~", "", "~w"])
def test_a_path_without_a_world_has_no_base_path(path: str) -> None:
    assert BASE_PATH.match(path) is None


def test_the_base_path_that_is_written_is_the_one_that_is_read() -> None:
    match = BASE_PATH.fullmatch(base_path("my-test"))
    assert match is not None
    assert match[1] == "my-test"


@pytest.mark.parametrize(
    ("header", "token"),
    [
        ("Bearer stub-member", "stub-member"),
        ("bearer  stub-member ", "stub-member"),
        ("BEARER x", "x"),
        ("Bearer", ""),
        ("Bearer ", ""),
        ("Basic stub-member", ""),
        ("stub-member", ""),
        ("", ""),
    ],
)
def test_a_bearer_token_is_read_in_any_case(header: str, token: str) -> None:
    """R002."""
    assert bearer_token(header) == token


@pytest.mark.parametrize(
    ("header", "credentials"),
    [
        ("Basic YTpi", ("a", "b")),
        ("basic  YTpi ", ("a", "b")),
        ("Basic YTpiOmM=", ("a", "b:c")),
        ("Basic YQ==", ("a", "")),
        ("Basic OmI=", ("", "b")),
        ("Basic w7w6w7w=", ("\u00fc", "\u00fc")),
        ("Basic", ("", "")),
        ("Bearer YTpi", None),
        ("YTpi", None),
        ("", None),
    ],
)
def test_a_name_and_a_password_are_read(header: str, credentials: tuple[str, str] | None) -> None:
    assert basic_credentials(header) == credentials


@pytest.mark.parametrize("text", ["%%%", "YTp", "YT pi", "/w=="])
def test_what_is_no_basic_authentication_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        basic_credentials(f"Basic {text}")


@pytest.mark.parametrize("host", ["localhost", "localhost:8765", "127.0.0.1:1", "[::1]", "[::1]:65535"])
def test_loopback_hosts_are_local(host: str) -> None:
    assert re.fullmatch(LOCAL_HOST, host)


def test_each_loopback_host_is_local() -> None:
    """In a URL, an IPv6 address is in brackets."""
    assert all(re.fullmatch(LOCAL_HOST, f"[{host}]" if ":" in host else host) for host in LOOPBACK)


@pytest.mark.parametrize(
    "host",
    ["localhost.example", "xlocalhost", "127.0.0.10", "127a0b0c1", "::1", "[::1", "localhost:", "localhost:123456"],
)
def test_other_hosts_are_not_local(host: str) -> None:
    assert not re.fullmatch(LOCAL_HOST, host)


@pytest.mark.parametrize(
    ("path", "pattern", "fits"),
    [
        ("/api/v2/course/1/", "/api/v2/course/1/", True),
        ("/api/v2/course/1/", "/api/v2/course/*", True),
        ("/api/v2/course/1/", "*/course/*/", True),
        ("/api/v2/course/1/", "/api/v2/course/", False),
        ("/api/v2/course/1/", "/API/v2/course/1/", False),
        ("/api/v2/course/1/", "/api/v2/course/?/", False),
        ("/api/v2/course/1/", "/api/v2/course/[0-9]/", False),
        ("/a/[0-9]?/", "/a/[0-9]?/", True),
    ],
)
def test_only_a_star_stands_for_anything(path: str, pattern: str, fits: bool) -> None:
    assert path_fits(path, pattern) is fits
