"""The server as a process: what it prints and logs, and how it ends."""

import contextlib
import http.client
import json
import logging
import os
import re
import shlex
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from stubserver import __version__
from stubserver.app import create_app
from stubserver.lane import connection
from stubserver.serving import server
from stubserver.serving.background import Background
from stubserver.serving.banner import banner
from tests.sources import ROOT
from tests.support.commands import CLEAN, COMMAND, PATIENCE, Served
from tests.support.default import PERSONAS

pytestmark = pytest.mark.slow

# The banner


def test_the_banner_tells_a_newcomer_all(plain: Served) -> None:
    assert __version__ in plain.banner
    assert f"{plain.url}/docs/" in plain.banner
    assert f"{plain.url}/openapi.json" in plain.banner
    for persona in PERSONAS:
        assert f"stub-{persona}" in plain.banner


def test_the_banner_tells_how_to_send_the_token() -> None:
    """To tools, and in a browser; on loopback, where none is needed, it says nothing of it."""
    text = banner(create_app(control_token="t0ken"), "http://10.0.0.7")
    assert "Authorization: Bearer t0ken" in text
    assert "in a browser: any name, the token as the password" in text
    assert "in a browser" not in banner(create_app(), "http://127.0.0.1")


def test_the_curl_line_works_when_pasted(plain: Served) -> None:
    (line,) = (line.strip() for line in plain.banner.splitlines() if line.strip().startswith("curl "))
    before = len(plain.log)
    done = subprocess.run(["bash", "-c", line], capture_output=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stderr
    plain.wait_for(lambda: len(plain.log) > before)
    page = json.loads(done.stdout)
    assert len(page["results"]) == 3
    assert page["next"].startswith(plain.url)
    assert page["results"][0]["join_status"] == "creator"


# Readiness


def test_a_signal_makes_the_server_unready() -> None:
    app = create_app("empty")
    server.Server(app).handle_exit(signal.SIGTERM, None)
    assert app._parts.life.is_ending


def test_a_parent_makes_its_worker_unready() -> None:
    """It speaks through a pipe."""
    app, (theirs, ours) = create_app("empty"), os.pipe()
    worker = server._WorkerServer(app, None, None, theirs)  # type: ignore[arg-type]
    os.write(ours, b".")
    worker._hear()
    for end in (theirs, ours):
        os.close(end)
    assert worker.should_exit
    assert app._parts.life.is_ending


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
        ("GET", "/api/v2/course/?statuses=x", "stub-member", 400, "stub-member", "statuses: "),
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


@pytest.mark.parametrize("path", ["/api/v2/category/", "/api/v2/nowhere/", "/docs/", "/__stub/worlds"])
def test_no_credential_is_in_the_log(plain: Served, path: str) -> None:
    """Whatever serves the request."""
    assert f" {path}?access_token=[redacted]&a=b " in plain.asked("GET", f"{path}?access_token=s3cret&a=b")


FORGED = "/api/v2/x%0AGET%20%20%20%20/forged%20200%201.0%20ms%20admin%0D%1B[2J%C2%85/"


def test_a_path_cannot_forge_a_line(plain: Served) -> None:
    line = plain.asked("GET", FORGED)
    assert line.startswith("GET    /api/v2/x")
    assert " 404 " in line
    assert not re.search(r"[\x00-\x1f\x7f-\x9f]", line)


def test_the_json_log_is_one_object_for_each_line(custom: Served) -> None:
    headers = {"Authorization": "Bearer stub-member", "traceparent": f"00-{'a' * 32}-{'b' * 16}-01"}
    fine = json.loads(custom.asked("GET", "/api/v2/course/search/?limit=3", **headers))
    assert fine.pop("ms") >= 0
    assert datetime.fromisoformat(fine.pop("time")).tzinfo is not None
    target = "/api/v2/course/search/?limit=3"
    assert re.fullmatch("default-[0-9]+", fine.pop("request"))
    assert fine == {
        "level": "info",
        "message": f"GET {target} 200",
        "method": "GET",
        "path": target,
        "status": 200,
        "persona": "stub-member",
        "operation": "search_courses",
        "world": "default",
        "trace_id": "a" * 32,
        "parent_id": "b" * 16,
        "trace_flags": "01",
    }
    absent = json.loads(custom.asked("GET", "/api/v2/course/1/"))
    assert (absent["status"], absent["persona"]) == (404, "anonymous")
    assert "Course 1 " in absent["reason"]
    assert "\n" in json.loads(custom.asked("GET", FORGED))["path"]


def test_the_log_holds_nothing_but_requests(plain: Served, custom: Served) -> None:
    """No library warnings and no tracebacks, after all of the above."""
    for line in plain.log:
        assert re.match(r"[A-Z]+ +/.* [0-9]{3} [0-9.]+ ms ", line), line
    first, *lines = map(json.loads, custom.log)
    assert first["message"] == f"course-stubserver {__version__} listens at {custom.url}"
    for line in lines:
        assert {"method", "path", "status", "ms", "persona"} <= set(line), line


# Streams that nobody reads


@contextlib.contextmanager
def serving(streams: str = "", **options: Any) -> Iterator[tuple[subprocess.Popen[bytes], Callable[[], int]]]:
    """A server whose streams the shell redirects, and a function that asks it and returns the status. The server cannot
    tell its port, so it is given one."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    script = f"exec {shlex.join(COMMAND)} serve --port {port} {streams}"
    process = subprocess.Popen(["sh", "-c", script], env=CLEAN, cwd=ROOT, **options)

    def ask() -> int:
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)) as connection:
            connection.request("GET", f"/api/v2/category/?{'x' * 1000}")
            return connection.getresponse().status

    deadline = time.monotonic() + PATIENCE
    try:
        while process.poll() is None and time.monotonic() < deadline:
            with contextlib.suppress(ConnectionRefusedError):
                ask()
                break
        yield process, ask
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("streams", [">&-", ">&- 2>&-", "<&- >&- 2>&-", ">/dev/full 2>/dev/full"])
def test_streams_that_take_nothing_do_not_end_it(streams: str) -> None:
    """The banner and the log may be lost."""
    with serving(streams) as (process, ask):
        assert [ask() for _ in range(3)] == [200] * 3
        assert process.poll() is None


def test_a_reader_that_has_gone_does_not_end_it() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with serving(stdout=writing, stderr=writing) as (process, ask):
        os.close(writing)
        assert [ask() for _ in range(3)] == [200] * 3
        assert process.poll() is None


def test_a_log_that_nobody_reads_does_not_stop_it() -> None:
    """A pipe takes 64 KiB, and then whoever writes to it waits for ever."""
    with serving(stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as (process, ask):
        assert {ask() for _ in range(300)} == {200}
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) in (0, 128 + signal.SIGTERM, -signal.SIGTERM)
        assert process.stderr is not None
        process.stderr.close()


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


_SLOW = b"GET /api/v2/category/?__wait=60 HTTP/1.1\r\nHost: localhost\r\n\r\n"
_BODY = b"POST /api/v2/course/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n"
_LARGE = b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.mark.parametrize("fast_path", [True, False])
@pytest.mark.parametrize("sent", [_SLOW, _SLOW * 3, _BODY, _BODY + b"{", _LARGE * 200, _LARGE[:-2]], ids=range(6))
def test_nobody_can_keep_it_from_ending(
    sent: bytes, fast_path: bool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """No slow answer, no unfinished request, and no client that reads nothing."""
    monkeypatch.setattr(server, "GRACE", 0)
    background = Background(lambda: create_app(fast_path=fast_path))
    address = urlsplit(background.start())
    with socket.create_connection((str(address.hostname), address.port or 0), PATIENCE) as client:
        client.sendall(sent)
        httpx.get(f"{address.geturl()}/openapi.json")  # by now the server has read what was sent before
        background.stop()
        assert (background.error, background._thread.is_alive()) == (None, False)
    told = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert all(line.endswith("timeout graceful shutdown exceeded") for line in told), told


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (signal.SIGTERM, signal.SIGTERM),
        (signal.SIGINT, signal.SIGINT),
        (signal.SIGTERM, signal.SIGINT),
        (signal.SIGINT, signal.SIGTERM),
    ],
)
def test_a_second_signal_ends_it_at_once(tmp_path: Path, first: signal.Signals, second: signal.Signals) -> None:
    """Without the seconds that the first one leaves requests to end; that they have passed would be in the log."""
    served = Served(tmp_path)
    address = urlsplit(served.url)
    try:
        with socket.create_connection((str(address.hostname), address.port or 0), PATIENCE) as client:
            client.sendall(_SLOW)
            served.ask("GET", "/openapi.json")
            served.process.send_signal(first)
            served.wait_for(lambda: not _listens(served))
            served.process.send_signal(second)
            status = served.process.wait(PATIENCE)
            with contextlib.suppress(ConnectionResetError):
                assert client.recv(1) == b""
    finally:
        served.end()
    assert status in (0, 130, 128 + signal.SIGTERM, -signal.SIGTERM)
    assert [line for line in served.log if "exceeded" in line or "Traceback" in line] == []


def _listens(served: Served) -> bool:
    address = urlsplit(served.url)
    try:
        socket.create_connection((str(address.hostname), address.port or 0), PATIENCE).close()
    except ConnectionRefusedError:
        return False
    return True


def test_the_docs_tell_the_limits_of_connections() -> None:
    page = (ROOT / "docs/commands.md").read_text(encoding="utf-8").split("## Limits of connections")[1].split("##")[0]
    seconds = (server.GRACE, server.KEEP_ALIVE, connection.READ_TIMEOUT, connection.WRITE_TIMEOUT)
    for limit in (*(f"{number:g} seconds" for number in seconds), f"{connection.MAX_HEAD} bytes"):
        assert limit in page


def test_the_docs_do_not_stop_the_server(tmp_path: Path) -> None:
    """Their files are sent in a different way from the answers of the API."""
    served = Served(tmp_path)
    try:
        assert served.ask("GET", "/docs/")[0] == 200
        for file, kind in (("swagger-ui.css", "text/css"), ("swagger-ui-bundle.js", "javascript")):
            status, headers, body = served.ask("GET", f"/docs/{file}")
            assert (status, len(body)) == (200, int(headers["content-length"]))
            assert kind in headers["content-type"]
        assert served.ask("GET", "/api/v2/course/search/")[0] == 200
    finally:
        served.end()
