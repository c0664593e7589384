"""Puts as much load on a server as it can handle, with wrk."""

import json
import os
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from benchmarks.process import pinned
from benchmarks.workloads import Request

CONNECTIONS = 16
_PATIENCE = 60
_DONE = """
done = function(summary)
  local wrong = summary.errors
  io.write(string.format(
    '\\n{"requests": %d, "microseconds": %d, "bytes": %d, "refused": %d, "broken": %d}\\n',
    summary.requests, summary.duration, summary.bytes, wrong.status,
    wrong.connect + wrong.read + wrong.write + wrong.timeout))
end
"""


class BadSample(Exception):
    """Requests failed, so the sample is worthless."""


@dataclass(frozen=True)
class Load:
    """The results that wrk reports."""

    requests: int
    seconds: float
    answer_bytes: float

    @property
    def per_second(self) -> float:
        """Requests per second."""
        return self.requests / self.seconds


def saturate(urls: Sequence[str], requests: tuple[Request, ...], seconds: int, *, apart: bool = False) -> Load:
    """Send the requests in a cycle over 16 connections, as fast as the servers answer, which have a thread of wrk and
    their share of the connections each; if they are kept `apart`, of two servers each gets every second request, always
    the same ones. Raises BadSample."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:
        file.write(_script(requests, len(urls) if apart else 1) + _shared_out(urls) + _DONE)
        file.flush()
        options = [f"-t{len(urls)}", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout", "10s", "-s", file.name]
        return _read(_run([os.environ.get("WRK", "wrk"), *options, urls[0]], seconds))


def _run(command: list[str], seconds: int) -> str:
    """Run wrk; returns the last line of its output."""
    try:
        done = subprocess.run(  # noqa: S603 (our own command)
            pinned(command, load=True), capture_output=True, text=True, check=False, timeout=seconds + _PATIENCE
        )
    except subprocess.TimeoutExpired as error:
        raise BadSample("wrk did not finish in time") from error
    if done.returncode or done.stderr:  # wrk only reports errors in a script, and goes on without it
        raise BadSample(f"wrk: {done.stderr.strip()}")
    return done.stdout.strip().splitlines()[-1]


def _read(line: str) -> Load:
    found = json.loads(line)
    if found["refused"] or found["broken"] or not found["requests"]:
        raise BadSample(
            f"of {found['requests']} requests {found['refused']} were refused and {found['broken']} got no answer"
        )
    return Load(
        requests=found["requests"],
        seconds=found["microseconds"] / 1e6,
        answer_bytes=found["bytes"] / found["requests"],
    )


def _shared_out(urls: Sequence[str]) -> str:
    """The part of the Lua script that gives each thread a server of its own; the Host header is that of the first."""
    ports = ", ".join(f'"{urlsplit(url).port}"' for url in urls)
    return f"""
local ports, threads = {{{ports}}}, 0
setup = function(thread)
  thread:set("turn", threads)
  threads = threads + 1
  thread.addr = wrk.lookup("127.0.0.1", ports[threads])[1]
end
"""


def _script(requests: tuple[Request, ...], step: int) -> str:
    """The Lua script for wrk, which goes from a request to that so many `step`s behind it. wrk itself formats a single
    request once, which is cheapest."""
    if len(requests) == 1:
        return _single(requests[0])
    calls = "\n".join(f"  wrk.format({_call(request)})," for request in requests)
    return f"""
local requests
init = function() requests, turn = {{\n{calls}\n}}, turn % {step} end
request = function()
  turn = turn % #requests + {step}
  return requests[turn - {step - 1}]
end
"""


def _single(request: Request) -> str:
    return f"wrk.method, wrk.path, wrk.headers, wrk.body = {_call(request)}\n"


def _call(request: Request) -> str:
    """Method, path, headers and body, as Lua."""
    headers = {"Authorization": f"Bearer {request.token}"}
    body = "nil" if request.method == "GET" else _text("")
    if request.body is not None:
        headers["Content-Type"] = "application/json"
        body = _text(json.dumps(request.body))
    table = ", ".join(f"[ {_text(name)} ] = {_text(value)}" for name, value in headers.items())
    return f"{_text(request.method)}, {_text(request.path)}, {{{table}}}, {body}"


def _text(value: str) -> str:
    return f"[==[{value}]==]"
