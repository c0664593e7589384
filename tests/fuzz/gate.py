"""The fuzz gate: runs Schemathesis against a live server and checks that its figures meet our targets.

Usage: python -m tests.fuzz.gate [--seed N] [--max-time SECONDS]
Exits with status 0 only if no check failed, enough cases ran, every operation answered with a 2xx at least once, and
at least half of the stateful transitions ended in a 2xx. Without --seed a random seed is drawn and printed.
"""

import argparse
import collections
import json
import os
import random
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stubserver.contract.contract import Contract
from stubserver.contract.load import load_contract, load_control_contract

COMMAND = shlex.split(os.environ.get("STUBSERVER", "")) or [sys.executable, "-m", "stubserver"]
"""What starts a server."""
HERE = Path(__file__).parent
ROOT = HERE.parent.parent
Link = tuple[str, str]
"""operationIds of a case and of the one that followed it."""
DESCENTS: Mapping[str, Sequence[Link]] = {
    "to the question and the reply": [
        ("create_course", "create_course_section"),
        ("create_course_section", "create_course_lesson"),
        ("create_course_lesson", "create_course_question"),
        ("create_course_lesson", "create_course_comment"),
        ("create_course_comment", "create_course_comment"),  # a reply
        ("create_course_comment", "get_course_comment"),
    ],
    "from a chunk to the media item": [
        ("upload_media_chunk", "complete_media_upload"),
        ("complete_media_upload", "click_media"),
    ],
    "from one token to the next": [
        ("oauth_token", "oauth_token"),
        ("oauth_token", "revoke_token"),
    ],
}
"""Links that must lead to a 2xx. Each group gets a stateful run of its own, because a random walk along the hundred
links of the whole contract seldom gets this deep. (Attempts need complete answers, which are generated only by luck;
tests/contract/test_contract_links.py follows every link once, including these.)"""


CASES = ("--phases", "examples,coverage,fuzzing")
HALVES = {
    "courses, people and what a frontend needs to start": ("course", "membership", "section", "boot"),
    "what lessons contain": ("lesson", "question", "attempt", "comment"),
}
"""Tags of the API. Two halves take less time on two cores than the whole; an operation in neither never gets a 2xx."""
API = {
    **{title: (*CASES, *(part for tag in tags for part in ("--include-tag", tag))) for title, tags in HALVES.items()},
    # Walks alone often end in a 404, about which Schemathesis would warn; the halves cover those operations.
    "links": ("--phases", "stateful", "--warnings", "off"),
}
OTHERS = ("stub-stranger", "stub-member", "stub-manager")
"""Callers of shorter runs: whoever is no creator must not see or do what creators may (`checks.py`)."""
AS_OTHERS = ("--phases", "examples,fuzzing", "--max-examples", "15", "--warnings", "off")
BLIND = """not seen by this run (and where it is): whether counts, rates and orders are right (tests/api, tests/models);
  what one caller's write does to what another sees (tests/models); who may do what beyond these four callers
  (tests/permission_matrix.md); worlds, clocks and faults (tests/control); anything that takes more than ten steps"""
CONTROL = {"everything": ()}
STEERING: Mapping[str, Sequence[Link]] = {
    "from a world to its end": [
        ("create_world", "get_world"),
        ("create_world", "reset_world"),
        ("create_world", "delete_world"),
        ("create_snapshot", "get_snapshot"),
        ("create_snapshot", "restore_snapshot"),
        ("create_snapshot", "delete_snapshot"),
        ("create_fault", "delete_fault"),
        ("create_variant", "delete_variant"),
    ],
}
"""The same for the control plane."""
ROUNDS = 12
"""Times that a descent is tried at most, each with a seed of its own. Hypothesis ends a walk early when the server
answers a repeated request differently (a course of the same name, a second reply), so one round may miss a link."""


@dataclass(frozen=True)
class Target:
    """A contract to fuzz, and the figures that its runs must reach."""

    name: str
    contract: Contract
    config: str
    runs: Mapping[str, Sequence[str]]
    """Title of a run -> arguments of Schemathesis."""
    descents: Mapping[str, Sequence[Link]]
    least_cases: int
    others: Sequence[str] = ()
    """Tokens of further callers."""

    @property
    def routes(self) -> dict[tuple[str, str], str]:
        """Method and path, as written in the document -> operationId."""
        operations = self.contract.operations.values()
        return {(op.method.upper(), op.path.removeprefix(self.contract.base)): op.id for op in operations}


@dataclass(frozen=True)
class Run:
    """One run of Schemathesis, against a server of its own."""

    target: Target
    title: str
    arguments: Sequence[str]
    links: Sequence[Link] = ()
    """Repeated until each of these has led to a 2xx; without any, run once."""
    persona: str = "stub-creator"
    """Token of the caller."""


@dataclass(frozen=True)
class Outcome:
    """What a run printed and recorded, and what was wrong with it."""

    run: Run
    output: str
    recorders: Sequence[Mapping[str, Any]]
    failures: Sequence[str]


TARGETS = (
    Target("the API", load_contract(), "schemathesis.toml", API, DESCENTS, 2000, OTHERS),
    Target("the control plane", load_control_contract(), "control.toml", CONTROL, STEERING, 1000),
)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))  # noqa: S311 (not a secret)
    parser.add_argument("--max-time", type=int, help="keep fuzzing for this many seconds")
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        outcomes = list(pool.map(lambda run: _fuzz(run, options), _runs()))
    failures = [f"{done.run.target.name}, {done.run.title}: {text}" for done in outcomes for text in done.failures]
    for done in outcomes:
        print(f"===== {done.run.target.name}: {done.run.title}\n{done.output}")
    for target in TARGETS:
        recorders = [found for done in outcomes if done.run.target is target for found in done.recorders]
        figures, missing = _report(target, Tally.of(target, recorders))
        print("\n".join(figures))
        failures += [f"{target.name}: {text}" for text in missing]
    print(BLIND)
    for failure in failures:
        print(f"FUZZ GATE: {failure}")
    if not failures:
        print("fuzz gate passed")
    return 1 if failures else 0


def _runs() -> Iterator[Run]:
    """Longest first, so that all cores finish at about the same time."""
    for target in TARGETS:
        for title, arguments in target.runs.items():
            yield Run(target, title, arguments)
        for persona in target.others:
            yield Run(target, f"everything, as {persona}", AS_OTHERS, persona=persona)
    for target in TARGETS:
        for title, links in target.descents.items():
            names = sorted({name for link in links for name in link})
            included = [part for name in names for part in ("--include-operation-id", name)]
            yield Run(target, title, ["--phases", "stateful", *included], links)


def _fuzz(run: Run, options: argparse.Namespace) -> Outcome:
    failures: list[str] = []
    recorders: list[Mapping[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder, Server(Path(folder) / "server.log") as server:
        for number in range(ROUNDS if run.links else 1):
            reports = Path(folder) / f"reports-{number}"
            status, output = _schemathesis(run, server.url, options, options.seed + number, reports)
            recorders += _recorders(reports)
            failures += [f"schemathesis ended with status {status}"] if status else []
            followed = Tally.of(run.target, recorders).followed
            if failures or all(followed[link] for link in run.links):
                break
        log = server.log.read_text()
    if "Traceback" in log:
        failures.append("the server logged an error:\n" + log[log.index("Traceback") - 500 :][:6000])
    return Outcome(run, output, recorders, failures)


class Server:
    """The real command on a free port, as a user runs it."""

    def __init__(self, log: Path) -> None:
        self.log = log

    def __enter__(self) -> "Server":
        with self.log.open("w") as log:
            self._process = subprocess.Popen(
                [*COMMAND, "serve", "--port", "0"],
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


def _schemathesis(run: Run, url: str, options: argparse.Namespace, seed: int, reports: Path) -> tuple[int, str]:
    """The exit status of a run, and what it printed."""
    command = [
        *base_command(run.target, url),
        *("--seed", str(seed)),
        *("--report", "ndjson", "--report-dir", str(reports)),
        *run.arguments,
    ]
    if options.max_time and not run.links:
        command += ["--max-time", str(options.max_time)]
    done = subprocess.run(
        command,
        cwd=HERE,
        env=environment(run.persona),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def base_command(target: Target, url: str, document: Path | None = None) -> list[str]:
    """Schemathesis as a command for the server at this URL; more arguments may follow. It reads the contract in a file,
    or asks the server for it."""
    base = url + target.contract.base
    config = ("--config-file", str(HERE / target.config))
    return [
        sys.executable,
        "-m",
        "schemathesis.cli",
        *config,
        "run",
        str(document or f"{base}/openapi.json"),
        "--url",
        base,
    ]


def environment(persona: str = "stub-creator") -> dict[str, str]:
    """The environment in which Schemathesis finds the hooks, and the token of the caller."""
    path = os.pathsep.join(filter(None, (str(HERE), str(ROOT), os.environ.get("PYTHONPATH"))))
    return {**os.environ, "PYTHONPATH": path, "FUZZ_PERSONA": persona}


@dataclass(frozen=True)
class Tally:
    """What the recorded cases of some runs add up to."""

    cases: int
    accepted: collections.Counter[str | None]
    """operationId -> answers with a 2xx."""
    followed: collections.Counter[tuple[str | None, str | None]]
    """Link -> how often it led to a 2xx."""
    transitions: int
    checks: collections.Counter[str]

    @classmethod
    def of(cls, target: Target, recorders: Iterable[Mapping[str, Any]]) -> "Tally":
        known = target.routes
        accepted: collections.Counter[str | None] = collections.Counter()
        checks: collections.Counter[str] = collections.Counter()
        followed: collections.Counter[tuple[str | None, str | None]] = collections.Counter()
        cases = transitions = 0
        for recorder in recorders:
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
                    parent = recorder["cases"].get(case["parent_id"])
                    followed[_operation(known, parent), _operation(known, case)] += good
            for done in recorder.get("checks", {}).values():
                checks.update(check["name"] for check in done)
        return cls(cases, accepted, followed, transitions, checks)


def _report(target: Target, tally: Tally) -> tuple[list[str], list[str]]:
    """The combined figures of all runs, and where they fall short."""
    routes = list(target.routes.values())
    accepted, followed = tally.accepted, tally.followed
    cases, transitions, arrived = tally.cases, tally.transitions, tally.followed.total()
    unseen = [name for name in routes if not accepted[name]]
    figures = [f"{target.name}: {cases} cases"]
    figures.append(f"operations answered with a 2xx: {len(routes) - len(unseen)} of {len(routes)}")
    figures.append(f"stateful transitions with a 2xx: {arrived} of {transitions}")
    figures.append(f"links with a 2xx: {sum(map(bool, followed.values()))}, including {'; '.join(target.descents)}")
    figures.append("checks run: " + ", ".join(f"{name} {times}" for name, times in sorted(tally.checks.items())))
    failures = []
    if cases < target.least_cases:
        failures.append(f"only {cases} cases instead of at least {target.least_cases}")
    if unseen:
        failures.append(f"never answered with a 2xx: {', '.join(unseen)}")
    if lost := [" -> ".join(link) for links in target.descents.values() for link in links if not followed[link]]:
        failures.append(f"links that never led to a 2xx: {', '.join(lost)}")
    if not transitions or 2 * arrived < transitions:
        failures.append(f"only {arrived} of {transitions} stateful transitions ended in a 2xx")
    return figures, failures


def _operation(routes: Mapping[tuple[str, str], str], case: Any) -> str | None:
    """The operationId of a recorded case; None for a method that its path does not declare."""
    return routes.get((case["value"]["method"], case["value"]["path"])) if case else None


def _recorders(reports: Path) -> Iterator[Mapping[str, Any]]:
    for file in reports.rglob("ndjson*"):
        for line in file.open():
            finished = json.loads(line).get("ScenarioFinished")
            if finished and "cases" in finished["recorder"]:
                yield finished["recorder"]


if __name__ == "__main__":
    sys.exit(main())
