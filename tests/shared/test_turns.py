"""Turns: jobs are done together and in order, again if they have to be, and what fails leaves nothing behind."""

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest

from stubserver.errors import Refusal
from stubserver.shared import turns
from stubserver.shared.turn import COUNTERS, JOURNAL, Missing
from stubserver.shared.turns import Direct, Job
from stubserver.stores.store import Unavailable, Unknown
from stubserver.worlds.fault import Fault
from tests.support.default import NOW
from tests.support.stored import PATIENCE, Process, note

ERROR = {"kind": "error", "probability": 1, "seed": 0, "seconds": 1, "at_most": 1}


def refused(result: Any) -> str:
    """The message of a 503 refusal, which has one line and says when to come back."""
    assert isinstance(result, Refusal), result
    (problem,) = result.problems
    assert (result.status, problem.code, result.headers) == (503, "service_unavailable", {"Retry-After": "1"})
    assert "\n" not in problem.message
    return problem.message


def journal(process: Process, name: str = "w") -> list[bytes]:
    """The entries in the journal of a world."""
    (found,) = process.do(lambda: process.worlds.known(JOURNAL + name))
    return [text for packed in found for text in packed.split(b"|")]


def counter(process: Process, name: str = "n") -> int:
    (found,) = process.do(lambda: process.worlds.counter(name))
    assert isinstance(found, int)
    return found


def everything(process: Process, name: str = "w") -> dict[str, Any]:
    """All that a turn can do to a world, as it is within a turn: read, then done."""
    worlds, turn, world = process.worlds, process.worlds.turn, process.world(name)
    found = {
        "rows": process.added(name),
        "next": world.categories.own().next_id,
        "state": world.state,
        "asked": world.asked,
        "entries": turn.entries[name].packed().count if name in turn.entries else 0,
        "counted": sum(counts["n"] for counts in turn.counted.values()),
        "cleared": {*turn.cleared},
        "reset": turn.reset,
        "replaced": turn.replaced & {"new"},
        "gone": turn.gone & {"old"},
        "snapshots": [*turn.snapshots],
    }
    world.categories.put({"id": world.categories.next_id() + 100})
    world.clock.freeze(NOW)
    world.strict = True
    world.faults = {1: Fault.of(1, ERROR, "")}
    world.faulted, world.fault_log = 1, [{"id": 1}]
    world.start_over()
    world.asked += 1
    turn.cleared.add(name)
    note(turn, name, world.asked)
    turn.count(name, "n")
    turn.reset = "nothing/"
    if {"new", "old", "snapshot:s"} <= turn.fresh:
        worlds.reset("new")
        worlds.delete("old")
        worlds._keep_snapshot("s", world.snapshot())
    return found


# Done together


def test_jobs_of_a_turn_see_each_other_in_order(one: Process, other: Process) -> None:
    found = one.do(*(partial(one.add, number) for number in (101, 102, 103)))
    assert found == [[101], [101, 102], [101, 102, 103]]
    assert len(one.store.committed) == 1
    assert other.do(other.added) == [[101, 102, 103]]


def test_a_turn_that_changes_nothing_commits_nothing(one: Process, other: Process) -> None:
    """And lets go of the file, so that another process need not wait."""
    one.do(partial(one.add, 101))
    assert one.do(one.added, one.added) == [[101], [101]]
    assert len(one.store.committed) == 1
    assert other.do(partial(other.add, 102)) == [[101, 102]]


def test_work_does_not_count_as_waiting_for_the_store(one: Process, monkeypatch: pytest.MonkeyPatch) -> None:
    """However long it takes, there is as much time left for the commit."""
    now = [1000.0]
    monkeypatch.setattr(turns, "time", SimpleNamespace(monotonic=lambda: now[0]))

    def work() -> list[int]:
        now[0] += 500
        return one.add(101)

    assert one.do(work, work) == [[101], [101]]
    assert one.store.deadline == now[0] + turns.PATIENCE


def test_each_of_two_processes_sees_what_the_other_has_done(one: Process, other: Process) -> None:
    for number in range(100, 110, 2):
        one.do(partial(one.add, number))
        assert other.do(partial(other.add, number + 1)) == [[*range(100, number + 2)]]


# Something is missing


@pytest.mark.parametrize("is_there", [True, False])
def test_of_a_job_that_misses_something_nothing_is_left(one: Process, other: Process, is_there: bool) -> None:
    tried: list[Any] = []
    if is_there:
        one.do(partial(one.add, 101))

    def work() -> list[int]:
        tried.append(everything(one))
        one.worlds.need("another")
        return one.added()

    one.do(one.world, names=["new", "old", "snapshot:s"])
    (found,) = one.do(work, names=["w", "new", "old", "snapshot:s"])
    first, second = tried
    assert first == second
    assert len(found) == 1 + is_there
    assert other.do(lambda: len(other.added()), lambda: other.world().asked) == [1 + is_there, 1]
    assert (journal(other), counter(other)) == ([b"{}"], 1)


def test_a_job_that_misses_something_spares_the_others(one: Process) -> None:
    """What those before and after it do is done once, though they are tried again."""
    done: list[str] = []

    def miss() -> list[int]:
        one.add(102)
        one.worlds.need("another")
        done.append("missing")
        return one.added()

    def note(name: str, number: int) -> list[int]:
        done.append(name)
        return one.add(number)

    found = one.do(partial(note, "before", 101), miss, partial(note, "after", 103))
    assert found == [[101], [101, 103, 102], [101, 103]]
    assert done == ["before", "after", "before", "after", "missing"]


def test_what_a_job_misses_is_found_out_step_by_step(one: Process) -> None:
    steps = ["a", "b", COUNTERS, "c"]

    def work() -> str:
        for name in steps:
            one.worlds.known(name) if name == COUNTERS else one.worlds.need(name)
        return "done"

    assert one.do(work) == ["done"]
    assert one.store.asked.count("refresh") == 1 + len(steps)


def test_a_job_knows_the_next_time_what_it_missed(one: Process) -> None:
    """Also if it came to that only because of another job."""
    job = Job(lambda: one.worlds.need("a", "b"), ["w"], 0, lambda _: None)
    with pytest.raises(Missing):
        job.attempt()
    one.turns._attempt(job)
    assert (job.names[0], {*job.names}) == ("w", {"w", "a", "b"})  # the first is the world whose requests it numbers


# Others were faster


@pytest.fixture
def known_to_both(one: Process, other: Process) -> None:
    """Both processes know the world."""
    for process in (one, other):
        process.do(partial(process.add, 101))


def meanwhile(one: Process, *works: Callable[[], Any], by: Process, times: int = 1, name: str = "w") -> None:
    """Have another process do something before each of the next commits."""
    one.store.meanwhile = [lambda: by.doing(*works, names=[name])] * times


@pytest.mark.usefixtures("known_to_both")
def test_the_jobs_of_a_world_that_others_have_changed_are_done_again(
    one: Process, other: Process, runner: asyncio.Runner
) -> None:
    """Those that only read it, too, because they may have seen what is undone; but not those of other worlds."""
    done: list[str] = []

    def note(what: str, work: Callable[[], Any]) -> Any:
        done.append(what)
        return work()

    async def together() -> list[Any]:
        works = (
            ("w", "write", partial(one.add, 103)),
            ("w", "read", one.added),
            ("v", "elsewhere", partial(one.add, 104, "v")),
        )
        return await asyncio.gather(*(one.turns.run(partial(note, what, work), name) for name, what, work in works))

    one.do(lambda: one.world("v"), names=["v"])
    meanwhile(one, partial(other.add, 102), by=other)
    assert runner.run(together()) == [[101, 102, 103], [101, 102, 103], [104]]
    assert done == ["write", "read", "elsewhere", "write", "read"]
    assert other.do(other.added) == [[101, 102, 103]]


@pytest.mark.usefixtures("known_to_both")
def test_of_a_conflict_nothing_is_left(one: Process, other: Process) -> None:
    tried: list[Any] = []

    def work() -> None:
        tried.append(everything(one))

    meanwhile(one, partial(other.add, 102), by=other)
    one.do(work, work, number=1)
    first, _, again, _ = tried
    assert again == {**first, "rows": [101, 102], "asked": 2}  # two numbers were taken for nothing
    assert (len(journal(other)), counter(other)) == (2, 2)
    for process in (one, other):
        assert counter(process) == 2
        assert [len(added) for added in process.do(process.added)] == [4]


@pytest.mark.usefixtures("known_to_both")
@pytest.mark.parametrize("deed", ["delete", "reset"])
def test_a_world_that_others_have_deleted_or_replaced_is_begun_anew(one: Process, other: Process, deed: str) -> None:
    meanwhile(one, lambda: getattr(other.worlds, deed)("w"), by=other)
    assert one.do(partial(one.add, 102)) == [[102]]
    assert other.do(other.added) == [[102]]


@pytest.mark.usefixtures("known_to_both")
def test_a_world_that_both_make_is_made_once(one: Process, other: Process) -> None:
    meanwhile(one, lambda: other.add(101, "v"), by=other, name="v")
    assert one.do(lambda: one.add(102, "v"), names=["v"]) == [[101, 102]]
    assert other.do(lambda: other.added("v"), names=["v"]) == [[101, 102]]


@pytest.mark.usefixtures("known_to_both")
def test_entries_alone_are_in_no_conflict(one: Process, other: Process) -> None:
    def read() -> list[int]:
        note(one.worlds.turn, "w", 7)
        return one.added()

    meanwhile(one, partial(other.add, 102), by=other)
    assert one.do(read) == [[101]]
    assert journal(other) == [b"{}"]
    assert one.do(one.added) == [[101, 102]]


@pytest.mark.usefixtures("known_to_both")
def test_what_uses_several_worlds_is_not_done_twice(one: Process, other: Process) -> None:
    """A fork is stored though the world that it was made from is in conflict; it must not find itself there."""
    made: list[str] = []

    def fork() -> str:
        if "fork" in one.worlds:
            return "exists"
        one.worlds.restore("fork", one.world().snapshot())
        made.append("fork")
        return "made"

    meanwhile(one, partial(other.add, 102), by=other)
    found = one.do(partial(one.add, 103), fork, partial(one.add, 104))
    assert found == [[101, 102, 103], "made", [101, 102, 103, 104]]
    assert other.do(lambda: other.added("fork")) == [[101, 102, 103, 104]]
    assert [len(commits) for commits in one.store.committed[-3:]] == [1, 1, 1]


@pytest.mark.usefixtures("known_to_both")
def test_what_uses_several_worlds_shares_no_turn_with_what_follows(
    one: Process, other: Process, runner: asyncio.Runner
) -> None:
    def fork() -> str:
        if "fork" in one.worlds:
            return "exists"
        one.worlds.restore("fork", one.world().snapshot())
        return "made"

    async def both() -> tuple[str, list[int]]:
        add = one.turns.run(partial(one.add, 103), "w")
        return await asyncio.gather(one.turns.run(fork, "w", "fork"), add)

    one.do(lambda: one.worlds.need("w", "fork"), names=["w", "fork"])
    one.store.meanwhile = [_nothing, lambda: other.doing(partial(other.add, 102))]
    assert [*runner.run(both())] == ["made", [101, 102, 103]]
    assert other.do(lambda: other.added("fork")) == [[101]]


async def _nothing() -> None:
    pass


@pytest.mark.usefixtures("known_to_both", "without_pause")
def test_a_store_that_is_always_changed_is_given_up(
    one: Process, other: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "PATIENCE", 0)
    meanwhile(one, partial(other.add, 102), by=other)
    (result,) = one.do(partial(one.add, 103))
    assert "worlds.db was changed by other processes again and again." in refused(result)
    assert one.do(one.added) == [[101, 102]]


# The store fails


@pytest.mark.usefixtures("without_pause")
@pytest.mark.parametrize("call", ["refresh", "commit"])
def test_a_store_that_is_not_available_is_a_refusal(one: Process, other: Process, call: str) -> None:
    """Nothing is left of the turn, and the next one works."""
    one.do(partial(one.add, 101))
    before: list[Any] = []
    one.do(lambda: before.append(one.world().state))
    one.store.failing = [(call, Unavailable("the disk is full"))]
    results = one.do(partial(everything, one), partial(one.add, 103), number=1)
    assert [refused(result) for result in results] == ["The store of worlds does not work: the disk is full."] * 2
    assert one.do(one.added, lambda: one.world().state) == [[101], *before]
    assert (journal(one), counter(one)) == ([], 0)
    assert other.do(other.added, lambda: other.world().asked) == [[101], 0]


@pytest.mark.usefixtures("without_pause")
@pytest.mark.parametrize(("call", "found"), [("commit", [101]), ("committed", [101, 102])])
def test_a_store_that_stops_answering_may_have_stored_it(one: Process, call: str, found: list[int]) -> None:
    one.do(partial(one.add, 101))
    one.store.failing = [(call, Unknown("no answer"))]
    (result,) = one.do(partial(one.add, 102))
    message = "The store of worlds does not work: no answer. What was asked for may have been done or not."
    assert refused(result) == message
    assert one.worlds._worlds == {}  # whatever has become of the copy, it is read again
    assert one.do(one.added) == [found]


@pytest.mark.usefixtures("without_pause")
def test_worlds_that_failed_to_come_or_go_are_as_they_were(one: Process) -> None:
    one.do(lambda: one.add(101, "kept"), names=["kept"])
    for deed in (lambda: one.worlds.delete("kept"), lambda: one.worlds.reset("kept"), lambda: one.world("made")):
        one.store.failing = [("commit", Unavailable("full"))]
        refused(one.do(deed)[0])
        assert one.do(lambda: [world.name for world in one.worlds]) == [["kept"]]
        assert one.do(lambda: one.added("kept")) == [[101]]


def test_after_a_failure_nobody_waits_for_the_store(one: Process, monkeypatch: pytest.MonkeyPatch) -> None:
    """For a while; the refusal is that of the failure, but nothing can have been done."""
    monkeypatch.setattr(turns, "_PAUSE", 1000)
    one.store.failing = [("commit", Unknown("no answer"))]
    refused(one.do(partial(one.add, 101))[0])
    asked = len(one.store.asked)
    assert refused(one.do(partial(one.add, 102))[0]) == "The store of worlds does not work: no answer."
    assert len(one.store.asked) == asked
    monkeypatch.setattr(turns, "_PAUSE", 0)
    assert one.do(partial(one.add, 103)) == [[103]]


def test_want_of_room_is_no_failure(process: Callable[..., Process]) -> None:
    """What is to be answered is stored by then, and the next commit makes room."""
    one = process(max_worlds=1)
    one.store.failing = [("kept", Unavailable("busy"))]
    for name in "ab":
        assert one.do(partial(one.add, 101, name), names=[name]) == [[101]]
    assert one.store.failing == []
    assert one.do(lambda: one.add(102, "b"), names=["b"]) == [[101, 102]]
    assert one.do(lambda: [world.name for world in one.worlds]) == [["b"]]


# A job or its caller fails


def test_an_exception_reaches_its_caller_alone(one: Process, other: Process) -> None:
    def fail() -> None:
        raise ValueError("mine")

    first, failed, last = one.do(partial(one.add, 101), fail, partial(one.add, 102))
    assert (first, last) == ([101], [101, 102])
    assert (type(failed), str(failed)) == (ValueError, "mine")
    assert other.do(other.added) == [[101, 102]]


def test_an_exception_of_an_earlier_try_is_forgotten(one: Process) -> None:
    outcomes: list[Any] = [Missing("a"), None]

    def work() -> str:
        if (outcome := outcomes.pop(0)) is not None:
            raise outcome
        return "done"

    assert one.do(work) == ["done"]


@pytest.mark.usefixtures("known_to_both")
def test_an_exception_is_forgotten_if_the_job_is_done_again(one: Process, other: Process) -> None:
    def work() -> str:
        if 102 not in one.added():
            raise ValueError
        return "done"

    meanwhile(one, partial(other.add, 102), by=other)
    assert one.do(partial(one.add, 103), work) == [[101, 102, 103], "done"]


@pytest.mark.parametrize("call", ["refresh", "commit"])
def test_a_bug_in_a_turn_does_not_end_the_turns(one: Process, call: str) -> None:
    one.do(partial(one.add, 101))
    one.store.failing = [(call, KeyError("bug"))]
    results = one.do(partial(one.add, 102), one.added)
    assert [type(result) for result in results] == [KeyError] * 2
    assert one.do(partial(one.add, 103)) == [[101, 103]]


def test_a_result_that_nobody_takes_harms_no_others(one: Process, caplog: pytest.LogCaptureFixture) -> None:
    def fail(_: Job) -> None:
        raise ValueError("mine")

    async def both() -> list[int]:
        one.turns.offer(Job(partial(one.add, 101), ["w"], 0, fail))
        return await one.turns.run(partial(one.add, 102), "w")

    with caplog.at_level(logging.ERROR, "stubserver"):
        assert one.runner.run(both()) == [101, 102]
    assert [record.getMessage() for record in caplog.records] == ["the result of a turn could not be passed on"]


def test_a_caller_that_gives_up_harms_nobody(one: Process, other: Process) -> None:
    """Its job is done all the same."""

    async def give_up() -> list[int]:
        impatient = asyncio.create_task(one.turns.run(partial(one.add, 101), "w"))
        patient = asyncio.create_task(one.turns.run(partial(one.add, 102), "w"))
        one.store.meanwhile = [_cancelling(impatient)]
        found = await patient
        assert impatient.cancelled()
        return found

    assert one.runner.run(give_up()) == [101, 102]
    assert other.do(other.added) == [[101, 102]]


def _cancelling(task: asyncio.Task[Any]) -> Callable[[], Any]:
    async def cancel() -> None:
        task.cancel()
        await asyncio.sleep(0)

    return cancel


def test_a_caller_may_give_up_before_its_turn(one: Process) -> None:
    async def give_up() -> list[int]:
        impatient = asyncio.create_task(one.turns.run(partial(one.add, 101), "w"))
        await asyncio.sleep(0)
        impatient.cancel()
        return await one.turns.run(partial(one.add, 102), "w")

    assert one.runner.run(give_up())[-1] == 102


# The end


def test_the_end_comes_after_the_turn_in_progress(one: Process, other: Process) -> None:
    """Jobs that wait for a later one are refused, and so are those that come after the end."""
    late: list[Any] = []

    async def end() -> Any:
        async def close() -> None:
            late.append(asyncio.create_task(one.turns.run(partial(one.add, 102), "w")))
            await asyncio.sleep(0)
            late.append(asyncio.create_task(one.turns.close()))
            await asyncio.sleep(0)
            late.append(asyncio.create_task(one.turns.run(partial(one.add, 103), "w")))

        one.store.meanwhile = [close]
        async with asyncio.timeout(PATIENCE):
            found = await one.turns.run(partial(one.add, 101), "w")
            return found, await asyncio.gather(*late, return_exceptions=True)

    found, (waited, closed, came) = one.runner.run(end())
    assert (found, closed) == ([101], None)
    assert refused(waited) == refused(came) == "This server has ended."
    assert one.store._file._open is None
    assert other.do(other.added) == [[101]]
    assert one.do(one.added) == [[101]]  # as when the worlds are written to a file after that


def test_turns_may_end_before_they_begin(one: Process) -> None:
    for _ in range(2):
        one.runner.run(one.turns.close())
    assert one.do(one.added) == [[]]


def test_a_turn_that_is_cancelled_undoes_what_it_did(
    one: Process, other: Process, default_fixture: Any, runner: asyncio.Runner
) -> None:
    """As when the event loop ends."""

    async def cancel() -> Any:
        async def end() -> None:
            assert one.turns._task is not None
            one.turns._task.cancel()
            await asyncio.sleep(0)

        one.store.meanwhile = [end]
        return await asyncio.gather(one.turns.run(partial(one.add, 101), "w"), return_exceptions=True)

    (result,) = runner.run(cancel())
    assert isinstance(result, asyncio.CancelledError)
    assert other.do(other.added) == [[]]


# Without turns


def test_without_a_store_work_is_done_at_once(runner: asyncio.Runner) -> None:
    direct = Direct()
    assert runner.run(direct.run(lambda: "done", "w", number=1)) == "done"
    with pytest.raises(ZeroDivisionError):
        runner.run(direct.run(lambda: 1 // 0))
    runner.run(direct.close())
