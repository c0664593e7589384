"""The command as people run it: what it prints, what it logs, how it ends, and what it says to mistakes."""

import contextlib
import http.client
import json
import re
import signal
import socket
import subprocess
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
import yaml
from jwt.warnings import InsecureKeyLengthWarning

from stubserver import __version__
from stubserver.app import StubServer
from stubserver.cli import main
from stubserver.contract.contract import Contract
from stubserver.settings import Settings
from stubserver.worlds.world import Fixture
from tests.sources import ROOT
from tests.support.client import Api
from tests.support.commands import CLEAN, COMMAND, PATIENCE
from tests.support.default import PERSONAS


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The command, run to its end."""
    return subprocess.run(
        [*COMMAND, *arguments], cwd=ROOT, env=CLEAN, capture_output=True, text=True, timeout=PATIENCE, check=False
    )


class Served:
    """A running server of its own process."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.out, self.err = folder / "out", folder / "err"
        with self.out.open("w") as out, self.err.open("w") as err:
            self.process = subprocess.Popen(
                [*COMMAND, "serve", "--port", "0", *arguments], cwd=ROOT, env=CLEAN, stdout=out, stderr=err
            )
        self.wait_for(lambda: "openapi.json" in self.banner and self.banner.endswith("\n"))
        (self.url,) = re.findall(r"(http://127\.0\.0\.1:[0-9]+)/api/v2/\n", self.banner)

    @property
    def banner(self) -> str:
        return self.out.read_text()

    @property
    def log(self) -> list[str]:
        return self.err.read_text().split("\n")[:-1]

    def wait_for(self, condition: Any) -> None:
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert self.process.poll() is None, self.err.read_text()
            assert time.monotonic() < deadline, self.err.read_text()
            time.sleep(0.02)

    def ask(self, method: str, target: str, timeout: float = 20, **headers: str) -> tuple[int, dict[str, str], bytes]:
        """Send the target as it is, without a client's own ideas about it."""
        connection = http.client.HTTPConnection(self.url.removeprefix("http://"), timeout=timeout)
        with contextlib.closing(connection):
            connection.request(method, target, headers=headers)
            response = connection.getresponse()
            found = {name.lower(): value for name, value in response.getheaders()}
            return response.status, found, response.read()

    def asked(self, method: str, target: str, **headers: str) -> str:
        """The log line, which must be one, of a request."""
        before = len(self.log)
        self.ask(method, target, **headers)
        self.wait_for(lambda: len(self.log) > before)
        lines = self.log[before:]
        assert len(lines) == 1, lines
        return lines[0]

    def end(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server with nothing but defaults."""
    with contextlib.ExitStack() as stack:
        served = Served(tmp_path_factory.mktemp("plain"))
        stack.callback(served.end)
        yield served


@pytest.fixture(scope="module")
def custom(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server with every option."""
    options = ["--host", "127.0.0.1", "--fixture", "empty", "--seed", "7", "--jwt-secret", "a secret"]
    options += ["--cors-origin", "https://one.example", "--cors-origin", "https://two.example", "--log-format", "json"]
    with contextlib.ExitStack() as stack:
        served = Served(tmp_path_factory.mktemp("custom"), *options)
        stack.callback(served.end)
        yield served


# Printing


def test_version() -> None:
    done = run("--version")
    assert (done.returncode, done.stderr) == (0, "")
    assert __version__ in done.stdout


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], ["serve", "--help"], ["spec", "--help"]])
def test_help(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert not ended.value.code
    assert "Usage:" in capsys.readouterr().out


def test_spec_prints_the_contract_as_json(contract: Contract) -> None:
    done = run("spec")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == contract.document


def test_spec_prints_the_contract_as_yaml(contract: Contract) -> None:
    done = run("spec", "--format", "yaml")
    assert (done.returncode, done.stderr) == (0, "")
    assert yaml.safe_load(done.stdout) == contract.document


def test_the_banner_tells_a_newcomer_all(plain: Served) -> None:
    assert __version__ in plain.banner
    assert f"{plain.url}/docs/" in plain.banner
    assert f"{plain.url}/openapi.json" in plain.banner
    for persona in PERSONAS:
        assert f"stub-{persona}" in plain.banner


def test_the_curl_line_works_when_pasted(plain: Served) -> None:
    (line,) = (line.strip() for line in plain.banner.splitlines() if line.strip().startswith("curl "))
    done = subprocess.run(["bash", "-c", line], capture_output=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stderr
    page = json.loads(done.stdout)
    assert len(page["results"]) == 3
    assert page["next"].startswith(plain.url)
    assert page["results"][0]["join_status"] == "creator"


# Logging


@pytest.mark.parametrize(
    ("method", "target", "token", "status", "persona", "reason"),
    [
        ("GET", "/api/v2/course/search/?limit=3", "", 200, "anonymous", None),
        ("GET", "/api/v2/course/1/status/", "stub-member", 200, "stub-member", None),
        ("HEAD", "/openapi.json", "", 200, "anonymous", None),
        ("GET", "/api/v2/course/1/?view=edit", "stub-member", 403, "stub-member", "manager"),
        ("GET", "/api/v2/course/99/", "stub-member", 404, "stub-member", "Course 99"),
        ("GET", "/api/v2/course/", "", 401, "anonymous", "credentials"),
        ("GET", "/api/v2/course/", "stub-nobody", 401, "anonymous", "Unknown token"),
        ("GET", "/api/v2/course/?limit=0", "stub-member", 400, "stub-member", "limit: "),
        ("GET", "/api/v2/nowhere/", "", 404, "anonymous", "No such path"),
        ("GET", "/api/v2/course", "", 404, "anonymous", "slash"),
        ("PUT", "/api/v2/course/", "", 405, "anonymous", "GET, HEAD, POST"),
        ("GET", "/upfiles/courses/huge/a.png", "", 404, "anonymous", "No such path"),
    ],
)
def test_every_request_is_one_line(
    plain: Served, method: str, target: str, token: str, status: int, persona: str, reason: str | None
) -> None:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    line = plain.asked(method, target, **headers)
    found = re.fullmatch(r"(\S+) +(\S+) ([0-9]{3}) ([0-9]+\.[0-9]) ms (\S+?)(?: default-[0-9]+)?(?: - (.+))?", line)
    assert found, line
    assert found.group(1, 2, 3, 5) == (method, target, str(status), persona)
    assert (found[6] is None) == (reason is None)
    assert reason is None or reason in found[6]


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({"Accept": "text/html"}, "Accept"),
        ({"Origin": "http://evil.example", "Access-Control-Request-Method": "GET"}, "evil.example"),
    ],
    ids=["406", "preflight"],
)
def test_refusals_before_the_api_say_why(plain: Served, headers: dict[str, str], reason: str) -> None:
    method = "OPTIONS" if "Origin" in headers else "GET"
    line = plain.asked(method, "/api/v2/course/1/", **headers)
    assert re.search(rf" (400|406) .* - .*{reason}", line), line


FORGED = "/api/v2/x%0AGET%20%20%20%20/forged%20200%201.0%20ms%20admin%0D%1B[2J%C2%85/"


def test_a_path_cannot_forge_a_line(plain: Served) -> None:
    line = plain.asked("GET", FORGED)
    assert line.startswith("GET    /api/v2/x")
    assert " 404 " in line
    assert not re.search(r"[\x00-\x1f\x7f-\x9f]", line)


def test_the_json_log_is_one_object_for_each_line(custom: Served) -> None:
    fine = json.loads(custom.asked("GET", "/api/v2/course/search/?limit=3", Authorization="Bearer stub-member"))
    assert fine.pop("ms") >= 0
    target = "/api/v2/course/search/?limit=3"
    assert re.fullmatch("default-[0-9]+", fine.pop("request"))
    assert fine == {"method": "GET", "path": target, "status": 200, "persona": "stub-member"}
    absent = json.loads(custom.asked("GET", "/api/v2/course/1/"))
    assert (absent["status"], absent["persona"]) == (404, "anonymous")
    assert "Course 1 " in absent["reason"]
    assert "\n" in json.loads(custom.asked("GET", FORGED))["path"]


# Options


def test_another_fixture(custom: Served) -> None:
    assert "fixture empty" in custom.banner
    assert json.loads(custom.ask("GET", "/api/v2/course/search/")[2])["count"] == 0


def test_jwts_are_accepted_once_a_secret_is_given(plain: Served, custom: Served) -> None:
    now = int(time.time())
    claims = {"user_id": 3, "token_type": "access", "jti": "1", "iat": now, "exp": now + 600}
    with warnings.catch_warnings(category=InsecureKeyLengthWarning, action="ignore"):
        text = jwt.encode(claims, "a secret", algorithm="HS256")
    assert custom.ask("GET", "/api/v2/course/", Authorization=f"Bearer {text}")[0] == 200
    assert plain.ask("GET", "/api/v2/course/", Authorization=f"Bearer {text}")[0] == 401


def test_origins_that_are_named_may_call(plain: Served, custom: Served) -> None:
    for origin in ("https://one.example", "https://two.example"):
        name = "access-control-allow-origin"
        assert custom.ask("GET", "/api/v2/course/search/", Origin=origin)[1][name] == origin
        assert name not in plain.ask("GET", "/api/v2/course/search/", Origin=origin)[1]


def test_the_log_holds_nothing_but_requests(plain: Served, custom: Served) -> None:
    """No warning of a library and no traceback, after all of the above."""
    for line in plain.log:
        assert re.match(r"[A-Z]+ +/.* [0-9]{3} [0-9.]+ ms ", line), line
    for line in custom.log:
        assert {"method", "path", "status", "ms", "persona"} <= set(json.loads(line)), line


def test_the_seed_changes_picture_addresses_and_nothing_else(
    contract: Contract, default_fixture: Fixture, runner: Any
) -> None:
    apps = [
        Api(StubServer(contract, default_fixture, Settings(seed=number)), runner, "creator") for number in (0, 7, 7)
    ]
    differ = set()
    for operation in contract.operations.values():
        if operation.method != "get":
            continue
        zero, seven, again = (api.get(operation.path.replace("{id}", "1")).text for api in apps)
        assert seven == again
        differ |= {operation.id} if zero != seven else set()
        pictures = re.compile(r"(/upfiles/[a-z]+/[a-z]+/[^\"]*)_[0-9]{4}\.png")
        assert pictures.sub(r"\1", zero) == pictures.sub(r"\1", seven)
    assert "get_course" in differ


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("HOST", "::1", "::1"),
        ("PORT", "4321", 4321),
        ("FIXTURE", "empty", "empty"),
        ("SEED", "5", 5),
        ("JWT_SECRET", "s", "s"),
        ("CORS_ORIGIN", "https://a.example https://b.example", ("https://a.example", "https://b.example")),
        ("LOG_FORMAT", "json", "json"),
    ],
)
def test_every_option_has_its_environment_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, text: str, value: Any
) -> None:
    """As `serve --help` promises: STUBSERVER_PORT for --port. What the command line says goes first."""
    monkeypatch.setenv(f"STUBSERVER_{name}", text)
    above = main.make_context("stubserver", ["serve"])
    serve = main.commands["serve"]
    assert serve.make_context("serve", [], parent=above).params[name.lower()] == value


# Mistakes


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--fixture", "nope"], "default, empty"),
        (["--fixture", "{folder}/broken.yaml"], "users.0.role"),
        (["--port", "{taken}"], "port {taken}"),
        (["--port", "99999"], "--port"),
        (["--port", "abc"], "--port"),
        (["--seed", "-1"], "--seed"),
        (["--log-format", "xml"], "--log-format"),
        (["--nope"], "--nope"),
        (["extra"], "extra"),
    ],
    ids=lambda part: " ".join(part) if isinstance(part, list) else "",
)
def test_a_mistake_is_told_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], says: str
) -> None:
    broken = {
        "name": "b",
        "users": [{"id": 1, "username": "a", "real_name": "A", "date_joined": "-1d", "role": "boss"}],
    }
    (tmp_path / "broken.yaml").write_text(yaml.safe_dump(broken))
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        known = {"folder": str(tmp_path), "taken": str(listener.getsockname()[1])}
        filled = [argument.format(**known) for argument in arguments]
        real = any(name in " ".join(arguments) for name in ("{", "nope"))  # the others end before anything is loaded
        if real:
            done = run("serve", *filled)
            status, out, err = done.returncode, done.stdout, done.stderr
        else:
            with pytest.raises(SystemExit) as ended:
                main(["serve", *filled])
            status, (out, err) = ended.value.code, capsys.readouterr()
    assert (status, out) == (2, "")
    assert says.format(**known) in err
    assert "Traceback" not in err
    if "Usage:" not in err:
        assert len(err.splitlines()) == 1
        assert err.startswith("stubserver: ")


# Ending


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_quietly(tmp_path: Path, number: signal.Signals) -> None:
    served = Served(tmp_path)
    try:
        assert served.ask("GET", "/openapi.json")[0] == 200
        served.process.send_signal(number)
        status = served.process.wait(PATIENCE)
    finally:
        served.end()
    assert status in (0, 128 + number, -number)
    assert number != signal.SIGINT or status in (0, 130)
    assert len(served.log) == 1


def test_the_docs_do_not_stop_the_server(tmp_path: Path) -> None:
    """Their files go out by another way than the answers of the API."""
    served = Served(tmp_path)
    try:
        assert served.ask("GET", "/docs/")[0] == 200
        for file, kind in (("swagger-ui.css", "text/css"), ("swagger-ui-bundle.js", "javascript")):
            status, headers, body = served.ask("GET", f"/docs/{file}", timeout=8)
            assert (status, len(body)) == (200, int(headers["content-length"]))
            assert kind in headers["content-type"]
        assert served.ask("GET", "/api/v2/course/search/")[0] == 200
    finally:
        served.end()
