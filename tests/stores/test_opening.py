"""URLs of stores: which store they stand for, and what is said about those that stand for none."""

from pathlib import Path

import pytest

from stubserver.settings import MEMORY
from stubserver.stores.opening import CENTURY, store_at
from stubserver.stores.redis import RedisStore
from stubserver.stores.sqlite import SqliteStore
from tests.support.commands import invoke

pytestmark = pytest.mark.table

KINDS = "use one of memory:, sqlite:PATH, redis://HOST:PORT/DB, rediss://HOST:PORT/DB, unix:///PATH."


def refusal(url: str) -> str:
    with pytest.raises(ValueError) as raised:  # noqa: PT011 (the message is what is tested)
        store_at(url, 5)
    assert type(raised.value) is ValueError
    (line,) = str(raised.value).splitlines()
    return line


def test_memory_is_no_store() -> None:
    assert store_at(MEMORY, 5) is None


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("sqlite:worlds.db", "worlds.db"),
        ("sqlite:a/ü b:c#d.db", "a/ü b:c#d.db"),
        ("sqlite:/var/worlds.db", "/var/worlds.db"),
        ("sqlite:///var/worlds.db", "/var/worlds.db"),
        ("sqlite://worlds.db", "worlds.db"),
    ],
)
def test_a_path_is_that_of_a_file(url: str, path: str) -> None:
    store = store_at(url, 5)
    assert isinstance(store, SqliteStore)
    assert store.name == f"SQLite file {path}"


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("redis://", "Redis at localhost:6379"),
        ("redis://user:secret@redis.internal:7000/3", "Redis at redis.internal:7000"),
        ("redis://[::1]:7000?cluster=true&prefix=A-1._:b&ttl=1", "Redis at [::1]:7000"),
        (f"rediss://host?ssl_cert_reqs=none&ttl={CENTURY}&ssl_check_hostname=false", "Redis at host:6379"),
        ("unix:///run/redis.sock?db=2&password=se%26cret", "Redis at /run/redis.sock"),
    ],
)
def test_a_redis_is_named_without_its_secrets(url: str, name: str) -> None:
    store = store_at(url, 5)
    assert isinstance(store, RedisStore)
    assert store.name == name


def test_nothing_is_opened_yet(tmp_path: Path) -> None:
    for url in (f"sqlite:{tmp_path / 'worlds.db'}", f"sqlite:{tmp_path}", "redis://host.invalid"):
        assert store_at(url, 5) is not None
    assert [*tmp_path.iterdir()] == []


WRONG = {
    "": f"a store is named by a URL: {KINDS}",
    "worlds.db": f"a store is named by a URL: {KINDS}",
    "redis": "a store of this kind is written as redis://HOST:PORT/DB",
    "memory": "a store of this kind is written as memory:",
    "memory:x": "a store of this kind is written as memory:",
    "Redis://host": f"'Redis' is no kind of store: {KINDS} Did you mean redis, rediss?",
    "redsi://host": f"'redsi' is no kind of store: {KINDS} Did you mean redis, rediss?",
    "sqlite3:worlds.db": f"'sqlite3' is no kind of store: {KINDS} Did you mean sqlite?",
    "postgres://user:secret@host/db": f"'postgres' is no kind of store: {KINDS}",
    "redis:host": "a store of this kind is written as redis://HOST:PORT/DB",
    "unix:/run/redis.sock": "a store of this kind is written as unix:///PATH",
    "sqlite": "a store in a file needs its path: sqlite:PATH",
    "sqlite:": "a store in a file needs its path: sqlite:PATH",
    "sqlite://": "a store in a file needs its path: sqlite:PATH",
    "sqlite::memory:": "what SQLite keeps in memory is for one connection: use memory:",
    "sqlite:worlds.db?prefix=a": "a store in a file has no options, and its path has no question mark",
    "redis://host:70000": "The port of a URL of Redis is a number from 1 to 65535. Characters such as / ? # @ in a "
    "password have to be percent-encoded.",
    "redis://host?cluster=yes": "The option cluster of a URL of Redis is true or false.",
    "redis://host?prefx=a": "a store has no option 'prefx'. Did you mean prefix?",
    "redis://host?tll=5": "a store has no option 'tll'. Did you mean ttl?",
    "redis://host?clutser=true": "a store has no option 'clutser'. Did you mean cluster?",
    "redis://host?ttl=5&ttl=6": "prefix or ttl is there twice in the URL of a store",
    "redis://host?prefix=a&prefix=a": "prefix or ttl is there twice in the URL of a store",
}


@pytest.mark.parametrize("url", WRONG)
def test_what_is_no_store_is_refused(url: str) -> None:
    assert refusal(url) == WRONG[url]


@pytest.mark.parametrize(
    "prefix", ["", "{a}", "a b", "a*", "a?b", "[a]", "a\\b", "a%0Ab", "ü", "a/b", "%00", "a" * 101]
)
def test_a_prefix_is_plain(prefix: str) -> None:
    """With braces, all keys would be on one node of a cluster; with blanks, nobody could name them."""
    told = refusal(f"redis://user:secret@host?prefix={prefix}")
    assert told.startswith("prefix=")
    assert told.endswith("cannot begin the names of keys: use up to 100 letters, digits and any of . _ : -")
    assert "secret" not in told


@pytest.mark.parametrize("ttl", ["", "0", "x", "-1", "1.5", "+5", "1e3", "²", "٣", "5s", str(CENTURY + 1), "9" * 5000])
def test_a_time_to_live_is_a_number_of_seconds(ttl: str) -> None:
    """Redis would refuse what is out of its range only after it has stored the rest of a commit."""
    told = refusal(f"redis://user:secret@host?ttl={ttl}")
    assert told.startswith("ttl=")
    assert told.endswith(f"is not a number of seconds from 1 to {CENTURY}")
    assert "secret" not in told
    assert len(told) < 100


def test_an_unknown_option_is_refused_with_the_known_ones() -> None:
    assert refusal("redis://host?timeout=5") == (
        "There is no option of a URL of Redis 'timeout'. Use one of: db, password, username."
    )


@pytest.mark.parametrize("url", ["sqlite:", "redsi://host", "redis://host?ttl=0", "sqlite:/none/worlds.db"])
def test_the_command_says_so_in_one_line(url: str) -> None:
    expected = {"sqlite:/none/worlds.db": "the store of worlds does not work: SQLite file /none/worlds.db: unable to "}
    status, out, err = invoke("serve", "--port", "0", "--store", url)
    told = expected.get(url) or refusal(url)
    assert (status, out) == (2, "")
    assert err.startswith(f"stubserver: {told}")
    assert err.count("\n") == 1
