"""`stubserver proxy`: how it ends, what it prints, and what it refuses."""

import json
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.sources import ROOT
from tests.support.commands import CLEAN, COMMAND, PATIENCE, invoke, told, until
from tests.support.har import check
from tests.support.peer import Peer
from tests.support.watching import ask

RIGHT = b"HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\nContent-Length: 54\r\n\r\n"
BODY = b'{"errors": [{"message": "No such.", "code": "gone12"}]}'
RIGHT = RIGHT.replace(b"54", b"%d" % len(BODY)) + BODY
WRONG = b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n"


@contextmanager
def proxy(folder: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The command in its own process, and the URL at which it listens."""
    with (folder / "err").open("w") as err:
        process = subprocess.Popen(
            [*COMMAND, "proxy", "--port", "0", *arguments],
            cwd=ROOT,
            env=CLEAN,
            stdout=subprocess.PIPE,
            stderr=err,
            text=True,
        )
    try:
        until(lambda: "passes requests on to" in (folder / "err").read_text() or process.poll() is not None)
        (url,) = re.findall(r"^(http://\S+) passes", (folder / "err").read_text())
        yield process, url
    finally:
        process.kill()
        process.communicate()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("answer", "number", "status", "verdict"),
    [(RIGHT, signal.SIGINT, 0, "no difference"), (WRONG, signal.SIGTERM, 1, "1 difference")],
)
def test_a_signal_ends_it_with_a_report(
    tmp_path: Path, answer: bytes, number: signal.Signals, status: int, verdict: str
) -> None:
    report, coverage, har = (tmp_path / name for name in ("report.json", "coverage.json", "har.json"))
    files = ("--format", "json", "--output", str(report), "--coverage", str(coverage), "--har", str(har))
    with Peer(answer, answer) as peer:
        for more in ((), files):
            with proxy(tmp_path, "--upstream", peer.url, *more) as (process, url):
                assert ask(url, "GET", "/api/v2/course/1/", Authorization="Bearer hush").status in (404, 500)
                process.send_signal(number)
                out = process.communicate(timeout=PATIENCE)[0]
            assert process.returncode == status
            log = (tmp_path / "err").read_text()
            assert "GET    /api/v2/course/1/" in log
            assert "Traceback" not in log
            assert (f": {verdict}; 1 requests in " in out) is not bool(more)
    assert json.loads(report.read_text())["agrees"] is (status == 0)
    assert invoke("coverage", str(coverage))[0] == 0
    content = json.loads(har.read_text())
    check(content)
    (entry,) = content["log"]["entries"]
    assert entry["request"]["url"] == f"{peer.url}/api/v2/course/1/"
    assert entry["response"]["status"] == int(answer.split()[1])
    assert "hush" not in har.read_text()


@pytest.mark.slow
def test_nothing_seen_is_no_success(tmp_path: Path) -> None:
    with proxy(tmp_path, "--upstream", "http://127.0.0.1:1") as (process, _):
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=PATIENCE)
    assert process.returncode == 2
    assert "no request of a documented operation came through: nothing was checked" in (tmp_path / "err").read_text()


OPTION = "Error: Invalid value for '--upstream': "


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "Error: Missing option '--upstream'."),
        (("--upstream", ""), f"{OPTION}'' is no URL such as https://staging.example.com"),
        (("--upstream", "staging.example"), f"{OPTION}'staging.example' is no URL such as..."),
        (("--upstream", "ftp://x"), f"{OPTION}'ftp://x' is no URL such as..."),
        (("--upstream", "http://x:0"), f"{OPTION}'http://x:0' is no URL such as..."),
        (("--upstream", "http://x:port"), f"{OPTION}'http://x:port' is no URL such as..."),
        (("--upstream", "http://x y"), f"{OPTION}'http://x y' is no URL such as..."),
        (("--upstream", "http://u:p@x"), f"{OPTION}leave out user and password: the application sends its own..."),
        (("--upstream", "http://x/?a=1"), f"{OPTION}leave out what follows the path: requests have queries of..."),
        (("--upstream", "http://x", "--port", "x"), "Error: Invalid value for '--port': ..."),
        (("--upstream", "http://x", "--format", "xml"), "Error: Invalid value for '--format': ..."),
        (("--upstream", "http://x", "--output", ""), "Error: Invalid value for '--output': it is empty; ..."),
        (("--upstream", "http://x", "--output", "."), "Error: Invalid value for '--output': File '.' is a directory."),
        (("--upstream", "http://x", "--output", "no/x"), "stubserver: cannot write no/x: No such file or directory"),
        (("--upstream", "http://x", "--coverage", "no/x"), "stubserver: cannot write no/x: No such file or directory"),
        (
            ("--upstream", "http://x", "--host", "203.0.113.1"),
            "stubserver: cannot listen on 203.0.113.1 port 8766: ...",
        ),
        (("--upstream", "http://x", "--allowed-host", "http://a"), "stubserver: --allowed-host: 'http://a' is not..."),
        (
            ("--upstream", "http://x", "--output", "x", "--har", "./x"),
            "stubserver: --output, --coverage and --har need files of their own",
        ),
        (("--upstream", "http://x", "--har", "no/x"), "stubserver: cannot write no/x: No such file or directory"),
        (("--upstrem", "http://x"), "Error: No such option..."),
    ],
)
def test_mistakes_are_told_in_one_line(arguments: tuple[str, ...], message: str) -> None:
    status, out, err = invoke("proxy", *arguments)
    assert (status, out) == (2, "")
    assert told("\n".join(line for line in err.splitlines() if line and not line.startswith("Try ")), message), err


def test_it_is_not_put_in_front_of_itself(tmp_path: Path) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    output = tmp_path / "report"
    found = invoke("proxy", "--upstream", f"http://localhost:{port}", "--port", port, "--output", str(output))
    assert found == (
        2,
        "",
        f"stubserver: --upstream http://localhost:{port} is this proxy itself; name the real server\n",
    )
    assert not output.exists()
