"""The worlds that tests own: their names, and their end, together with the forks and snapshots made from them."""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any, NoReturn, TypeVar

import pytest

from stubserver.testing import CourseWorld, Stub, StubError
from stubserver.worlds.registry import NAME

_LONGEST = 64
"""Characters of a name that the server accepts."""
_LONGEST_ROOT = 52
"""Characters of the name of a fixture's world; the rest is for the labels of its forks and snapshots."""
_OTHERS = re.compile(r"[^A-Za-z0-9._]+")
"""What a name may not contain, and dashes, which separate its parts."""
SHOWN = 50
"""Requests of a world that a report shows, the newest; earlier ones are only counted."""
_MOST_FORKS = 4
"""Forks of a world that a report shows, the newest; the others are only counted."""

_T = TypeVar("_T")


@dataclass(frozen=True)
class Run:
    """What distinguishes the worlds of this process from those of other processes that use the same server."""

    uid: str = ""
    """Unique among the runs that use the server; empty if it serves only this one."""
    worker: str = ""
    """Name of the pytest-xdist worker, if this is one."""

    def name(self, label: str, key: str) -> str:
        """The name of a world: `label` for people, and a digest that differs for each run, worker and `key`."""
        before = _digest(self.uid)[:8] if self.uid else ""
        after = [_readable(self.worker)[:8], _digest(self.uid, self.worker, key)[:10]]
        space = _LONGEST_ROOT - sum(len(part) + 1 for part in [before, *after] if part)
        parts = [before, _readable(_readable(label)[:space]), *after]
        return "-".join(part for part in parts if part)


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode(errors="surrogatepass")).hexdigest()


def _readable(text: str) -> str:
    return _OTHERS.sub("-", text).strip("-.")


@dataclass(frozen=True)
class Received:
    """The requests that a world received during a test."""

    world: CourseWorld
    newest: Sequence[dict[str, Any]] = ()
    """At most SHOWN, the newest first; each is a Request of the control plane's contract."""
    earlier: int = 0
    """How many earlier ones the journal has."""
    forgotten: int = 0
    """How many earlier ones the journal no longer has."""
    unknown: str = ""
    """Why they are not known, if the server could not be asked."""
    forks: int = 0
    """How many forks of the world are not shown."""
    case: Mapping[str, Any] | None = None
    """What it takes to repeat it, if that is wanted and known: a Case of the control plane's contract."""


class OwnedWorld(CourseWorld):
    """A world that ends with the fixture that made it, as do the forks and snapshots made from it or from a fork.

    Their names begin with that of the fixture's world, so tests that choose the same names do not meet.
    """

    def __init__(self, stub: Stub, name: str, owner: "Owner") -> None:
        super().__init__(stub, name)
        self._owner = owner

    def fork(self, name: str) -> "OwnedWorld":
        """A new world that starts as a copy of this one, and ends together with it."""
        fork = OwnedWorld(self.stub, self._owner.name(name), self._owner)
        with _noted(self._owner.worlds, fork):
            super().fork(fork.name)
        return fork

    def snapshot(self, name: str) -> None:
        """Take a named snapshot of the world. Worlds of this process can `restore` it as long as this one exists."""
        own = self._owner.name(name)
        with _noted(self._owner.snapshots, own):
            super().snapshot(own)

    def restore(self, name: str) -> None:
        """Restore a snapshot into this world: its own, that of another world that is in use, or any on the server."""
        super().restore(self._owner.process.snapshot(name, self._owner))


@contextmanager
def _noted(made: list[_T], thing: _T) -> Iterator[None]:
    """Note what is about to be made, unless the server refuses to make it."""
    made.append(thing)
    try:
        yield
    except StubError as error:
        if error.status is not None:  # otherwise nobody knows whether it was made
            made.remove(thing)
        raise


class Owner:
    """A fixture's world, with everything made from it."""

    def __init__(self, stub: Stub, name: str, process: "Worlds") -> None:
        self.process = process
        self.root = OwnedWorld(stub, name, self)
        self.worlds = [self.root]
        self.snapshots: list[str] = []
        """Names on the server."""

    def name(self, label: str) -> str:
        """The name on the server of a fork or a snapshot that a test calls `label`; it may be such a name already."""
        if not NAME.fullmatch(label):
            return label  # for the server to refuse
        name = label if label.startswith(self.root.name) else f"{self.root.name}-{label}"
        return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 9]}-{_digest(name)[:8]}"

    def delete(self) -> None:
        """Delete everything, as far as it still exists. Raises what was raised first, after having tried the rest."""
        first: Exception | None = None
        paths = [f"/snapshots/{name}" for name in dict.fromkeys(self.snapshots)]
        for path in [*paths, *(f"/worlds/{world.name}" for world in reversed(self.worlds))]:
            try:
                self.root.stub.control("DELETE", path)
            except Exception as error:  # also of whatever stands between the plugin and the server
                status = error.status if isinstance(error, StubError) else None
                first = first if first or status == HTTPStatus.NOT_FOUND else error
        if first is not None:
            raise first


class Worlds:
    """The worlds that the fixtures of this process have made and that have not ended."""

    def __init__(self, run: Run, with_cases: bool = False, strict: bool = False) -> None:
        """`with_cases` is whether `received` has the cases of the worlds, too; `strict` makes worlds strict, also on a
        server that is not: one that others use, or that the project has built."""
        self._run = run
        self._with_cases = with_cases
        self._strict = strict
        self._owners: list[Owner] = []
        self._ended: list[Received] = []
        """The last that was known of worlds that ended during this test."""
        self._before: dict[str, Any] = {}
        """World that existed before this test -> its newest request at that time, if any."""

    @contextmanager
    def made(self, stub: Stub, label: str, key: str, fixture: str | None = None) -> Iterator[OwnedWorld]:
        """A fresh world, until the end of the block. Fails the test in one line if the server does not play along."""
        owner = Owner(stub, self._free_name(label, key), self)
        self._owners.append(owner)
        try:
            owner.root.reset(fixture)
            if self._strict:
                owner.root.be_strict()
        except Exception as error:
            self._owners.remove(owner)
            _fail("the stub server has no world for this test", error)
        try:
            yield owner.root
        finally:
            self._ended += self._received(owner)
            self._owners.remove(owner)
            try:
                owner.delete()
            except Exception as error:
                _fail(f"world {owner.root.name} may be left on the stub server", error)

    def _free_name(self, label: str, key: str) -> str:
        used = {owner.root.name for owner in self._owners}
        names = (self._run.name(label, f"{key} {number}") for number in range(len(used) + 1))
        return next(name for name in names if name not in used)

    def snapshot(self, label: str, owner: Owner) -> str:
        """The name on the server of the snapshot that tests call `label`: that of `owner`, if it has one, or the
        newest one; `label` itself if there is none."""
        for other in [owner, *reversed(self._owners)]:
            if other.name(label) in other.snapshots:
                return other.name(label)
        return label

    def received(self) -> list[Received]:
        """What was received during this test by its worlds, and by those worlds of other scopes that it used."""
        return [*self._ended, *(received for owner in self._owners for received in self._received(owner))]

    def _received(self, owner: Owner) -> list[Received]:
        root, *forks = {world.name: world for world in owner.worlds}.values()
        hidden = len(forks[:-_MOST_FORKS])
        shown = [root, *forks[hidden:]]
        found = [_received(world, self._before.get(world.name), self._with_cases) for world in shown]
        found[0] = replace(found[0], forks=hidden)
        return [received for received in found if received.newest or received.world.name not in self._before]

    def next_test(self) -> None:
        """From now on, `received` is about another test."""
        self._ended.clear()
        self._before = {world.name: _newest(world) for owner in self._owners for world in owner.worlds}


def _newest(world: CourseWorld) -> Any:
    """What identifies the newest request, if there is one."""
    try:
        return next(map(_identity, world.control("GET", "/requests", params={"limit": 1})["results"]), None)
    except Exception:  # the test that uses this world next will say why
        return None


def _identity(request: dict[str, Any]) -> Any:
    """Ids begin again when a world is reset, so they are not enough."""
    return request["id"], request["time"]


def _received(world: CourseWorld, before: Any, with_case: bool) -> Received:
    """The requests to the world that are newer than `before`."""
    try:
        page = world.control("GET", "/requests", params={"limit": SHOWN})
        case = world.case() if with_case else None
    except Exception as error:  # whatever stands between the plugin and the server
        return Received(world, unknown=_reason(error))
    newest = page["results"]
    during = next((n for n, request in enumerate(newest) if _identity(request) == before), len(newest))
    return Received(world, newest[:during], page["count"] - during, page["forgotten"], case=case)


def _reason(error: Exception) -> str:
    text = str(error) if isinstance(error, StubError) else f"{type(error).__name__}: {error}"
    return " ".join(text.split())[:500]


def _fail(what: str, error: Exception) -> NoReturn:
    raise pytest.fail.Exception(f"{what}: {_reason(error)}", pytrace=False) from None
