"""Whether a history is linearizable: whether each operation can have happened at one moment between its beginning and
its end, so that each saw exactly what those before it had done. Stale reads, lost updates, half updates and duplicates
are what cannot. Objects are judged one by one, which is enough: a history is linearizable if it is for each object
(Herlihy and Wing, 1990). A request that reads two objects counts as two operations.

Because every value is written once, no search is needed. Say that A comes before B if A ended before B began; no order
of the moments may contradict that.

**Registers** (Gibbons and Korach, 1997). A value's write and its reads are its *cluster*, and all of a cluster happens
before or after all of another. Cluster i must precede cluster j if an operation of i comes before one of j, that is if
the first end in i is earlier than the last beginning in j. The history is linearizable if and only if no read ends
before its write begins, and no two clusters must precede each other. (Longer circles contain one of two: in a shortest
circle, i to j to k but not i to k means that k began at the latest no later than i first ended, so first ends would
become smaller all around the circle. Inside a cluster, the write goes first.)

**Lists** only grow at their end, so what the longest list shows is the order of the additions, all others must be
beginnings of it, and each operation has its place: an addition between the lists without and with it, one that no list
shows after all of them. The history is linearizable if and only if none comes before one with an earlier place.

**Names** that only one can have, each judged on its own: at most one of its claims is done. It is taken when a claim
ended, done or refused, or when it was found. Before that the claim began that is done, or if none is, one that is
unknown; and whoever looks later finds it.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import TypeVar

from tests.sharing.history import FOREVER, Act, History, Operation, Outcome, Shown

Operations = Sequence[Operation]
_Value = TypeVar("_Value")


def violations(history: History) -> list[str]:
    """A line for each contradiction that was found; none if the history is linearizable. Raises ValueError if it cannot
    be judged: a value is written twice, or nobody knows with which one a register began."""
    found = [f"strange answer: {line}" for line in history.strange]
    for key, operations in _grouped(history.operations, lambda each: each.key).items():
        found += [f"{key}: {line}" for line in _judged(key, operations, history)]
    for table, operations in _grouped(history.operations, lambda each: each.table).items():
        found += [f"{table}: {line}" for line in _ids(operations)]
    found += [f"the request id {text} was given twice" for text in _repeated(history.requests)]
    return found


def _grouped(operations: Operations, by: Callable[[Operation], str]) -> dict[str, list[Operation]]:
    """The operations by a text that each has; without those whose text is empty."""
    groups: defaultdict[str, list[Operation]] = defaultdict(list)
    for operation in operations:
        groups[by(operation)].append(operation)
    groups.pop("", None)
    return groups


def _judged(key: str, operations: Operations, history: History) -> Iterator[str]:
    acts = {operation.act for operation in operations}
    if acts <= {Act.WRITE, Act.READ}:
        return _register(key, operations, history)
    if acts <= {Act.APPEND, Act.LIST}:
        return _list(operations)
    if acts <= {Act.CLAIM, Act.FIND}:
        return _names(operations)
    raise ValueError(f"{key} is more than one kind of object: {sorted(act.value for act in acts)}")


# Registers


class _Cluster:
    """A write and the reads of its value."""

    def __init__(self, write: Operation) -> None:
        self.first = self.last = self.write = write

    def add(self, read: Operation) -> None:
        self.first = min(self.first, read, key=lambda each: each.ended)
        self.last = max(self.last, read, key=lambda each: each.began)

    @property
    def is_forward(self) -> bool:
        """Whether its value must have stood for some time, and not only at some moment."""
        return self.first.ended < self.last.began


def _register(key: str, operations: Operations, history: History) -> Iterator[str]:
    if key not in history.initial:
        raise ValueError(f"{key}: nobody knows the first value of this register")
    initial = Operation(Act.WRITE, key, history.initial[key], -FOREVER, -FOREVER, who="the beginning")
    clusters = {initial.value: _Cluster(initial)}
    for write in (each for each in operations if each.act is Act.WRITE):
        if write.value in clusters:
            raise ValueError(f"{key}: {write.value!r} is written twice")
        clusters[write.value] = _Cluster(write)
    for read in (each for each in operations if each.act is Act.READ and each.outcome is Outcome.DONE):
        if (problem := _unreadable(read, clusters.get(read.value))) is not None:
            yield problem
        else:
            clusters[read.value].add(read)
    yield from _alternating([each for each in clusters.values() if each.write.outcome is not Outcome.REFUSED])


def _unreadable(read: Operation, cluster: _Cluster | None) -> str | None:
    """Why a read cannot have seen its value; None if it can."""
    if cluster is None:
        return f"{read}, but nobody wrote that"
    if cluster.write.outcome is Outcome.REFUSED:
        return f"{read}, but that was refused: {cluster.write}"
    if read.ended < cluster.write.began:
        return f"{read}, but that was only written later: {cluster.write}"
    return None


def _alternating(clusters: Sequence[_Cluster]) -> Iterator[str]:
    """A line for each cluster that must precede another one, which must precede it, too. One of the two is forward: a
    cluster that happens at one moment can be on one side of it only."""
    forward = sorted((each for each in clusters if each.is_forward), key=lambda each: each.first.ended)
    others = sorted((each for each in clusters if not each.is_forward), key=lambda each: each.last.began)
    latest: _Cluster | None = None  # that with the last beginning, of the forward ones so far
    for cluster in forward:
        if latest is not None and cluster.first.ended < latest.last.began:
            yield _both(latest, cluster)
        latest = _later(latest, cluster)
    latest, waiting = None, iter(forward)
    upcoming = next(waiting, None)
    for cluster in others:
        while upcoming is not None and upcoming.first.ended < cluster.last.began:
            latest, upcoming = _later(latest, upcoming), next(waiting, None)
        if latest is not None and cluster.first.ended < latest.last.began:
            yield _both(latest, cluster)


def _later(one: _Cluster | None, other: _Cluster) -> _Cluster:
    return other if one is None or other.last.began > one.last.began else one


def _both(one: _Cluster, other: _Cluster) -> str:
    return f"({one.first}) came before ({other.last}), but ({other.first}) came before ({one.last})"


# Lists


def _list(operations: Operations) -> Iterator[str]:
    """Judge a list that only grows."""
    lists = [each for each in operations if each.act is Act.LIST and each.outcome is Outcome.DONE]
    added = _added(operations)
    longest = max(map(_shown, lists), key=len, default=())
    odd = [each for each in lists if _shown(each) != longest[: len(_shown(each))]]
    if odd:
        yield f"({odd[0]}) is not how the longest list begins: {longest}"
        return
    names = [name for _, name in longest]
    yield from (f"{name!r} is in a list twice" for name in _repeated(names))
    for name in names:
        if name not in added:
            yield f"{name!r} is in a list, but nobody added it"
        elif added[name].outcome is Outcome.REFUSED:
            yield f"{name!r} is in a list, but that was refused: ({added[name]})"
    yield from _disordered([*_places(lists, added.values(), names)])


def _added(operations: Operations) -> dict[str, Operation]:
    """Name -> the operation that adds it."""
    additions = [each for each in operations if each.act is Act.APPEND]
    if twice := _repeated(each.value for each in additions):
        raise ValueError(f"{twice[0]!r} is added twice")
    return {str(each.value): each for each in additions}


def _places(lists: Operations, added: Iterable[Operation], names: Sequence[str]) -> Iterator[tuple[int, Operation]]:
    """Each operation with its place. What was not done and is in no list has none."""
    places = {name: 2 * index + 1 for index, name in enumerate(names)}
    for each in added:
        if each.value in places or each.outcome is Outcome.DONE:
            yield places.get(str(each.value), 2 * len(names) + 1), each
    yield from ((2 * len(_shown(each)), each) for each in lists)


def _disordered(placed: list[tuple[int, Operation]]) -> Iterator[str]:
    """A line for each operation that began after one with a later place had ended."""
    placed.sort(key=lambda each: each[0], reverse=True)
    earliest: Operation | None = None  # of those with later places, that which ended first
    for _, group in groupby(placed, key=lambda each: each[0]):
        same = [operation for _, operation in group]
        if earliest is not None:
            yield from (f"({earliest}) came before ({each})" for each in same if earliest.ended < each.began)
        earliest = min(filter(None, (earliest, *same)), key=lambda each: each.ended)


# Names


def _names(operations: Operations) -> Iterator[str]:
    """Judge the claims of names, and what was found of them."""
    claims: defaultdict[str, list[Operation]] = defaultdict(list)
    for each in operations:
        if each.act is Act.CLAIM:
            claims[str(each.value)].append(each)
    taken = dict(_taken(operations))
    for name, claimed in claims.items():
        yield from _claimed(name, claimed, taken.get(name))
    for find in operations:
        if find.act is Act.FIND and find.outcome is Outcome.DONE:
            yield from _found(find, claims, taken)


def _taken(operations: Operations) -> Iterator[tuple[str, Operation]]:
    """Each name with the operation that ended first of those by which it was taken."""
    for each in sorted(operations, key=lambda each: each.ended, reverse=True):
        if each.act is Act.CLAIM and each.outcome is not Outcome.UNKNOWN:
            yield str(each.value), each
        elif each.act is Act.FIND and each.outcome is Outcome.DONE:
            yield from ((name, each) for _, name in _shown(each))


def _claimed(name: str, claims: Operations, taken: Operation | None) -> Iterator[str]:
    """Judge the claims of one name."""
    done = [each for each in claims if each.outcome is Outcome.DONE]
    if len(done) > 1:
        yield f"{name!r} was given twice: ({done[0]}) and ({done[1]})"
    possible = done or [each for each in claims if each.outcome is Outcome.UNKNOWN]
    if taken is not None and taken.ended < min((each.began for each in possible), default=FOREVER):
        yield f"{name!r} was taken before anybody can have got it: ({taken})"


def _found(find: Operation, claims: Mapping[str, Operations], taken: Mapping[str, Operation]) -> Iterator[str]:
    """Judge what was found at one time."""
    names = Counter(name for _, name in _shown(find))
    yield from (f"{find.who} finds {name!r}, which nobody claimed" for name in names if name not in claims)
    yield from (f"{find.who} finds {name!r} twice" for name, count in names.items() if count > 1)
    for name, proof in taken.items():
        if name not in names and proof.ended < find.began:
            yield f"{find.who} does not find {name!r} at {find.began / 1e6:.3f} ms, but ({proof}) came before"


# Ids


def _ids(operations: Operations) -> Iterator[str]:
    """In all that the server has said, each id belongs to one name and each name has one id."""
    pairs = {(each.number, str(each.value)) for each in operations if each.number is not None}
    for each in operations:
        if each.act in (Act.LIST, Act.FIND) and each.outcome is Outcome.DONE:
            pairs.update(_shown(each))
    yield from (f"the id {number} was given twice" for number in _repeated(number for number, _ in pairs))
    yield from (f"{name!r} has two ids" for name in _repeated(name for _, name in pairs))


def _shown(operation: Operation) -> Shown:
    assert isinstance(operation.value, tuple)
    return operation.value


def _repeated(values: Iterable[_Value]) -> list[_Value]:
    return [value for value, count in Counter(values).items() if count > 1]
