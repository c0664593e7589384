"""`stubserver serve --import FILE --export-on-exit FILE`: worlds that outlive the process, and mistakes."""

import contextlib
import json
import re
import signal
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from tests.support.commands import COMMAND, PATIENCE, Served, invoke, told
from tests.support.tokens import APP, ASKED, CALLBACK, CHALLENGES, REVOKE, TOKEN, VERIFIER, WREN

pytestmark = pytest.mark.slow

LIMITED = ["sh", "-c", 'ulimit -f 16 && exec "$@"', "sh", *COMMAND, "serve"]
"""The command with files of at most 8,192 bytes."""


class Server:
    """A server in a process of its own, as a context manager; it exports to `w.json` in a folder."""

    def __init__(self, folder: Path, *options: str, command: Sequence[str] = (*COMMAND, "serve")) -> None:
        self.file = folder / "w.json"
        self._served = Served(folder, "--export-on-exit", str(self.file), *options, command=command)
        self._client = httpx.Client(base_url=self._served.url, timeout=PATIENCE)
        self.ask = self._client.request
        self.url = self._served.url

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()
        self._served.end()

    def send(self, number: signal.Signals) -> None:
        self._served.process.send_signal(number)

    def listens(self) -> bool:
        address = urlsplit(self.url)
        with contextlib.suppress(ConnectionRefusedError), socket.create_connection((address.hostname, address.port)):
            return True
        return False

    def wait_for(self, condition: Any) -> None:
        self._served.wait_for(condition)

    def end(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, list[str]]:
        """End it with a signal; return its exit status and what it said that is no request."""
        self.send(number)
        status = self._served.process.wait(PATIENCE)
        return status, [line for line in self._served.log if not re.match(r"[A-Z]+ +/", line)]


def rename(server: Server, name: str, world: str = "w") -> None:
    headers = {"Authorization": "Bearer stub-creator"}
    server.ask("PATCH", f"/~{world}/api/v2/course/1/", json={"name": name}, headers=headers).raise_for_status()


def name_in(server: Server, world: str = "w") -> str:
    name: str = server.ask("GET", f"/~{world}/api/v2/course/1/").json()["name"]
    return name


ENDED = {signal.SIGTERM: {-signal.SIGTERM, 128 + signal.SIGTERM}, signal.SIGINT: {0, 130}}
"""Signal -> the exit status after it."""


@pytest.mark.parametrize("number", ENDED)
def test_worlds_outlive_the_process(tmp_path: Path, number: signal.Signals) -> None:
    """The pair of options, from an empty start on; what the second run changes is in the third."""
    pair = ["--import", str(tmp_path / "w.json")]
    for name, before in (("First", "Watercolour for Absolute Beginners"), ("Second", "First"), ("Third", "Second")):
        with Server(tmp_path, *pair) as server:
            assert name_in(server) == before
            rename(server, name)
            server.ask("PATCH", "/__stub/worlds/w", json={"strict": True}).raise_for_status()
            assert server.end(number) in [(status, []) for status in ENDED[number]]
    (world,) = json.loads((tmp_path / "w.json").read_text())["worlds"]
    assert (world["name"], world["strict"]) == ("w", True)
    assert not [*tmp_path.glob(".*")]


def test_without_requests_there_is_a_file_without_worlds(tmp_path: Path) -> None:
    with Server(tmp_path) as server:
        server.end()
        assert json.loads(server.file.read_text())["worlds"] == []


def test_whoever_was_signed_in_still_is(tmp_path: Path) -> None:
    """R713-R715, R717: an access token, a refresh token, a code; and what was revoked stays so."""

    def pair(server: Server, **body: str) -> httpx.Response:
        return server.ask("POST", f"/~w{TOKEN}", json={**APP, **body})

    def me(server: Server, token: str) -> int:
        return server.ask("GET", "/~w/api/v2/user/me/", headers={"Authorization": f"Bearer {token}"}).status_code

    with Server(tmp_path) as server:
        first, second, gone = (pair(server, **WREN).json() for _ in range(3))
        server.ask("POST", f"/~w{REVOKE}", json={**APP, "token": gone["access_token"]})
        challenge = {"code_challenge": CHALLENGES["S256"], "code_challenge_method": "S256"}
        answer = server.ask("GET", "/~w/oauth/authorize/", params={**ASKED, **challenge})
        code = dict(parse_qsl(urlsplit(answer.headers["location"]).query))["code"]
        # Codes expire after a minute, which the machine may take.
        server.ask("POST", "/~w/__stub/clock/freeze").raise_for_status()
        server.end()
    with Server(tmp_path, "--import", str(tmp_path / "w.json")) as server:
        assert [me(server, one["access_token"]) for one in (first, second, gone)] == [200, 200, 401]
        again = {"grant_type": "refresh_token", "refresh_token": second["refresh_token"]}
        assert me(server, pair(server, **again).json()["access_token"]) == 200
        used = {"grant_type": "authorization_code", "code": code, "code_verifier": VERIFIER, "redirect_uri": CALLBACK}
        assert me(server, pair(server, **used).json()["access_token"]) == 200
        assert [pair(server, **body).status_code for body in (again, used)] == [400, 400]


def test_a_second_signal_loses_no_world(tmp_path: Path) -> None:
    """It ends the server at once, but for this."""
    with Server(tmp_path) as server:
        rename(server, "Saved")
        address = urlsplit(server.url)
        with socket.create_connection((address.hostname, address.port), PATIENCE) as client:
            client.sendall(b"GET /api/v2/category/?__wait=60 HTTP/1.1\r\nHost: localhost\r\n\r\n")
            name_in(server)
            server.send(signal.SIGTERM)
            server.wait_for(lambda: not server.listens())
            server.end(signal.SIGINT)
        assert '"name":"Saved"' in server.file.read_text()


@pytest.mark.untraced  # the tracer could not write its file either
def test_a_file_that_cannot_be_written_in_the_end(tmp_path: Path) -> None:
    """One line, exit status 1, and the old file is as it was."""
    with Server(tmp_path) as server:
        server.end()
    before = server.file.read_bytes()
    with Server(tmp_path, command=LIMITED) as server:
        for number in range(50):
            rename(server, f"{number}", f"w{number}")
        status, said = server.end()
    assert (status, said) == (1, [f"stubserver: --export-on-exit: cannot write {server.file}: File too large"])
    assert server.file.read_bytes() == before
    assert not [*tmp_path.glob(".*")]


# Mistakes


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with files to give by mistake."""
    monkeypatch.chdir(tmp_path)
    Path("empty.json").touch()
    Path("text.json").write_text("worlds\n")
    Path("binary.json").write_bytes(b"\xff\x00")
    Path("list.json").write_text("[]")
    Path("mine.yaml").write_text("name: mine\nusers: []\n")
    Path("mine.json").write_text('{"name": "mine", "users": []}')
    Path("snapshot.json").write_text('{"tables": {}}')
    Path("case.json").write_text('{"requests": []}')
    Path("folder").mkdir()
    return tmp_path


NO_IMPORT, NO_EXPORT = "stubserver: --import: cannot read", "stubserver: --export-on-exit: cannot write"
VALUE = "Error: Invalid value for '--{}' (env var: 'STUBSERVER_{}'):"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        # options
        ("--imprt w.json", "Error: No such option '--imprt'. (Did you mean one of: '--import', ..."),
        ("--export w.json", "Error: No such option '--export'. (Did you mean one of: '--export-on-exit', ..."),
        ("--export-at-exit w.json", "Error: No such option '--export-at-exit'. Did you mean '--export-on-exit'?"),
        ("--import", "Error: Option '--import' requires an argument."),
        ("--export-on-exit", "Error: Option '--export-on-exit' requires an argument."),
        ("--import=", f"{VALUE.format('import', 'IMPORT')} it is empty; ..."),
        ("--export-on-exit=", f"{VALUE.format('export-on-exit', 'EXPORT_ON_EXIT')} it is empty; ..."),
        ("--import folder", f"{VALUE.format('import', 'IMPORT')} File 'folder' is a directory."),
        (
            "--export-on-exit folder",
            f"{VALUE.format('export-on-exit', 'EXPORT_ON_EXIT')} File 'folder' is a directory.",
        ),
        # files to import
        ("--import none.json", f"{NO_IMPORT} none.json: No such file or directory"),
        ("--import none.json --export-on-exit other.json", f"{NO_IMPORT} none.json: No such file or directory"),
        ("--import mine.yaml/w.json", f"{NO_IMPORT} mine.yaml/w.json: Not a directory"),
        ("--import empty.json", f"{NO_IMPORT} empty.json: this is no JSON: ..."),
        ("--import empty.json --export-on-exit empty.json", f"{NO_IMPORT} empty.json: this is no JSON: ..."),
        ("--import text.json", f"{NO_IMPORT} text.json: this is no JSON: ..."),
        ("--import binary.json", f"{NO_IMPORT} binary.json: this is no JSON: ..."),
        ("--import list.json", f"{NO_IMPORT} list.json: this is not the file of all worlds of a server"),
        ("--import mine.yaml", f"{NO_IMPORT} mine.yaml: this is no JSON: ..."),
        ("--import mine.json", f"{NO_IMPORT} mine.json: this is a fixture: start a server with --fixture FILE"),
        (
            "--import snapshot.json",
            f"{NO_IMPORT} snapshot.json: this is the snapshot of one world: load it into a running server with "
            "`stubserver snapshot put FILE`",
        ),
        ("--import case.json", f"{NO_IMPORT} case.json: this is a case: send its requests again with ..."),
        # files to export to
        ("--export-on-exit none/w.json", f"{NO_EXPORT} none/w.json: No such file or directory"),
        ("--export-on-exit mine.yaml/w.json", f"{NO_EXPORT} mine.yaml/w.json: Not a directory"),
        ("--export-on-exit /dev/null", f"{NO_EXPORT} /dev/null: it is not a regular file"),
        ("--import none/w.json --export-on-exit none/w.json", f"{NO_EXPORT} none/w.json: No such file or directory"),
    ],
)
def test_a_mistake_is_told_before_the_server_listens(folder: Path, arguments: str, says: str) -> None:
    """The port is taken, and nobody is told; the files stay as they are."""
    before = {file: file.is_file() and file.read_bytes() for file in folder.iterdir()}
    with socket.create_server(("127.0.0.1", 0)) as taken:
        status, out, err = invoke("serve", "--port", str(taken.getsockname()[1]), *arguments.split())
    assert (status, out) == (2, "")
    assert told(err, says), err
    assert {file: file.is_file() and file.read_bytes() for file in folder.iterdir()} == before


def test_the_variables_name_files_too(folder: Path) -> None:
    assert told(invoke("serve", STUBSERVER_IMPORT="none.json")[2], f"{NO_IMPORT} none.json: No such file or directory")
    assert told(invoke("serve", STUBSERVER_EXPORT_ON_EXIT="/dev/null")[2], f"{NO_EXPORT} /dev/null: it is not a ...")


def test_a_file_of_a_fixture_that_the_server_has_not(folder: Path) -> None:
    """And then with that fixture."""
    with Server(folder, "--fixture", str(folder / "mine.yaml")) as server:
        server.ask("POST", "/__stub/worlds", json={"name": "w"}).raise_for_status()
        server.end()
    status, out, err = invoke("serve", "--import", "w.json")
    assert (status, out) == (2, "")
    assert told(err, f"{NO_IMPORT} w.json: worlds.0 (w): Unknown fixture 'mine': use one of default, empty")
    with Server(folder, "--fixture", str(folder / "mine.yaml"), "--import", str(folder / "w.json")) as server:
        assert server.ask("GET", "/__stub/worlds/w").json()["fixture"] == "mine"
