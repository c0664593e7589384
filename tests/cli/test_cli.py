"""The command as people run it: what it prints, what its options do, and what it says about mistakes."""

import json
import socket
import subprocess
import sys
import time
import warnings
from functools import partial
from pathlib import Path

import httpx
import jwt
import pytest
import yaml
from jwt.warnings import InsecureKeyLengthWarning

from stubserver import __version__
from stubserver.cli import main
from stubserver.contract.contract import Contract
from stubserver.contract.versions import as_openapi_31
from tests.sources import ROOT
from tests.support.commands import CLEAN, PATIENCE, Served, invoke, run, until
from tests.support.control import CONTROL
from tests.support.engines import free_port

pytestmark = pytest.mark.slow

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


def test_spec_prints_either_contract_in_either_version(contract: Contract) -> None:
    """The versions are compared in tests/contract/test_versions.py."""
    for options, printed in (
        (("--control",), CONTROL.document),
        (("--openapi", "3.1"), as_openapi_31(contract.document)),
    ):
        status, out, err = invoke("spec", *options)
        assert (status, err) == (0, "")
        assert json.loads(out) == printed


# Options


@pytest.mark.parametrize(
    ("host", "public_url", "is_private"),
    [
        ("127.0.0.1", None, True),
        ("::1", "http://localhost:5173/stub", True),
        ("localhost", "https://[::1]:8443", True),
        ("0.0.0.0", None, False),
        ("0.0.0.0", "http://localhost:5173", False),
        ("127.0.0.1", "https://dev.example/stub", False),
        ("127.0.0.1", "https://localhost.evil.example", False),
    ],
)
def test_a_token_is_generated_unless_only_this_machine_can_come_in(
    host: str, public_url: str | None, is_private: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Through a proxy of a public URL, others can."""
    given: dict[str, str | None] = {}

    def create_app(_: str, **options: str | None) -> None:
        given.update(options)
        raise ValueError

    monkeypatch.setattr("stubserver.app.create_app", create_app)
    with pytest.raises(SystemExit):
        main(["serve", "--host", host, *(["--public-url", public_url] if public_url else [])])
    assert (given["control_token"] is None) == is_private


def test_another_fixture(custom: Served) -> None:
    assert json.loads(custom.log[0])["fixture"] == "empty"
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


def test_origins_that_are_named_may_use_the_control_plane(plain: Served, custom: Served) -> None:
    origin = "https://control.example"
    status, headers, _ = custom.ask("GET", "/__stub/worlds", Origin=origin)
    assert (status, headers["access-control-allow-origin"]) == (200, origin)
    for served, other in ((custom, "https://one.example"), (plain, origin)):
        assert served.ask("GET", "/__stub/worlds", Origin=other)[0] == 403


# Mistakes


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--fixture", "nope"], "default, empty"),
        (["--fixture", ""], "unknown fixture '': use one of default, empty"),
        (["--fixture", "{folder}"], "use one of default, empty, or a file"),
        (["--fixture-dir", "{folder}/nope"], "nope: No such file or directory"),
        (["--fixture-dir", "{folder}/broken.yaml"], "is a file"),
        (["--fixture-dir", ""], "it is empty; the current folder is written as ."),
        (["--fixture-dir", "{folder}"], "users.0.role"),
        (["--watch"], "--watch has nothing to watch: name a file with --fixture"),
        (["--watch", "--fixture-dir", "{folder}", "--store", "sqlite:{folder}/w.db"], "users.0.role"),
        (["--fixture", "{folder}/broken.yaml"], "users.0.role"),
        (["--port", "{taken}"], "port {taken}"),
        (["--port", "99999"], "--port"),
        (["--port", "abc"], "--port"),
        (["--seed", "-1"], "--seed"),
        (["--log-format", "xml"], "--log-format"),
        (["--cors-origin", "app.example"], "is not an origin: write it as https://app.example"),
        (["--control-origin", "app.example"], "--control-origin: 'app.example' is not an origin: write it as https://"),
        (["--control-origin", "*"], "without a path; * and null are not allowed here"),
        (["--control-origin", "null"], "without a path; * and null are not allowed here"),
        (["--control-origin", "https://a.example/x"], "write it as https://a.example, without a path"),
        (["--control-origin", "https://a.example", "--control-origin", ""], "--control-origin: '' is not an origin"),
        (["--control-origins", "https://a.example"], "--control-origin"),
        (["--allowed-host", "http://stub:8765"], "--allowed-host: 'http://stub:8765' is not the name of a host"),
        (["--allowed-host", "stub", "--allowed-host", ""], "--allowed-host: '' is not the name of a host"),
        (["--allowed-hosts", "stub"], "--allowed-host"),
        (
            ["--public-url", "dev.example"],
            "--public-url: 'dev.example' is not a URL such as https://dev.example/stub: ",
        ),
        (["--public-url", "https://a.example/?q"], "it must have no query and no fragment"),
        (["--forwarded-allow-ips", "localhost"], "--forwarded-allow-ips: 'localhost' is not an address such as"),
        (
            ["--forwarded-allow-ips", ""],
            "--forwarded-allow-ips: '' is not an address such as 10.0.0.7, a network such as",
        ),
        (["--host", "not a name"], "cannot listen on not a name port"),
        (["--control-token", ""], "the control token must not be empty"),
        (["--control-token", "", "--host", "0.0.0.0"], "the control token must not be empty"),
        (["--control-token", "a b"], "printable ASCII without blanks"),
        (["--metrics-token", ""], "the metrics token must not be empty"),
        (["--metrics-token", "a b"], "printable ASCII without blanks"),
        (["--quiet", "--port", "0"], "--quiet does not print the port that is picked here: name one with --port"),
        (["--quiet", "--host", "0.0.0.0"], "--quiet does not print the token of the control plane that is made up"),
        (["--workers", "2"], "--workers 2 needs a store that processes share: use --store sqlite:PATH or"),
        (["--workers", "2", "--store", "memory:"], "--workers 2 needs a store that processes share"),
        (["--workers", "0"], "'--workers' (env var: 'STUBSERVER_WORKERS'): 0 is not in the range 1<=x<=64"),
        (["--workers", "65"], "65 is not in the range 1<=x<=64"),
        (["--workers", "many"], "'many' is not a valid integer"),
        (["--worker", "2"], "--workers"),
        (["--store", "nowhere:"], "'nowhere' is no kind of store: use one of memory:, sqlite:PATH"),
        (["--store", ""], "a store is named by a URL: use one of memory:, sqlite:PATH"),
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
            status, (out, err) = int(ended.value.code or 0), capsys.readouterr()
    assert (status, out) == (2, "")
    assert says.format(**known) in err
    assert "Traceback" not in err
    if "Usage:" not in err:
        assert len(err.splitlines()) == 1
        assert err.startswith("stubserver: ")


# For machines


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--fixture", ""], "unknown fixture '': use one of default, empty"),
        (
            ["--port", "abc"],
            "Invalid value for '--port' (env var: 'STUBSERVER_PORT'): 'abc' is not a valid integer range.",
        ),
        (["--nope"], "No such option '--nope'."),
        (["extra"], "Got unexpected extra argument (extra)"),
        (["--workers", "2"], "--workers 2 needs a store that processes share: use --store sqlite:PATH or"),
        (["--control-token", ""], "the control token must not be empty"),
        (["--quiet", "--port", "0"], "--quiet does not print the port that is picked here"),
    ],
    ids=lambda part: " ".join(part) if isinstance(part, list) else "",
)
@pytest.mark.parametrize("how", ["before", "after", "joined", "environment"])
def test_a_mistake_is_one_line_of_json(arguments: list[str], says: str, how: str) -> None:
    """However JSON was asked for, and although the arguments are wrong."""
    json_log = ["--log-format=json"] if how == "joined" else ["--log-format", "json"]
    given = {"after": [*arguments, *json_log], "environment": arguments}.get(how, [*json_log, *arguments])
    more = {"STUBSERVER_LOG_FORMAT": "json"} if how == "environment" else {}
    status, out, err = invoke("serve", *given, **more)
    assert (status, out) == (2, "")
    (line,) = map(json.loads, err.splitlines())
    assert [*line] == ["time", "level", "message"]
    assert line["level"] == "error"
    assert line["message"].startswith(says), line


def test_a_wrong_format_is_told_to_people() -> None:
    status, _, err = invoke("serve", "--log-format", "jsonl")
    assert status == 2
    assert err.startswith("Usage: ")


@pytest.mark.parametrize("form", ["text", "json"])
def test_quiet_logs_errors_alone(tmp_path: Path, form: str) -> None:
    """No request, not even one that is refused; but whatever went wrong in the server itself."""
    port = free_port()
    script = "import logging; from stubserver.serving import server; before = server.config\n"
    script += "server.config = lambda app: (logging.error('it broke'), before(app))[1]\n"
    script += "from stubserver.cli import main; main()"
    arguments = ["serve", "--quiet", "--log-format", form, "--port", str(port)]
    with (tmp_path / "err").open("w") as err:
        process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", script, *arguments], cwd=ROOT, env=CLEAN, stdout=err, stderr=err
        )
    try:
        until(partial(answers, port))
    finally:
        process.terminate()
        process.wait(PATIENCE)
    lines = (tmp_path / "err").read_text().splitlines()
    assert [json.loads(line)["message"] if form == "json" else line for line in lines] == ["it broke"]


def answers(port: int) -> bool:
    """Whether a server answers at a port, with a refusal."""
    try:
        return httpx.get(f"http://127.0.0.1:{port}/api/v2/nowhere/").status_code == 404
    except httpx.TransportError:
        return False
