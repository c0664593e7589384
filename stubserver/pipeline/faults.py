"""Faults: what goes wrong in a world. Those that are due for a request act one after the other, in a fixed order."""

from collections.abc import Callable, Collection, Coroutine, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from stubserver.addressing import path_fits
from stubserver.call import SCOPE_KEY, Call
from stubserver.contract.contract import Contract
from stubserver.contract.operation import Operation
from stubserver.contract.places import Places
from stubserver.errors import Refusal, refusal
from stubserver.pipeline.answer import send_refusal
from stubserver.pipeline.exchange import Exchange
from stubserver.pipeline.preferences import Preference, preferences, preferred, preferred_variants
from stubserver.pipeline.switches import switches
from stubserver.shared.turns import Direct, Turns
from stubserver.worlds.fault import Fault
from stubserver.worlds.world import World


@dataclass(frozen=True)
class Firing:
    """A fault that fires for a request."""

    fault: Fault
    seconds: float
    """How long it makes the request wait."""

    @property
    def kind(self) -> str:
        """The kind of fault."""
        return self.fault.kind

    @property
    def shown(self) -> Mapping[str, Any]:
        """What the journal shows of it."""
        return self.fault.shown

    async def act(self, exchange: Exchange) -> None:
        """Act it out."""
        await FAULT_KINDS[self.kind].act(self, exchange)


class Faults:
    """ASGI middleware that acts out the faults that are due, and the preferences of requests."""

    def __init__(self, app: ASGIApp, contract: Contract, turns: Turns | Direct) -> None:
        self._app = app
        self._contract = contract
        self._turns = turns
        self._places = Places(contract)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Act out all that fires for the request, or pass it on."""
        call: Call | None = scope.get(SCOPE_KEY)
        if call is None or call.is_control:
            await self._app(scope, receive, send)
            return
        try:
            firing = await self._turns.run(partial(self._firing, call, scope), call.world.name)
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

    def _firing(self, call: Call, scope: Scope) -> list[Firing | Preference]:
        """What fires for the request, in the order of acting; faults that fire are counted. It is decided when the
        request arrives, whatever happens while it waits. Raises a 400 refusal if it asks for what cannot be."""
        call.arrive()
        asked, switched_on = preferred(call, scope), switches(call, scope)
        world = call.world
        if not asked and not world.faults:
            return []
        operation = self._contract.find(call.method, call.path)
        call.variants = preferred_variants(asked, operation, self._places)
        due: list[Fault] = []
        faults = dict(world.faults)
        for fault in world.faults.values():
            if _concerns(fault, call, operation, switched_on):
                faults[fault.id], is_due = fault.tried()
                due += [faults[fault.id]] * is_due
        firing: list[Firing | Preference] = []
        for one in _stacked([*preferences(asked, operation), *due]):
            if isinstance(one, Fault):
                faults[one.id], seconds = one.fire()
                firing.append(Firing(one, seconds))
            else:
                firing.append(one)
        world.faults = faults
        return firing


def _concerns(fault: Fault, call: Call, operation: Operation | None, switched_on: Collection[str]) -> bool:
    wanted = fault.wanted
    fits = (
        wanted.get("operation") in (None, operation.id if operation else ""),
        wanted.get("method") in (None, call.method),
        path_fits(call.path, wanted.get("path", "*")),
        wanted.get("switch") in (None, *switched_on),
        fault.kind != "stale" or call.method in ("GET", "HEAD"),
    )
    return all(fits)


def _stacked(due: Iterable[Fault | Preference]) -> list[Fault | Preference]:
    """Those that fire, in the order of acting: all but those that one before them precludes."""
    order, precluded, firing = [*FAULT_KINDS], set[str](), []
    for one in sorted(due, key=lambda one: order.index(one.kind)):
        if one.kind not in precluded:
            firing.append(one)
            precluded.update(FAULT_KINDS[one.kind].precludes)
    return firing


# The kinds of faults


async def latency(firing: Firing, exchange: Exchange) -> None:
    """Wait, then answer."""
    await exchange.wait(firing.seconds)


async def reset(_: Firing, exchange: Exchange) -> None:
    """Drop the connection, without running the operation."""
    await exchange.drop()


async def error(firing: Firing, exchange: Exchange) -> None:
    """Refuse, without running the operation."""
    fault, call = firing.fault, exchange.call
    status = fault.wanted["status"]
    headers = {"Retry-After": str(fault.wanted["retry_after"])} if status in (429, 503) else {}
    message = f"Fault {fault.id} of world {call.world.name} caused this answer."
    call.refusal = refused = refusal(status, message, "error", **headers)
    await exchange.hold(lambda send: send_refusal(refused, send, call.method))


async def stale(firing: Firing, exchange: Exchange) -> None:
    """Answer from the world as it was when the fault was created."""
    world, snapshot = exchange.call.world, firing.fault.snapshot
    assert snapshot is not None  # noqa: S101 (it has one, because it is stale)
    exchange.call.world, exchange.call.past = World.of(world.name, snapshot, world.settings), True
    try:
        await exchange.go_on()
    finally:
        exchange.call.world, exchange.call.past = world, False


async def lost(_: Firing, exchange: Exchange) -> None:
    """Run the operation, and drop the connection instead of answering."""
    await exchange.go_on()
    await exchange.drop()


async def truncate(_: Firing, exchange: Exchange) -> None:
    """Drop the connection in the middle of the answer's body, or before the answer if it has none."""
    exchange.cut()


async def drip(firing: Firing, exchange: Exchange) -> None:
    """Send the answer slowly, in pieces."""
    exchange.slow_down(firing.seconds)


@dataclass(frozen=True)
class Kind:
    """A kind of fault."""

    act: Callable[[Firing, Exchange], Coroutine[Any, Any, None]]
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
