"""URLs of Redis: what they stand for, and which cannot be."""

import ssl
from pathlib import Path

import pytest

from stubserver.stores.redis_url import Address, read_url
from tests.stores.servers import certificate

pytestmark = pytest.mark.table


@pytest.mark.parametrize(
    ("url", "address", "name"),
    [
        ("redis://", Address(), "Redis at localhost:6379"),
        ("redis://h", Address(host="h"), "Redis at h:6379"),
        ("redis://h?", Address(host="h"), "Redis at h:6379"),
        ("redis://h:7/", Address(host="h", port=7), "Redis at h:7"),
        ("redis://[::1]:7/3", Address(host="::1", port=7, db=3), "Redis at [::1]:7"),
        ("redis://h?db=3", Address(host="h", db=3), "Redis at h:6379"),
        ("redis://u:p%40%2F@h", Address(host="h", username="u", password="p@/"), "Redis at h:6379"),
        ("redis://:p@h", Address(host="h", password="p"), "Redis at h:6379"),
        ("redis://h?password=p%26q&username=u", Address(host="h", username="u", password="p&q"), "Redis at h:6379"),
        ("unix:///run/r.sock", Address(path="/run/r.sock"), "Redis at /run/r.sock"),
        ("unix://u:p@/r%20s?db=2", Address(path="/r s", db=2, username="u", password="p"), "Redis at /r s"),
    ],
)
def test_a_url_stands_for_an_address(url: str, address: Address, name: str) -> None:
    assert read_url(url) == address
    assert str(address) == name


def test_no_secret_is_shown() -> None:
    address = read_url("redis://ursula:sesame@h")
    assert "sesame" not in f"{address} {address!r}"
    assert "ursula" not in f"{address} {address!r}"


@pytest.mark.parametrize(
    ("url", "commands"),
    [
        ("redis://h", [("CLIENT", "SETNAME", "stubserver")]),
        ("redis://:p@h/3", [("AUTH", "p"), ("SELECT", "3"), ("CLIENT", "SETNAME", "stubserver")]),
        ("redis://u:p@h", [("AUTH", "u", "p"), ("CLIENT", "SETNAME", "stubserver")]),
        ("redis://u@h", [("AUTH", "u", ""), ("CLIENT", "SETNAME", "stubserver")]),
    ],
)
def test_the_greeting_logs_in_and_chooses_the_database(url: str, commands: list[tuple[str, ...]]) -> None:
    assert read_url(url).greeting() == commands


ENCODE = "Characters such as / ? # @ in a password have to be percent-encoded."
SCHEMES = "A URL of Redis begins with redis://, rediss:// or unix://."
BLANKS = f"A URL of Redis has no blanks, control characters or #. {ENCODE}"
PORT = f"The port of a URL of Redis is a number from 1 to 65535. {ENCODE}"
HOST = f"The host of this URL of Redis cannot be. {ENCODE}"
SOCKET = "A URL of a Unix socket is unix:// and an absolute path, as in unix:///run/redis.sock."
PATH = f"The path of a URL of Redis is the number of a database, as in redis://localhost:6379/0. {ENCODE}"
QUERY = f"After ?, a URL of Redis has options, as in ?db=1. {ENCODE}"


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("", SCHEMES),
        ("localhost:6379", SCHEMES),
        ("http://h", SCHEMES),
        ("redis:h", SCHEMES),
        ("redi://h", SCHEMES),
        ("redis://a b", BLANKS),
        ("redis://h\n", BLANKS),
        ("redis://:se#same@h", BLANKS),
        ("unix:///a%00b", BLANKS),
        ("redis://h:0", PORT),
        ("redis://h:65536", PORT),
        ("redis://h:x", PORT),
        ("redis://:se/same@h", PORT),
        ("redis://[::1", HOST),
        ("redis://a..b", HOST),
        ("redis://" + "a" * 64, HOST),
        ("redis://" + "a." * 127, HOST),
        ("unix://", SOCKET),
        ("unix:///", SOCKET),
        ("unix://run/r.sock", SOCKET),
        ("redis://h/x", PATH),
        ("redis://h/-1", PATH),
        ("redis://h/1/2", PATH),
        ("redis://:@se/same@h", PATH),
        ("redis://:1?sesame@h", QUERY),
        ("redis://h?db", QUERY),
        ("redis://h?db=", "The option db of this URL of Redis has no value."),
        ("redis://h?db=x", "Invalid value for 'db' in connection URL."),
        ("redis://h?db=-1", "The database of a URL of Redis is a number from 0 up."),
        ("redis://h?db=1&db=2", "An option of this URL of Redis is there twice."),
        (
            "redis://h?pasword=sesame",
            "There is no option of a URL of Redis 'pasword'. Did you mean password?",
        ),
        (
            "redis://h?timeout=1",
            "There is no option of a URL of Redis 'timeout'. Use one of: db, password, username.",
        ),
        ("redis://h?ssl_cert_reqs=none", "The option ssl_cert_reqs of a URL of Redis is for rediss://."),
        (
            "rediss://h?pasword=sesame",
            "There is no option of a URL of Redis 'pasword'. Did you mean password, ssl_password?",
        ),
        (
            "rediss://h?ssl_ca_certs=/no/such.pem",
            "The option ssl_ca_certs of this URL of Redis names no file: /no/such.pem.",
        ),
        (
            "rediss://h?ssl_cert_reqs=never",
            "The options about TLS of this URL of Redis do not work: Invalid SSL Certificate Requirements Flag: never.",
        ),
        (
            "rediss://h?ssl_ciphers=never",
            "The options about TLS of this URL of Redis do not work: No cipher can be selected.",
        ),
        ("rediss://h?ssl_min_version=x", "Invalid value for 'ssl_min_version' in connection URL."),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(url: str, message: str) -> None:
    with pytest.raises(ValueError, match=r"\A[^\n]+\Z") as refused:
        read_url(url)
    assert str(refused.value) == message
    assert "same" not in message


def test_a_file_that_is_no_certificate_is_refused(tmp_path: Path) -> None:
    empty = tmp_path / "empty.pem"
    empty.touch()
    with pytest.raises(ValueError, match="The options about TLS of this URL of Redis do not work: ") as refused:
        read_url(f"rediss://h?ssl_ca_certs={empty}")
    assert "\n" not in str(refused.value)


@pytest.mark.slow
def test_certificates_are_verified_unless_the_url_says_otherwise(tmp_path: Path) -> None:
    made, key = certificate(tmp_path)
    assert read_url("redis://h").tls is None
    verifying = read_url("rediss://h").tls
    assert verifying
    assert (verifying.verify_mode, verifying.check_hostname) == (ssl.CERT_REQUIRED, True)
    for url, mode, check in [
        (f"rediss://h?ssl_ca_certs={made}&ssl_certfile={made}&ssl_keyfile={key}", ssl.CERT_REQUIRED, True),
        ("rediss://h?ssl_check_hostname=false", ssl.CERT_REQUIRED, False),
        ("rediss://h?ssl_cert_reqs=none", ssl.CERT_NONE, False),
    ]:
        found = read_url(url).tls
        assert found
        assert (found.verify_mode, found.check_hostname) == (mode, check)
    least = read_url("rediss://h?ssl_min_version=772").tls
    assert least
    assert least.minimum_version == ssl.TLSVersion.TLSv1_3
