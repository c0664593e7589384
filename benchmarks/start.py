"""Where the startup time goes, from the command to the first 200.

Usage: python -m benchmarks.start [RUNS]
Each run is a process of its own that does what `stubserver serve` does, step by step. Prints medians in milliseconds.
"""

import gc
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

_RUNS = 11
_steps: dict[str, float] = {}


def main() -> None:
    """Measure, and print the table."""
    runs = [_run() for _ in range(int(sys.argv[1]) if len(sys.argv) > 1 else _RUNS)]
    medians = {step: statistics.median(run[step] for run in runs) for step in runs[0]}
    print("| step | ms |\n| --- | ---: |")
    for step, median in medians.items():
        print(f"| {step} | {median:.0f} |")
    print(f"| **all** | {statistics.median(sum(run.values()) for run in runs):.0f} |")


def _run() -> dict[str, float]:
    command = [sys.executable, "-W", "ignore", "-m", __spec__.name, "steps", str(time.time())]
    found: dict[str, float] = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)  # noqa: S603
    return found


def steps(started: float) -> None:
    """Start in this process, and print how long each step took."""
    _steps["the interpreter"] = (time.time() - started) * 1000
    gc.disable()  # as the command does
    with _timed("importing connexion"):
        from stubserver.pipeline.imports import import_connexion

        import_connexion()
    with _timed("importing uvicorn"):
        import uvicorn.protocols.http.httptools_impl  # noqa: F401
    with _timed("importing the rest"):
        from stubserver import app
        from stubserver.contract.load import load_contract
        from stubserver.fixtures import fixture
        from stubserver.serving import background
    with _timed("reading the contract"):
        contract = load_contract()
    with _timed("reading the fixture"):
        loaded = fixture.load("default", contract)
    with _timed("building the server: the control plane's contract, Connexion's stack"):
        served = app.StubServer(contract, loaded)
    with _timed("opening the socket, answering the first 200"):
        server = background.Background(lambda: served)
        _ask(server.start())
    print(json.dumps(_steps))
    server.stop()


@contextmanager
def _timed(step: str) -> Iterator[None]:
    begun = time.perf_counter()
    yield
    _steps[step] = (time.perf_counter() - begun) * 1000


def _ask(url: str) -> None:
    import httpx

    from benchmarks.recording import ask
    from benchmarks.workloads import GET

    with httpx.Client(base_url=url) as client:
        ask(client, GET).raise_for_status()


if __name__ == "__main__":
    if sys.argv[1:2] == ["steps"]:
        steps(float(sys.argv[2]))
    else:
        main()
