"""The checker of histories: it reports what is planted, and agrees with a search through all orders."""

from collections.abc import Iterator, Sequence
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sharing.check import violations
from tests.sharing.history import FOREVER, Act, History, Operation, Outcome

DONE, REFUSED, UNKNOWN = Outcome.DONE, Outcome.REFUSED, Outcome.UNKNOWN


def op(act: Act, value: Any, began: float, ended: float, outcome: Outcome = DONE, **more: Any) -> Operation:
    return Operation(
        act, more.pop("key", "it"), value, began, FOREVER if outcome is UNKNOWN else ended, outcome, **more
    )


def wrote(value: str, began: float, ended: float = 0, outcome: Outcome = DONE) -> Operation:
    return op(Act.WRITE, value, began, ended, outcome)


def read(value: str, began: float, ended: float) -> Operation:
    return op(Act.READ, value, began, ended)


def added(name: str, began: float, ended: float = 0, outcome: Outcome = DONE, number: int | None = None) -> Operation:
    return op(Act.APPEND, name, began, ended, outcome, number=number, table="ids")


def listed(names: str, began: float, ended: float, act: Act = Act.LIST) -> Operation:
    """What shows the names a, b and so on with the ids 1, 2 and so on."""
    return op(act, tuple((ord(name) - ord("a") + 1, name) for name in names), began, ended, table="ids")


def claimed(name: str, began: float, ended: float = 0, outcome: Outcome = DONE, number: int | None = None) -> Operation:
    return op(Act.CLAIM, name, began, ended, outcome, number=number, table="ids")


def found(names: str, began: float, ended: float) -> Operation:
    return listed(names, began, ended, Act.FIND)


def judged(*operations: Operation, **more: Any) -> list[str]:
    return violations(History({"it": "0"}, operations, **more))


POSSIBLE = {
    "nothing": (),
    "read what was there": (read("0", 1, 2),),
    "read what was written": (wrote("1", 1, 2), read("1", 3, 4)),
    "read either while it is written": (wrote("1", 1, 9), read("0", 2, 3), read("1", 4, 5), read("1", 6, 12)),
    "read at the same nanosecond": (wrote("1", 1, 2), read("0", 2, 3)),
    "two writes at once, in either order": (wrote("1", 1, 9), wrote("2", 1, 9), read("2", 10, 11)),
    "an unknown write seen much later": (wrote("1", 1, 0, UNKNOWN), read("0", 5, 6), read("1", 7, 8)),
    "an unknown write never seen": (wrote("1", 1, 0, UNKNOWN), read("0", 5, 6)),
    "a refused write": (wrote("1", 1, 2, REFUSED), read("0", 5, 6)),
    "lists that grow": (added("a", 1, 2), listed("a", 3, 4), added("b", 5, 6), listed("ab", 7, 8)),
    "an addition seen early": (added("a", 1, 9), listed("a", 2, 3), listed("a", 10, 11)),
    "an unknown addition never seen": (added("a", 1, 0, UNKNOWN), listed("", 5, 6)),
    "an unknown addition seen": (added("a", 1, 0, UNKNOWN), listed("a", 5, 6)),
    "an addition after the last list": (listed("", 1, 2), added("a", 3, 4)),
    "one of many claims": (claimed("a", 1, 9, number=1), claimed("a", 2, 5, REFUSED), found("a", 10, 11)),
    "a claim refused for an unknown one": (claimed("a", 1, 0, UNKNOWN), claimed("a", 2, 5, REFUSED), found("a", 6, 7)),
    "a claim refused late": (claimed("a", 1, 9), claimed("a", 2, 3, REFUSED)),
    "an unknown claim never found": (claimed("a", 1, 0, UNKNOWN), found("", 6, 7)),
}
IMPOSSIBLE = {
    "stale read": ((wrote("1", 1, 2), read("0", 3, 4)), "came before"),
    "stale read, seen by another read": ((wrote("1", 1, 9), read("1", 2, 3), read("0", 4, 5)), "came before"),
    "lost update": ((wrote("1", 1, 2), wrote("2", 3, 4), read("1", 5, 6)), "came before"),
    "back and forth": ((wrote("1", 1, 9), wrote("2", 1, 9), *map(read, "121", (2, 4, 6), (3, 5, 7))), "came before"),
    "a moment within a time": ((wrote("1", 1, 2), wrote("2", 4, 5), read("1", 7, 8)), "came before"),
    "read of the future": ((read("1", 1, 2), wrote("1", 3, 4)), "only written later"),
    "read of nothing": ((read("x", 1, 2),), "nobody wrote that"),
    "half an update": ((wrote("1 1", 1, 2), read("1 0", 3, 4)), "nobody wrote that"),
    "read of what was refused": ((wrote("1", 1, 2, REFUSED), read("1", 3, 4)), "that was refused"),
    "an unknown write undone": ((wrote("1", 1, 0, UNKNOWN), read("1", 5, 6), read("0", 7, 8)), "came before"),
    "a list without what was added": ((added("a", 1, 2), listed("", 3, 4)), "came before"),
    "a list that shrinks": ((added("a", 1, 9), listed("a", 2, 3), listed("", 4, 5)), "came before"),
    "an addition lost for good": ((added("a", 1, 2), added("b", 1, 2), listed("a", 3, 4)), "came before"),
    "two orders": ((added("a", 1, 9), added("b", 1, 9), listed("ab", 2, 3), listed("ba", 2, 3)), "no"),
    "the wrong order": ((added("b", 1, 2), added("a", 3, 4), listed("ab", 5, 6)), "came before"),
    "an addition twice": ((added("a", 1, 2), listed("aa", 3, 4)), "in a list twice"),
    "an addition of nobody": ((listed("a", 3, 4),), "nobody added it"),
    "an addition that was refused": ((added("a", 1, 2, REFUSED), listed("a", 3, 4)), "that was refused"),
    "a name given twice": ((claimed("a", 1, 5), claimed("a", 2, 6)), "given twice"),
    "a name refused to all": ((claimed("a", 1, 5, REFUSED), claimed("a", 2, 6, REFUSED)), "before anybody"),
    "a name refused too early": ((claimed("a", 1, 2, REFUSED), claimed("a", 3, 4)), "before anybody"),
    "a name refused before it was given": (
        (claimed("a", 1, 0, UNKNOWN), claimed("a", 2, 3, REFUSED), claimed("a", 4, 5)),
        "before anybody",
    ),
    "a name lost": ((claimed("a", 1, 2), found("", 3, 4)), "does not find 'a'"),
    "a name lost that was found": ((claimed("a", 1, 9), found("a", 2, 3), found("", 4, 5)), "does not find 'a'"),
    "a name lost that others were refused": (
        (claimed("a", 1, 0, UNKNOWN), claimed("a", 2, 3, REFUSED), found("", 4, 5)),
        "does not find 'a'",
    ),
    "a name of nobody": ((found("a", 3, 4),), "nobody claimed"),
    "a name of those refused": ((claimed("a", 1, 2, REFUSED), found("a", 3, 4)), "before anybody"),
    "a name found twice": ((claimed("a", 1, 2), found("aa", 3, 4)), "finds 'a' twice"),
    "an id given twice": ((added("a", 1, 2, number=5), added("b", 1, 2, number=5)), "the id 5 was given twice"),
    "an id given to two lists": (
        (added("a", 1, 2, number=5), op(Act.APPEND, "b", 1, 2, key="other", number=5, table="ids")),
        "ids: the id 5 was given twice",
    ),
    "an id that changes": ((added("a", 1, 2, number=5), listed("a", 3, 4)), "'a' has two ids"),
}


@pytest.mark.parametrize("name", POSSIBLE)
def test_what_is_possible_is_no_violation(name: str) -> None:
    assert judged(*POSSIBLE[name]) == []


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_what_is_impossible_is_reported(name: str) -> None:
    operations, message = IMPOSSIBLE[name]
    told = judged(*operations)
    assert told
    assert all(message in line for line in told), told


def test_a_report_names_who_did_what_and_when() -> None:
    writer = op(Act.WRITE, "new", 1e6, 2e6, who="client 3 at process 1")
    reader = op(Act.READ, "0", 3e6, 4e6, who="client 4 at process 2")
    assert judged(writer, reader) == [
        "it: (the beginning writes '0' (-inf--inf ms)) came before (client 3 at process 1 writes 'new' (1.000-2.000 "
        "ms)), but (client 3 at process 1 writes 'new' (1.000-2.000 ms)) came before (client 4 at process 2 reads '0' "
        "(3.000-4.000 ms))"
    ]


def test_requests_are_numbered_once_and_strange_answers_are_told() -> None:
    assert judged(requests=["w-1", "w-2", "w-1"]) == ["the request id w-1 was given twice"]
    assert judged(strange=["500 for PATCH"]) == ["strange answer: 500 for PATCH"]


@pytest.mark.parametrize(
    ("operations", "message"),
    [
        ((wrote("1", 1, 2), wrote("1", 3, 4)), "'1' is written twice"),
        ((wrote("0", 1, 2),), "'0' is written twice"),
        ((added("a", 1, 2), added("a", 3, 4)), "'a' is added twice"),
        ((op(Act.READ, "1", 1, 2, key="other"),), "other: nobody knows the first value"),
        ((read("0", 1, 2), added("a", 1, 2)), "it is more than one kind of object"),
        ((claimed("a", 1, 2), added("a", 1, 2)), "it is more than one kind of object"),
    ],
)
def test_a_history_that_cannot_be_judged_is_refused(operations: Sequence[Operation], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        judged(*operations)


# Against a search


def orders(operations: Sequence[Operation]) -> Iterator[Sequence[Operation]]:
    """Every order of those that happened which contradicts no times; what is unknown may have happened or not."""
    known = [each for each in operations if each.outcome is not UNKNOWN]
    unknown = [each for each in operations if each.outcome is UNKNOWN]
    for chosen in range(1 << len(unknown)):
        some = known + [each for bit, each in enumerate(unknown) if chosen >> bit & 1]
        for order in permutations(some):
            if all(not later.ended < earlier.began for n, earlier in enumerate(order) for later in order[n + 1 :]):
                yield order


def explains(order: Sequence[Operation]) -> bool:
    """Whether one after the other, in this order, would have gone as it did."""
    value: Any = "0"
    names: list[Any] = []
    for each in order:
        match each.act:
            case Act.WRITE if each.outcome is not REFUSED:
                value = each.value
            case Act.READ if each.value != value:
                return False
            case Act.APPEND if each.outcome is not REFUSED:
                names.append(each.value)
            case Act.CLAIM:
                if (each.value in names) != (each.outcome is REFUSED):
                    return False
                names += [each.value] if each.outcome is not REFUSED else []
            case Act.LIST if shown(each) != names:
                return False
            case Act.FIND if sorted(shown(each)) != sorted(names):
                return False
    return True


def shown(operation: Operation) -> list[str]:
    assert isinstance(operation.value, tuple)
    return [name for _, name in operation.value]


OUTCOMES = st.sampled_from([DONE, DONE, DONE, UNKNOWN, REFUSED])
TIMES = st.tuples(st.integers(0, 12), st.integers(0, 12)).map(lambda pair: (min(pair), max(pair)))


@st.composite
def histories(draw: st.DrawFn, changing: Act, seeing: Act) -> list[Operation]:
    """Up to six operations: changes to different values, and what was seen by others."""
    changes = [op(changing, name, *draw(TIMES), draw(OUTCOMES)) for name in "abc"[: draw(st.integers(0, 3))]]
    values = st.sampled_from("0abc") if seeing is Act.READ else st.sampled_from(["", "a", "b", "ab", "ba", "abc", "cb"])
    sights = [draw(values) for _ in range(draw(st.integers(0, 3)))]
    return changes + [
        op(seeing, value if seeing is Act.READ else tuple((ord(name), name) for name in value), *draw(TIMES))
        for value in sights
    ]


@pytest.mark.parametrize(("changing", "seeing"), [(Act.WRITE, Act.READ), (Act.APPEND, Act.LIST)])
@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_the_verdict_is_that_of_a_search(changing: Act, seeing: Act, data: st.DataObject) -> None:
    """On registers and lists, in both directions."""
    history = data.draw(histories(changing, seeing))
    assert (judged(*history) == []) == any(map(explains, orders(history)))


@settings(max_examples=300, deadline=None)
@given(
    outcomes=st.lists(st.tuples(TIMES, OUTCOMES), max_size=3),
    finds=st.lists(st.tuples(TIMES, st.booleans()), max_size=3),
)
def test_the_verdict_on_a_name_is_that_of_a_search(outcomes: Any, finds: Any) -> None:
    claims = [op(Act.CLAIM, "a", times[0], times[1], outcome) for times, outcome in outcomes]
    sights = [op(Act.FIND, ((1, "a"),) if seen else (), times[0], times[1]) for times, seen in finds]
    history = [*claims, *sights]
    assert (judged(*history) == []) == any(map(explains, orders(history)))
