"""Faults: what goes wrong in a world. Those that are due for a request act one after the other, in a fixed order."""

import random
from collections.abc import Callable, Collection, Coroutine, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from stubserver.call import SCOPE_KEY, Call, path_fits
from stubserver.contract.contract import Contract
from stubserver.contract.operation import Operation
from stubserver.errors import Refusal, refusal
from stubserver.pipeline.answer import send_refusal
from stubserver.pipeline.exchange import Exchange
from stubserver.pipeline.preferences import Preference, preferences, preferred
from stubserver.pipeline.switches import switches
from stubserver.worlds.world import Snapshot, World

SIZE = 4096
"""What a fault takes besides a snapshot, in bytes: mostly its source of random draws."""


class Fault:
    """A fault of a world."""

    def __init__(self, number: int, world: World, wanted: Mapping[str, Any]) -> None:
        """`wanted` is a FaultCreate of the contract, with defaults filled in."""
        self.id = number
        self.kind: str = wanted["kind"]
        self.shown = {"id": number, "kind": self.kind}
        """What the journal shows of it: one object, however many requests it fires for."""
        self.wanted = wanted
        self.fired = 0
        self.snapshot: Snapshot | None = world.snapshot() if self.kind == "stale" else None
        """For a stale fault, the world as it was when the fault was created."""
        self.size = SIZE + (self.snapshot.size if self.snapshot else 0)
        """About what it takes, in bytes."""
        self._random = random.Random(f"{world.settings.seed} {world.name} {number} {wanted['seed']}")  # noqa: S311

    def is_due(self, call: Call, operation: Operation | None, switched_on: Collection[str]) -> bool:
        """Whether the fault is due for this request. Its draws depend only on the requests that it concerns, so they
        are the same whatever other faults there are."""
        wanted = self.wanted
        if not self._concerns(call, operation, switched_on):
            return False
        is_drawn: bool = wanted["probability"] >= 1 or self._random.random() < wanted["probability"]
        return is_drawn and not self._is_spent

    @property
    def _is_spent(self) -> bool:
        return "times" in self.wanted and self.fired >= self.wanted["times"]

    def _concerns(self, call: Call, operation: Operation | None, switched_on: Collection[str]) -> bool:
        wanted = self.wanted
        fits = (
            wanted.get("operation") in (None, operation.id if operation else ""),
            wanted.get("method") in (None, call.method),
            path_fits(call.path, wanted.get("path", "*")),
            wanted.get("switch") in (None, *switched_on),
            self.kind != "stale" or call.method in ("GET", "HEAD"),
        )
        return all(fits)

    def delay(self) -> float:
        """Length of the next wait, in seconds."""
        seconds, longest = self.wanted["seconds"], self.wanted["at_most"]
        match self.wanted["distribution"]:
            case "uniform":
                return self._random.uniform(min(seconds, longest), longest)
            case "exponential":
                return min(longest, self._random.expovariate(1 / seconds)) if seconds else 0.0
        return float(seconds)

    async def act(self, exchange: Exchange) -> None:
        """Act it out."""
        await FAULT_KINDS[self.kind].act(self, exchange)


class Faults:
    """ASGI middleware that acts out the faults that are due, and the preferences of requests."""

    def __init__(self, app: ASGIApp, contract: Contract) -> None:
        self._app = app
        self._contract = contract

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Act out all that fires for the request, or pass it on."""
        call: Call | None = scope.get(SCOPE_KEY)
        if call is None or call.is_control:
            await self._app(scope, receive, send)
            return
        try:
            firing = self._firing(call, scope)
        except Refusal as refused:
            call.refusal = refused
            await send_refusal(refused, send, call.method)
            return
        if not firing:
            await self._app(scope, receive, send)
            return
        call.faults = [one.shown for one in firing]
        exchange = Exchange(self._app, call, scope, receive, send)
        for one in firing:
            await one.act(exchange)
        await exchange.deliver()

    def _firing(self, call: Call, scope: Scope) -> list[Fault | Preference]:
        """What fires for the request, in the order of acting; faults that fire are counted. It is decided when the
        request arrives, whatever happens while it waits. Raises a 400 refusal if it asks for what cannot be."""
        asked, switched_on = preferred(call, scope), switches(call, scope)
        faults: Mapping[int, Fault] = call.world.faults
        if not asked and not faults:
            return []
        operation = self._contract.find(call.method, call.path)
        wished = [*preferences(asked, operation)]
        due = [fault for fault in faults.values() if fault.is_due(call, operation, switched_on)]
        firing = _stacked([*wished, *due])
        for fault in due:
            fault.fired += fault in firing
        return firing


def _stacked(due: Iterable[Fault | Preference]) -> list[Fault | Preference]:
    """Those that fire, in the order of acting: all but those that one before them precludes."""
    order, precluded, firing = [*FAULT_KINDS], set[str](), []
    for one in sorted(due, key=lambda one: order.index(one.kind)):
        if one.kind not in precluded:
            firing.append(one)
            precluded.update(FAULT_KINDS[one.kind].precludes)
    return firing


# The kinds of faults


async def latency(fault: Fault, exchange: Exchange) -> None:
    """Wait, then answer."""
    await exchange.wait(fault.delay())


async def reset(_: Fault, exchange: Exchange) -> None:
    """Drop the connection, without running the operation."""
    await exchange.drop()


async def error(fault: Fault, exchange: Exchange) -> None:
    """Refuse, without running the operation."""
    status, call = fault.wanted["status"], exchange.call
    headers = {"Retry-After": str(fault.wanted["retry_after"])} if status in (429, 503) else {}
    message = f"Fault {fault.id} of world {call.world.name} caused this answer."
    call.refusal = refused = refusal(status, message, "error", **headers)
    await exchange.hold(lambda send: send_refusal(refused, send, call.method))


async def stale(fault: Fault, exchange: Exchange) -> None:
    """Answer from the world as it was when the fault was created."""
    world = exchange.call.world
    assert fault.snapshot is not None  # noqa: S101 (it has one, because it is stale)
    exchange.call.world = World.of(world.name, fault.snapshot, world.settings)
    try:
        await exchange.go_on()
    finally:
        exchange.call.world = world


async def lost(_: Fault, exchange: Exchange) -> None:
    """Run the operation, and drop the connection instead of answering."""
    await exchange.go_on()
    await exchange.drop()


async def truncate(_: Fault, exchange: Exchange) -> None:
    """Drop the connection in the middle of the answer's body, or before the answer if it has none."""
    exchange.cut()


async def drip(fault: Fault, exchange: Exchange) -> None:
    """Send the answer slowly, in pieces."""
    exchange.slow_down(fault.wanted["seconds"])


@dataclass(frozen=True)
class Kind:
    """A kind of fault."""

    act: Callable[[Fault, Exchange], Coroutine[Any, Any, None]]
    precludes: Collection[str] = ()
    """Kinds that cannot act any more on a request that this one has acted on."""


FAULT_KINDS: Mapping[str, Kind] = {
    "latency": Kind(latency),
    "reset": Kind(reset, precludes=("reset", "error", "stale", "lost", "truncate", "drip")),
    "error": Kind(error, precludes=("error", "stale", "lost")),
    "stale": Kind(stale, precludes=("stale",)),
    "lost": Kind(lost, precludes=("lost", "truncate", "drip")),
    "truncate": Kind(truncate, precludes=("truncate",)),
    "drip": Kind(drip),
}
"""Kind in the contract -> what it does, in the order of acting, which is that of the contract."""
