"""A whole check of a target: meeting it, the grid, the stories, the walks, and what all of that has found."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random

import httpx

from stubserver.checking.catalogue import Story, stories, unseen
from stubserver.checking.cleaning import left_over
from stubserver.checking.exploring import Explorer
from stubserver.checking.findings import NOT_REACHED, Report
from stubserver.checking.grid import cells
from stubserver.checking.meeting import CannotCheck, clock_of, introduced, meet, model
from stubserver.checking.reading import Reader
from stubserver.checking.sides import TIMEOUT, Request, Side, Stopped
from stubserver.checking.stage import Stage
from stubserver.checking.telling import Teller
from stubserver.contract.contract import Contract

_SHARE = {"grid": 0.35, "stories": 0.75, "walks": 1.0}
"""Up to which part of the time each of them may take."""


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
        if effort.read_only:
            return _read(contract, target, Report(url, seed, list(tokens)), tokens)
        told("meeting the target")
        community = meet(contract, target, tokens)
        creator = next(name for name, persona in community.personas.items() if persona.may_create)
        community.ahead = clock_of(contract, target, tokens[creator])
        report = Report(url, seed, list(tokens), notes=community.notes, most=effort.most)
        with model(contract, community, url) as ours:
            stage = Stage(contract, Side(ours), target, community)
            run = f"chk{Random(time.time_ns()).randrange(16**8):08x}"  # noqa: S311 (only to be new)
            try:
                _play(stage, report, effort, told, begun, run)
            except KeyboardInterrupt:
                _interrupted(report)
            report.notes += [f"left behind: {left}" for left in left_over(stage, run)]
        report.sent, report.seconds = target.sent, time.monotonic() - begun
        return report


def _read(contract: Contract, target: Side, report: Report, tokens: Mapping[str, str]) -> Report:
    """Check with nothing but GET requests. Raises CannotCheck."""
    begun = time.monotonic()
    introduced(contract, target, tokens)
    first = target.ask(Request(contract.operations["list_features"]))
    if first.failure:
        raise CannotCheck(f"the target does not answer: {first.failure}")
    try:
        Reader(contract, target, tokens, report).read()
    except Stopped:
        report.ended = "time"
        report.notes.append("the time was over; --time gives more")
    except KeyboardInterrupt:
        _interrupted(report)
    report.notes.append("read only: no rule was tried, only shapes, pages and visibility of what is there")
    report.sent, report.seconds = target.sent, time.monotonic() - begun
    return report


def _interrupted(report: Report) -> None:
    report.ended = "interrupted"
    report.notes.append("interrupted: this is what was seen until then")


def _play(stage: Stage, report: Report, effort: Effort, told: Told, begun: float, run: str) -> None:
    chosen = [story for story in stories() if not effort.rules or story.rule in effort.rules]
    explorer = Explorer(stage, report, run)
    parts: Mapping[str, Callable[[], None]] = {
        "grid": lambda: explorer.grid(cells(stage.contract, stage.shapes.id_names)),
        "stories": lambda: _tell(Teller(stage, report, run), chosen, told, sweeps=effort.sweeps),
        "walks": lambda: _walk(explorer, report.seed, effort.walks, told),
    }
    if explorer.missing:
        report.notes.append(f"grid and walks need the token of {explorer.missing}")
    may_explore = not (effort.rules or explorer.missing)
    wanted = {"grid": effort.grid and may_explore, "stories": effort.stories, "walks": may_explore}
    for name, part in parts.items():
        if not wanted[name]:
            continue
        told(name)
        stage.sides[1].end = begun + effort.seconds * _SHARE[name]
        try:
            part()
        except Stopped:
            if len(report.findings) == report.most > 0:
                report.notes.append("ended after the first differences, as asked for")
                break
            report.ended = "time"
            report.notes.append(f"the time was over within the {name}; --time gives more")
    for story in chosen:
        report.note_rule(story.rule, NOT_REACHED, "the time was over")
    for rule, why in unseen().items() if not effort.rules else ():
        report.note_rule(rule, NOT_REACHED, why)


def _tell(teller: Teller, chosen: Sequence[Story], told: Told, *, sweeps: bool) -> None:
    for story in chosen:
        told(f"{story.rule}: {story.title}")
        teller.tell(story, sweeps=sweeps)


def _walk(explorer: Explorer, seed: int, walks: int, told: Told) -> None:
    for number in range(walks):
        told(f"walk {number + 1} of {walks}")
        explorer.walk(seed + number)
