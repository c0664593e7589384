"""Faults: what goes wrong in a world, and what a request itself asks for (`Prefer`, `__code`, `__wait`)."""

import asyncio
import random
import re
from collections.abc import Callable, Coroutine, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from stubserver.call import SCOPE_KEY, Call, path_fits
from stubserver.contract.contract import Contract
from stubserver.contract.operation import Operation
from stubserver.errors import Refusal, invalid, refusal
from stubserver.pipeline.answer import send_json, send_refusal
from stubserver.worlds.world import Snapshot, World

CONNECTION = "stubserver.connection"
"""The ASGI extension that can `drop` the connection."""
LONGEST_WAIT = 60.0
"""Longest wait that a request may ask for, in seconds."""
_PREFERENCE = re.compile(r'(?:^|,)\s*([^\s=;,"]+)(?:\s*=\s*(?:"([^"]*)"|([^\s;,"]*)))?(?:[^,"]|"[^"]*")*')
"""A preference and its value, followed by its parameters, if any."""
_PIECES = 20
"""Number of pieces in which a dripping answer is sent."""


class Fault:
    """A fault of a world."""

    def __init__(self, number: int, world: World, wanted: Mapping[str, Any]) -> None:
        """`wanted` is a FaultCreate of the contract, with defaults filled in."""
        self.id = number
        self.kind: str = wanted["kind"]
        self.wanted = wanted
        self.fired = 0
        self.snapshot: Snapshot = world.snapshot()
        """The world as it was when the fault was created."""
        self._random = random.Random(f"{world.settings.seed} {world.name} {number} {wanted['seed']}")  # noqa: S311

    def fires(self, call: Call, operation: Operation | None) -> bool:
        """Whether the fault fires for this request; if so, this is counted."""
        wanted = self.wanted
        if self._is_spent or not self._concerns(call, operation):
            return False
        fires: bool = wanted["probability"] >= 1 or self._random.random() < wanted["probability"]
        self.fired += fires
        return fires

    @property
    def _is_spent(self) -> bool:
        return "times" in self.wanted and self.fired >= self.wanted["times"]

    def _concerns(self, call: Call, operation: Operation | None) -> bool:
        wanted = self.wanted
        fits = (
            wanted.get("operation") in (None, operation.id if operation else ""),
            wanted.get("method") in (None, call.method),
            path_fits(call.path, wanted.get("path", "*")),
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


@dataclass(frozen=True)
class Exchange:
    """A request, and what a fault can do with it: pass it on, hold back its answer, drop its connection."""

    app: ASGIApp
    call: Call
    scope: Scope
    receive: Receive
    send: Send

    async def go_on(self) -> None:
        """Pass the request on to the next hop."""
        await self.app(self.scope, self.receive, self.send)

    async def answer(self) -> tuple[Message, bytes]:
        """Let the next hops answer, but hold the answer back; returns its start and its whole body."""
        messages: list[Message] = []

        async def collect(message: Message) -> None:
            messages.append(message)

        await self.app(self.scope, self.receive, collect)
        return messages[0], b"".join(message.get("body", b"") for message in messages[1:])

    async def drop(self) -> None:
        """Drop the connection. Raises ConnectionResetError if the server has none."""
        connection = self.scope.get("extensions", {}).get(CONNECTION)
        if connection is None:
            raise ConnectionResetError("a fault of the stub server dropped the connection")
        await asyncio.sleep(0.01)  # lets what has been sent before go out
        connection["drop"]()


class Faults:
    """ASGI middleware that acts out the faults that are due, and the preferences of requests."""

    def __init__(self, app: ASGIApp, contract: Contract) -> None:
        self._app = app
        self._contract = contract

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Act out what the request prefers and the first fault that is due, or pass the request on."""
        call: Call | None = scope.get(SCOPE_KEY)
        if call is None or call.is_control:
            await self._app(scope, receive, send)
            return
        exchange = Exchange(self._app, call, scope, receive, send)
        try:
            preferred = _preferred(call, scope)
            if "wait" in preferred:
                await asyncio.sleep(_seconds(preferred["wait"]))
            if "code" in preferred and await self._answer_with(preferred["code"], exchange):
                return
        except Refusal as refused:
            call.refusal = refused
            await send_refusal(refused, send, call.method)
            return
        if fault := self._due(call):
            call.fault = {"id": fault.id, "kind": fault.kind}
            await FAULT_KINDS[fault.kind](fault, exchange)
        else:
            await exchange.go_on()

    def _due(self, call: Call) -> Fault | None:
        faults: Mapping[int, Fault] = call.world.faults
        if not faults:
            return None
        operation = self._contract.find(call.method, call.path)
        return next((fault for fault in faults.values() if fault.fires(call, operation)), None)

    async def _answer_with(self, code: str, exchange: Exchange) -> bool:
        """Answer with a status that the operation declares and its example; False if there is no operation. Raises a
        400 refusal for an undeclared status."""
        call, operation = exchange.call, self._contract.find(exchange.call.method, exchange.call.path)
        if operation is None:
            return False
        declared = sorted({operation.status, *operation.answers})
        if code not in map(str, declared):
            message = f"{operation.id} does not declare {code}; it declares {', '.join(map(str, declared))}."
            raise invalid("Prefer", "invalid_choice", f"{message} A fault can answer with any other error status.")
        call.routed, status = operation, int(code)
        call.fault = {"id": None, "kind": f"code={status}"}
        body = orjson.dumps(operation.examples[status]) if status in operation.examples else b""
        headers = {**operation.headers[status], "preference-applied": f"code={status}"}
        await send_json(exchange.send, call.method, status, headers, body)
        return True


def _preferred(call: Call, scope: Scope) -> Mapping[str, str]:
    """What the request prefers (RFC 7240); in a browser's address bar, that is `?__code=404&__wait=2`."""
    if "prefer" not in call.headers and "__" not in call.raw_query:
        return {}
    return dict(reversed([*_preferences(call, scope)]))  # reversed, because the first of two equal names counts


def _preferences(call: Call, scope: Scope) -> Iterator[tuple[str, str]]:
    headers = [value.decode("latin-1") for name, value in scope["headers"] if name.lower() == b"prefer"]
    for name, quoted, plain in _PREFERENCE.findall(",".join(headers)):
        yield name.lower(), quoted or plain
    for name in ("code", "wait"):
        if "__" in call.raw_query and (texts := call.query_texts.get(f"__{name}")):
            yield name, texts[-1]


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= LONGEST_WAIT:
        raise invalid("Prefer", "invalid", f"wait must be a number of seconds from 0 to {LONGEST_WAIT:g}.")
    return seconds


# The kinds of faults


async def latency(fault: Fault, exchange: Exchange) -> None:
    """Wait, then answer."""
    await asyncio.sleep(fault.delay())
    await exchange.go_on()


async def error(fault: Fault, exchange: Exchange) -> None:
    """Refuse, without running the operation."""
    status = fault.wanted["status"]
    headers = {"Retry-After": str(fault.wanted["retry_after"])} if status in (429, 503) else {}
    message = f"Fault {fault.id} of world {exchange.call.world.name} caused this answer."
    refused = refusal(status, message, "error", **headers)
    exchange.call.refusal = refused
    await send_refusal(refused, exchange.send, exchange.call.method)


async def reset(_: Fault, exchange: Exchange) -> None:
    """Drop the connection, without running the operation."""
    await exchange.drop()


async def truncate(_: Fault, exchange: Exchange) -> None:
    """Drop the connection in the middle of the answer's body, or before the answer if it has none."""
    start, body = await exchange.answer()
    if body and exchange.call.method != "HEAD":
        await exchange.send(start)
        await exchange.send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
    await exchange.drop()


async def drip(fault: Fault, exchange: Exchange) -> None:
    """Send the answer slowly, in pieces."""
    start, body = await exchange.answer()
    size = max(1, -(-len(body) // _PIECES))
    starts = range(0, max(1, len(body)), size)
    await exchange.send(start)
    for at in starts:
        await asyncio.sleep(fault.wanted["seconds"] / len(starts))
        more = at + size < len(body)
        await exchange.send({"type": "http.response.body", "body": body[at : at + size], "more_body": more})


async def stale(fault: Fault, exchange: Exchange) -> None:
    """Answer from the world as it was when the fault was created."""
    world = exchange.call.world
    exchange.call.world = World.of(world.name, fault.snapshot, world.settings)
    try:
        start, body = await exchange.answer()
    finally:
        exchange.call.world = world
    await exchange.send(start)
    await exchange.send({"type": "http.response.body", "body": body})


async def lost(_: Fault, exchange: Exchange) -> None:
    """Run the operation, and drop the connection instead of answering."""
    await exchange.answer()
    await exchange.drop()


FAULT_KINDS: Mapping[str, Callable[[Fault, Exchange], Coroutine[Any, Any, None]]] = {
    kind.__name__: kind for kind in (latency, error, reset, truncate, drip, stale, lost)
}
"""Kind in the contract -> the function that acts it out."""
