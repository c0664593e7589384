"""The plugin's options: whatever cannot work is refused before the first test, in one line that says what would."""

import argparse
import http.server
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from stubserver import __version__
from stubserver.app import create_app
from stubserver.plugin import options
from stubserver.plugin.options import TOKEN_VARIABLE, Shared, check, clash, given
from stubserver.serving.background import Background
from stubserver.testing import Stub
from tests.support.default import CONTROL_TOKEN

NONE = {
    "stub_fixture": None,
    "stub_fixture_dir": None,
    "stub_url": None,
    "stub_token": None,
    "stub_in_process": False,
    "stub_strict": False,
    "stub_artifacts": None,
    "stub_coverage": None,
}
ANSWERS: dict[str, tuple[int, str]] = {
    "/page": (200, "<html>Welcome</html>"),
    "/json": (200, '{"name": "another-server", "version": "1"}'),
    "/list": (200, "[1]"),
    "/missing": (404, "Not found"),
    "/broken": (500, "Oops"),
    "/moved": (302, ""),
}
"""Answers of servers that are no stub servers: each has a port of its own, which stands for the name."""


def server(status: int, text: str, stack: ExitStack) -> str:
    """Serve the same answer to every request; returns the base URL."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: Any) -> None:
            pass

    running = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=running.serve_forever, args=(0.01,)).start()
    stack.callback(running.server_close)
    stack.callback(running.shutdown)
    return f"http://127.0.0.1:{running.server_port}"


def hang_up(listener: socket.socket) -> None:
    """Answer each connection with something that is not HTTP, until the socket is closed."""
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with connection:
            connection.recv(1000)
            connection.sendall(b"SSH-2.0-OpenSSH_9.6\r\n")


@pytest.fixture(scope="module")
def urls() -> Iterator[dict[str, str]]:
    """What the names in braces of the table stand for."""
    with ExitStack() as stack:
        found = {name.strip("/"): server(*answer, stack) for name, answer in ANSWERS.items()}
        found["stub"] = stack.enter_context(Background(lambda: create_app("default")))
        found["guarded"] = stack.enter_context(Background(lambda: create_app("empty", control_token=CONTROL_TOKEN)))
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        stack.callback(listener.shutdown, socket.SHUT_RDWR)
        threading.Thread(target=hang_up, args=(listener,)).start()
        found["ssh"] = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with closing(socket.create_server(("127.0.0.1", 0))) as closed:
            found["nobody"] = f"http://127.0.0.1:{closed.getsockname()[1]}"
        yield {**found, "token": CONTROL_TOKEN, "stub_host": found["stub"].removeprefix("http://")}


LIKE = "write it like http://127.0.0.1:8765"
STRANGER = "--stub-url: {%s} is not a stub server"
Rows = list[tuple[dict[str, Any], str]]
FIXTURES: Rows = [
    ({"stub_fixture": "defalt"}, "--stub-fixture: unknown fixture 'defalt': use one of default, empty, or a file"),
    ({"stub_fixture": ""}, "--stub-fixture: unknown fixture '': use one of default, empty, or a file"),
    ({"stub_fixture": "."}, "--stub-fixture: unknown fixture '.': use one of default, empty, or a file"),
    ({"stub_fixture": "nowhere.yaml"}, "--stub-fixture: unknown fixture 'nowhere.yaml': use one of"),
    ({"stub_fixture": "broken.yaml"}, "--stub-fixture: broken.yaml:2:1: "),
    ({"stub_fixture": "wrong.yaml"}, "--stub-fixture: the fixture has 2 mistakes:\nwrong.yaml:1:1: nope: "),
    ({"stub_fixture": "wrong.json"}, "--stub-fixture: wrong.json:1:1: "),
    ({"stub_fixture_dir": ""}, "--stub-fixture-dir: the name of the folder is empty; . is the current one"),
    ({"stub_fixture_dir": "nowhere"}, "--stub-fixture-dir: cannot read the folder nowhere: No such file or directory"),
    ({"stub_fixture_dir": "broken.yaml"}, "--stub-fixture-dir: cannot read the folder broken.yaml: Not a directory"),
    (
        {"stub_fixture_dir": "."},
        "--stub-fixture-dir: wrong.yaml: wrong.json has the same name, wrong: rename one of them",
    ),
    (
        {"stub_fixture_dir": "folder.json", "stub_fixture": "nope"},
        "--stub-fixture: unknown fixture 'nope': use one of default, empty, or a file",
    ),
]
REPORTS: Rows = [
    ({"stub_artifacts": ""}, "--stub-artifacts: the name of the folder is empty; . is the current one"),
    ({"stub_artifacts": "broken.yaml"}, "--stub-artifacts: cannot write to broken.yaml: Not a directory"),
    ({"stub_artifacts": "broken.yaml/a/b"}, "--stub-artifacts: cannot write to broken.yaml/a/b: Not a directory"),
    ({"stub_artifacts": "/proc/nowhere"}, "--stub-artifacts: cannot write to /proc/nowhere: "),
    ({"stub_coverage": "c.csv"}, "--stub-coverage: unknown report type 'c.csv': end it in .txt, .json, .xml, .html"),
    ({"stub_coverage": "c"}, "--stub-coverage: unknown report type 'c': end it in"),
    ({"stub_coverage": ""}, "--stub-coverage: unknown report type '': end it in"),
    ({"stub_coverage": "nowhere/c.json"}, "--stub-coverage: cannot write nowhere/c.json: No such file or directory"),
    ({"stub_coverage": "folder.json"}, "--stub-coverage: cannot write folder.json: Is a directory"),
    ({"stub_coverage": "broken.yaml/c.json"}, "--stub-coverage: cannot write broken.yaml/c.json: Not a directory"),
]
URLS: Rows = [
    ({"stub_url": ""}, f"--stub-url: '' is not the URL of a server; {LIKE}"),
    ({"stub_url": "{stub_host}"}, f"--stub-url: '{{stub_host}}' is not the URL of a server; {LIKE}"),
    ({"stub_url": "localhost:8765"}, f"--stub-url: 'localhost:8765' is not the URL of a server; {LIKE}"),
    ({"stub_url": "ftp://127.0.0.1"}, f"--stub-url: 'ftp://127.0.0.1' is not the URL of a server; {LIKE}"),
    ({"stub_url": "http://"}, f"--stub-url: 'http://' is not the URL of a server; {LIKE}"),
    ({"stub_url": "http://:8765"}, f"--stub-url: 'http://:8765' is not the URL of a server; {LIKE}"),
    ({"stub_url": "http://127.0.0.1:0"}, f"--stub-url: 'http://127.0.0.1:0' is not the URL of a server; {LIKE}"),
    ({"stub_url": "http://127.0.0.1:x"}, "--stub-url: 'http://127.0.0.1:x' is no URL: "),
    ({"stub_url": "http://127.0.0.1:99999"}, "--stub-url: 'http://127.0.0.1:99999' is no URL: "),
    ({"stub_url": "http://[::1"}, "--stub-url: 'http://[::1' is no URL: "),
    ({"stub_url": "http://\u2603..de"}, "--stub-url: 'http://\u2603..de' is no URL: Invalid IDNA hostname"),
    ({"stub_url": "http://a\nb:1"}, "--stub-url: 'http://a\\nb:1' is no URL: "),
    ({"stub_url": "http://a b:1"}, f"--stub-url: 'http://a b:1' is not the URL of a server; {LIKE}"),
    ({"stub_url": "{stub}/api/v2"}, f"--stub-url: leave out 'api/v2': each test has a world of its own; {LIKE}"),
    ({"stub_url": "{stub}/~mine/"}, "--stub-url: leave out '~mine/': each test has a world of its own"),
    ({"stub_url": "{stub}?x=1"}, "--stub-url: leave out '?x=1': each test has a world of its own"),
    ({"stub_url": "{stub}/#x"}, "--stub-url: leave out '#x': each test has a world of its own"),
    ({"stub_url": "http://me:secret@{stub_host}"}, "--stub-url: leave out the user and the password; the token goes"),
]
SERVERS: Rows = [
    ({"stub_url": "{nobody}"}, "--stub-url: no stub server answers at {nobody}: "),
    ({"stub_url": "{ssh}"}, "--stub-url: no stub server answers at {ssh}: "),
    ({"stub_url": "https://{stub_host}"}, "--stub-url: no stub server answers at https://{stub_host}: "),
    *(({"stub_url": f"{{{name.strip('/')}}}"}, STRANGER % name.strip("/")) for name in ANSWERS),
]
TOKENS: Rows = [
    ({"stub_token": "x"}, "--stub-token: there is no server to send it to; name one with --stub-url"),
    ({"stub_url": "{guarded}"}, f"--stub-url: {{guarded}} needs its token: give --stub-token, or set {TOKEN_VARIABLE}"),
    ({"stub_url": "{guarded}", "stub_token": "wrong"}, "--stub-token: this is not the token of {guarded}, which it"),
    ({"stub_url": "{guarded}", "stub_token": ""}, "--stub-token: a token is one or more visible ASCII characters"),
    ({"stub_url": "{guarded}", "stub_token": "{token} "}, "--stub-token: a token is one or more visible ASCII"),
    ({"stub_url": "{guarded}", "stub_token": "töken"}, "--stub-token: a token is one or more visible ASCII"),
    ({"stub_url": "{guarded}", "stub_token": "a\nb"}, "--stub-token: a token is one or more visible ASCII"),
]
SHARED: Rows = [
    ({"stub_url": "{stub}", "stub_in_process": True}, "--stub-url: the server runs already, so leave out --stub-in-p"),
    (
        {"stub_url": "{stub}", "stub_fixture": "emty"},
        "--stub-fixture: the server at {stub} refuses it: POST /worlds: Unknown fixture 'emty': use one of default, em",
    ),
    ({"stub_url": "{stub}", "stub_fixture": "wrong.yaml"}, "--stub-fixture: the server at {stub} refuses it: POST"),
    ({"stub_url": "{stub}", "stub_fixture": ""}, "--stub-fixture: the server at {stub} refuses it: POST"),
    ({"stub_url": "{stub}", "stub_fixture": "x" * 900}, "--stub-fixture: the server at {stub} refuses it: POST"),
    ({"stub_url": "{stub}", "stub_coverage": "c.csv"}, "--stub-coverage: unknown report type 'c.csv'"),
]
"""Options that cannot work, and how what is said about them begins."""


@pytest.fixture(autouse=True)
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder in which the table's files are."""
    (tmp_path / "folder.json").mkdir()
    for name, text in {"broken.yaml": "a: [", "wrong.yaml": "nope: 1", "wrong.json": "[]"}.items():
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(TOKEN_VARIABLE, raising=False)


def options_of(urls: dict[str, str], **changed: Any) -> SimpleNamespace:
    filled = {name: value.format(**urls) if isinstance(value, str) else value for name, value in changed.items()}
    return SimpleNamespace(**{**NONE, **filled})


def worlds_of(url: str, token: str | None = None) -> list[str]:
    with closing(Stub(url, token)) as stub:
        return [world["name"] for world in stub.control("GET", "/worlds")["results"]]


def refused(urls: dict[str, str], changed: dict[str, Any], says: str) -> None:
    """Assert that the options are refused in one line, and that nothing is left behind."""
    before = {*Path().iterdir()}
    with pytest.raises(pytest.UsageError) as caught:
        check(options_of(urls, **changed))
    message = str(caught.value)
    assert message.startswith(says.format(**urls))
    assert "\n" not in message or "mistakes:" in message  # those of a fixture have a line each
    assert len(message) < 600
    assert {*Path().iterdir()} == before
    assert worlds_of(urls["stub"]) == []


@pytest.mark.parametrize(("changed", "says"), FIXTURES)
def test_a_fixture_that_cannot_be_loaded_is_refused(urls: dict[str, str], changed: dict[str, Any], says: str) -> None:
    refused(urls, changed, says)


@pytest.mark.parametrize(("changed", "says"), REPORTS)
def test_a_report_that_cannot_be_written_is_refused(urls: dict[str, str], changed: dict[str, Any], says: str) -> None:
    refused(urls, changed, says)


@pytest.mark.parametrize(("changed", "says"), URLS)
def test_a_url_that_is_not_that_of_a_server_is_refused(
    urls: dict[str, str], changed: dict[str, Any], says: str
) -> None:
    refused(urls, changed, says)


@pytest.mark.parametrize(("changed", "says"), SERVERS)
def test_a_server_that_is_no_stub_server_is_refused(urls: dict[str, str], changed: dict[str, Any], says: str) -> None:
    refused(urls, changed, says)


@pytest.mark.parametrize(("changed", "says"), TOKENS)
def test_a_token_that_is_missing_or_wrong_is_refused(urls: dict[str, str], changed: dict[str, Any], says: str) -> None:
    refused(urls, changed, says)


@pytest.mark.parametrize(("changed", "says"), SHARED)
def test_an_option_that_does_not_fit_a_running_server_is_refused(
    urls: dict[str, str], changed: dict[str, Any], says: str
) -> None:
    refused(urls, changed, says)


@pytest.mark.parametrize(
    "changed",
    [{}, {"stub_fixture": "empty"}, {"stub_in_process": True}, {"stub_coverage": "c.JSON"}],
)
def test_what_works_is_left_alone(urls: dict[str, str], changed: dict[str, Any]) -> None:
    """No file is written yet."""
    before = {*Path().iterdir()}
    assert check(options_of(urls, **changed)) is None
    assert {*Path().iterdir()} == before


def test_a_report_of_an_earlier_run_is_left_alone(urls: dict[str, str]) -> None:
    Path("c.json").write_text("before")
    check(options_of(urls, stub_coverage="c.json"))
    assert Path("c.json").read_text() == "before"


def test_a_running_server_is_found(urls: dict[str, str]) -> None:
    """Each run has an id of its own; nothing is left on the server."""
    found = [check(options_of(urls, stub_url="{stub}/", stub_fixture="empty")) for _ in range(2)]
    assert [shared and (shared.url, shared.token, shared.version, shared.warnings) for shared in found] == [
        (urls["stub"], None, __version__, [])
    ] * 2
    assert len({shared and shared.run for shared in found}) == 2
    assert worlds_of(urls["stub"]) == []


@pytest.mark.parametrize("variable", [True, False])
def test_a_guarded_server_takes_its_token(
    urls: dict[str, str], variable: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the option, which comes first, or from the environment."""
    monkeypatch.setenv(TOKEN_VARIABLE, CONTROL_TOKEN if variable else "wrong")
    shared = check(options_of(urls, stub_url="{guarded}", stub_token=None if variable else "{token}"))
    assert shared
    assert shared.token == CONTROL_TOKEN


def test_a_token_in_the_environment_is_checked_too(urls: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TOKEN_VARIABLE, "a b")
    with pytest.raises(pytest.UsageError, match=f"^{TOKEN_VARIABLE}: a token is one or more visible ASCII"):
        check(options_of(urls, stub_url="{guarded}"))
    assert check(options_of(urls)) is None  # nobody needs it


def test_a_server_of_another_version_is_used_with_a_warning(
    urls: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(options, "__version__", "9.9")
    shared = check(options_of(urls, stub_url="{stub}"))
    assert shared
    says = f"the stub server at {urls['stub']} has version {__version__}, but this plugin has 9.9"
    assert shared.warnings == [says]


def test_coverage_of_a_shared_server_begins_with_the_run(urls: dict[str, str]) -> None:
    with closing(Stub(urls["guarded"], CONTROL_TOKEN)) as stub:
        world = stub.world("of-others")
        world.client().get("/feature/")
        shared = check(options_of(urls, stub_url="{guarded}", stub_token="{token}"))
        assert isinstance(shared, Shared)
        world.client().get("/category/")
        called = {found["operation"] for found in shared.covered()["operations"] if found["requests"]}
        assert called == {"list_categories"}


def test_the_options_that_were_given_are_named() -> None:
    assert given(SimpleNamespace(**NONE)) == given(SimpleNamespace()) == []
    some = SimpleNamespace(**{**NONE, "stub_url": "", "stub_in_process": True})
    assert given(some) == ["--stub-url", "--stub-in-process"]


def test_an_option_that_something_else_declares_is_named() -> None:
    error = argparse.ArgumentError(None, "conflicting option string: --stub-url")
    assert str(clash(error)) == (
        "--stub-url is an option of the pytest plugin stubserver and of something else: "
        "rename the other one, or switch the plugin off with -p no:stubserver"
    )
    other = ValueError("option names {'--other'} already added")
    assert clash(other) is other
