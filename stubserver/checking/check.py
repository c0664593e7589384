"""A whole check of a target: meeting it, the stories, the grid, the walks, and what all of that has found."""

import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from random import Random

import httpx

from stubserver.checking.catalogue import stories, unseen
from stubserver.checking.cleaning import left_over
from stubserver.checking.exploring import Explorer
from stubserver.checking.findings import ENDS, NOT_REACHED, Progress, Report
from stubserver.checking.grid import cells
from stubserver.checking.meeting import CannotCheck, clock_of, introduced, meet, model
from stubserver.checking.reading import Reader
from stubserver.checking.settling import settle
from stubserver.checking.sides import TIMEOUT, Gone, Request, Side, Stopped
from stubserver.checking.stage import Stage
from stubserver.checking.telling import Teller
from stubserver.contract.contract import Contract

_SHARE = {"stories": 0.7, "grid": 0.9, "walks": 1.0}
"""Part of a check -> up to which part of the time it may take."""
_WITHOUT_GRID = {"stories": 0.9, "walks": 1.0}
"""The same, if there is no grid."""


@dataclass(frozen=True)
class Effort:
    """How much is done."""

    seconds: float = 110.0
    """After so long, what has been seen is reported."""
    walks: int = 12
    grid: bool = True
    stories: bool = True
    sweeps: bool = True
    most: int = 0
    """After so many differences, the check ends; 0 for no bound."""
    rate: float = 0.0
    """Requests a second, at most; 0 for any number."""
    read_only: bool = False
    """Whether nothing but GET requests may be sent."""
    rules: Sequence[str] = ()
    """Only stories of these rules, nothing else; empty for all."""

    def until(self, most: int) -> "Effort":
        """The same, until so many differences have been seen."""
        return replace(self, most=most)


Told = Callable[[str], None]
"""Called with each thing that is begun."""


def check(
    contract: Contract,
    url: str,
    tokens: Mapping[str, str],
    seed: int,
    effort: Effort,
    told: Told,
    transport: httpx.BaseTransport | None = None,
) -> Report:
    """Check the server at a URL, with the tokens of personas. Raises CannotCheck. Whatever was made is deleted, also
    after KeyboardInterrupt, which ends the check early. Requests take a `transport`, if one is given."""
    begun = time.monotonic()
    with httpx.Client(base_url=url, timeout=TIMEOUT, trust_env=False, transport=transport) as client:
        target = Side(client, rate=effort.rate, end=begun + effort.seconds)
        report = Report(url, seed, list(tokens), most=effort.most)
        try:
            if effort.read_only:
                _read(contract, target, report, tokens)
            else:
                told("meeting the target")
                _write(_Run(contract, target, tokens, effort, told, begun), report)
        except Gone:
            raise CannotCheck("the target no longer answers; nothing was checked") from None
        except Stopped:
            raise CannotCheck("the time was over before anything was checked; --time gives more") from None
        report.sent, report.seconds = target.sent, time.monotonic() - begun
        return report


def _read(contract: Contract, target: Side, report: Report, tokens: Mapping[str, str]) -> None:
    """Check with nothing but GET requests. Raises CannotCheck."""
    introduced(contract, target, tokens)
    first = target.ask(Request(contract.operations["list_features"]))
    if first.failure:
        raise CannotCheck(f"the target does not answer: {first.failure}")
    reader = Reader(contract, target, tokens, report)
    try:
        reader.read()
    except Stopped as stopped:
        _ended(report, stopped)
    except KeyboardInterrupt:
        report.ended = "interrupted"
    if reader.presence.is_nothing:
        raise CannotCheck("the target answers as if it had none of the operations: is the API below another address?")
    settle(report, contract, reader.presence)
    report.notes.append("read only: no rule was tried, only shapes, pages and visibility of what is there")


@dataclass
class _Run:
    """What a check is about."""

    contract: Contract
    target: Side
    tokens: Mapping[str, str]
    effort: Effort
    told: Told
    begun: float
    """When it began, by the monotonic clock."""
    name: str = field(default_factory=lambda: f"chk{Random(time.time_ns()).randrange(16**8):08x}")  # noqa: S311
    """A text in the name of all that it makes."""


def _write(run: _Run, report: Report) -> None:
    """Check with courses that are made and deleted. Raises CannotCheck."""
    community = meet(run.contract, run.target, run.tokens)
    report.notes += community.notes
    creator = next(name for name, persona in community.personas.items() if persona.may_create)
    try:
        community.ahead = clock_of(run.contract, run.target, run.tokens[creator], run.name)
        with model(run.contract, community, report.target) as ours:
            _play(Stage(run.contract, Side(ours), run.target, community), report, run)
    except KeyboardInterrupt:
        report.ended = "interrupted"
    except CannotCheck as error:
        left = [*left_over(run.contract, run.target, run.tokens, run.name)]
        raise CannotCheck("; ".join([str(error), *_named(left)])) from None
    try:
        report.notes += _named(left_over(run.contract, run.target, run.tokens, run.name))
    except KeyboardInterrupt:
        report.notes += _named([f"perhaps courses with {run.name} in their names: interrupted while looking for them"])


def _named(left: Iterable[str]) -> Sequence[str]:
    return [f"left behind: {one}" for one in left]


def _play(stage: Stage, report: Report, run: _Run) -> None:
    effort = run.effort
    chosen = [story for story in stories() if not effort.rules or story.rule in effort.rules]
    explorer = Explorer(stage, report, run.name)
    parts: Mapping[str, Callable[[], None]] = {
        "stories": lambda: Teller(stage, report, run.name).tell_all(chosen, run.told, sweeps=effort.sweeps),
        "grid": lambda: explorer.grid([*cells(stage.contract, stage.shapes.id_names)]),
        "walks": lambda: _walk(explorer, report.seed, effort.walks, run.told),
    }
    if explorer.missing:
        report.notes.append(f"grid and walks need the token of {explorer.missing}")
    may_explore = not (effort.rules or explorer.missing)
    wanted = {"stories": effort.stories, "grid": effort.grid and may_explore, "walks": effort.walks and may_explore}
    for name, part in parts.items():
        if not wanted[name]:
            continue
        run.told(name)
        stage.sides[1].end = run.begun + effort.seconds * (_SHARE if wanted["grid"] else _WITHOUT_GRID)[name]
        try:
            part()
        except Stopped as stopped:
            if len(report.findings) == report.most > 0:
                report.notes.append("ended after the first differences, as asked for")
                break
            _ended(report, stopped)
            if isinstance(stopped, Gone):
                break
            if name == "stories":
                report.notes.append(_pace(report.played[name], effort.seconds))
        except KeyboardInterrupt:
            report.ended = "interrupted"
            break
    settle(report, stage.contract, stage.presence)
    for story in chosen:
        report.note_rule(story.rule, NOT_REACHED, ENDS.get(report.ended, "not played"))
    for rule, why in unseen().items() if not effort.rules else ():
        report.note_rule(rule, NOT_REACHED, why)


def _pace(stories: Progress, seconds: float) -> str:
    """How much time would have been enough, if `seconds` were not."""
    enough = math.ceil(seconds * stories.all / max(1, stories.done + stories.skipped) / 10) * 10
    return f"at this pace, all stories take --time {enough}"


def _ended(report: Report, stopped: Stopped) -> None:
    report.ended = "gone" if isinstance(stopped, Gone) else "time"


def _walk(explorer: Explorer, seed: int, walks: int, told: Told) -> None:
    progress = explorer.begun("walks", walks)
    progress.is_needed = False
    for number in range(walks):
        told(f"walk {number + 1} of {walks}")
        explorer.walk(seed + number)
        progress.done += 1
