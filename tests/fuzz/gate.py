"""The fuzz gate: runs Schemathesis against a live server and holds its figures against what we promise.

Usage: python -m tests.fuzz.gate [--seed N] [--max-time SECONDS]
Exit status 0 only when no check failed, enough cases ran, every operation was seen with a 2xx, and at least
half of the stateful transitions ended in a 2xx. Without --seed a fresh one is drawn and printed.
"""

import argparse
import collections
import json
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stubserver.contract.contract import Contract
from stubserver.contract.load import load_contract, load_control_contract

HERE = Path(__file__).parent
DESCENTS = {
    "to the question and the reply": [
        ("create_course", "create_course_section"),
        ("create_course_section", "create_course_lesson"),
        ("create_course_lesson", "create_course_question"),
        ("create_course_lesson", "create_course_comment"),
        ("create_course_comment", "create_course_comment"),  # a reply
        ("create_course_comment", "get_course_comment"),
    ],
    "from the piece of a file to the media": [
        ("upload_media_chunk", "complete_media_upload"),
        ("complete_media_upload", "click_media"),
    ],
    "from one token to the next": [
        ("oauth_token", "oauth_token"),
        ("oauth_token", "revoke_token"),
    ],
}
"""Links that must lead to a 2xx. Each group gets a stateful run of its own: in the whole contract a random walk along a
hundred links seldom gets so deep. (Attempts hang on whole answers, which only luck generates; test_links.py follows
every link once, theirs too.)"""


STEERING = {
    "from a world to its end": [
        ("create_world", "get_world"),
        ("create_world", "reset_world"),
        ("create_world", "delete_world"),
        ("create_snapshot", "get_snapshot"),
        ("create_snapshot", "restore_snapshot"),
        ("create_snapshot", "delete_snapshot"),
        ("create_fault", "delete_fault"),
    ],
}
"""The same for the control plane."""


@dataclass(frozen=True)
class Target:
    """A contract to fuzz, and what the run must come to."""

    name: str
    contract: Contract
    config: str
    descents: Mapping[str, list[tuple[str, str]]]
    least_cases: int

    @property
    def routes(self) -> dict[tuple[str, str], str]:
        """Method and path, as the document has it, -> operationId."""
        operations = self.contract.operations.values()
        return {(op.method.upper(), op.path.removeprefix(self.contract.base)): op.id for op in operations}


TARGETS = (
    Target("the API", load_contract(), "schemathesis.toml", DESCENTS, 2000),
    Target("the control plane", load_control_contract(), "control.toml", STEERING, 1000),
)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))  # noqa: S311 (not a secret)
    parser.add_argument("--max-time", type=int, help="go on fuzzing for this many seconds")
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    with ThreadPoolExecutor() as pool:  # one core each, and each its own server
        runs = list(pool.map(lambda target: _fuzz(target, options), TARGETS))
    for output, _ in runs:
        print(output)
    failures = [
        f"{target.name}: {failure}" for target, (_, found) in zip(TARGETS, runs, strict=True) for failure in found
    ]
    for failure in failures:
        print(f"FUZZ GATE: {failure}")
    if not failures:
        print("fuzz gate passed")
    return 1 if failures else 0


def _fuzz(target: Target, options: argparse.Namespace) -> tuple[str, list[str]]:
    """Fuzz a server of its own; returns what there is to read, and what falls short of the promise."""
    with tempfile.TemporaryDirectory() as folder, Server(Path(folder) / "server.log") as server:
        status = _schemathesis(target, server.url, options, Path(folder))
        for links in target.descents.values():
            deeper = ["--phases", "stateful", "--max-time", "10"]
            for name in sorted({name for link in links for name in link}):
                deeper += ["--include-operation-id", name]
            status += _schemathesis(target, server.url, options, Path(folder), *deeper)
        figures, failures = _report(target, Path(folder))
        output = "\n".join([(Path(folder) / "output").read_text(), *figures])
        log = server.log.read_text()
    if "Traceback" in log:
        failures.append("the server logged an error:\n" + log[log.index("Traceback") - 500 :][:6000])
    if status != 0:
        failures.append(f"schemathesis ended with status {status}")
    return output, failures


class Server:
    """The real command on a free port, as a user runs it."""

    def __init__(self, log: Path) -> None:
        self.log = log

    def __enter__(self) -> "Server":
        with self.log.open("w") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "stubserver", "serve", "--port", "0"],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if "Spec" in line:
                self.url = line.split()[1].removesuffix("/openapi.json")
                return self
        raise RuntimeError(self.log.read_text())

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(10)


def _schemathesis(target: Target, url: str, options: argparse.Namespace, folder: Path, *more: str) -> int:
    """Run it once, and add what it says and reports to the folder."""
    base = url + target.contract.base
    command = [
        *(sys.executable, "-m", "schemathesis.cli"),
        *("--config-file", str(HERE / target.config)),
        *("run", f"{base}/openapi.json", "--url", base),
        *("--seed", str(options.seed)),
        *("--report", "ndjson", "--report-dir", tempfile.mkdtemp(dir=folder)),
        *more,
    ]
    if options.max_time and not more:
        command += ["--max-time", str(options.max_time)]
    path = os.pathsep.join(part for part in (str(HERE), os.environ.get("PYTHONPATH")) if part)
    environment = {**os.environ, "PYTHONPATH": path}
    with (folder / "output").open("a") as output:
        return subprocess.run(
            command, cwd=HERE, env=environment, stdout=output, stderr=subprocess.STDOUT, check=False
        ).returncode


def _report(target: Target, reports: Path) -> tuple[list[str], list[str]]:
    """The figures of the run, and what falls short of the promise."""
    known = target.routes
    accepted: collections.Counter[str | None] = collections.Counter()
    checks: collections.Counter[str] = collections.Counter()
    followed: collections.Counter[tuple[str | None, str | None]] = collections.Counter()
    cases = transitions = arrived = 0
    routes = list(known.values())
    for recorder in _recorders(reports):
        for number, case in recorder["cases"].items():
            interaction = recorder["interactions"].get(number)
            if not interaction or not interaction.get("response"):
                continue
            cases += 1
            good = 200 <= interaction["response"]["status_code"] < 300
            accepted[_operation(known, case)] += good
            probe = interaction["response"]["status_code"] == 401  # sent again without a login, by the auth check
            if case.get("transition") and case.get("is_transition_applied") and not probe:
                transitions += 1
                arrived += good
                parent = recorder["cases"].get(case["parent_id"])
                followed[_operation(known, parent), _operation(known, case)] += good
        for done in recorder.get("checks", {}).values():
            checks.update(check["name"] for check in done)
    unseen = [name for name in routes if not accepted[name]]
    figures = [f"{target.name}: {cases} cases"]
    figures.append(f"operations seen with a 2xx: {len(routes) - len(unseen)} of {len(routes)}")
    figures.append(f"stateful transitions with a 2xx: {arrived} of {transitions}")
    figures.append(f"links that led to a 2xx: {sum(map(bool, followed.values()))}, also {'; '.join(target.descents)}")
    figures.append("checks run: " + ", ".join(f"{name} {times}" for name, times in sorted(checks.items())))
    failures = []
    if cases < target.least_cases:
        failures.append(f"only {cases} cases, promised are {target.least_cases}")
    if unseen:
        failures.append(f"never seen with a 2xx: {', '.join(unseen)}")
    if lost := [" -> ".join(link) for links in target.descents.values() for link in links if not followed[link]]:
        failures.append(f"no link led to a 2xx: {', '.join(lost)}")
    if not transitions or 2 * arrived < transitions:
        failures.append(f"only {arrived} of {transitions} stateful transitions ended in a 2xx")
    return figures, failures


def _operation(routes: Mapping[tuple[str, str], str], case: Any) -> str | None:
    """The operationId of a recorded case; None for a method that its path does not declare."""
    return routes.get((case["value"]["method"], case["value"]["path"])) if case else None


def _recorders(reports: Path) -> Iterator[dict[str, Any]]:
    for file in reports.rglob("ndjson*"):
        for line in file.open():
            finished = json.loads(line).get("ScenarioFinished")
            if finished and "cases" in finished["recorder"]:
                yield finished["recorder"]


if __name__ == "__main__":
    sys.exit(main())
