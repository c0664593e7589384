"""What a request prefers (RFC 7240): `Prefer: code=404, wait=2`, or `?__code=404&__wait=2` in an address bar.

A preference acts like a fault, for this one request and before the faults of the world. Only `variant` does not: it
says what is to be different in the answer.
"""

import re
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.types import Scope

from stubserver.call import Call
from stubserver.contract.operation import Operation
from stubserver.contract.places import Places
from stubserver.contract.varying import Variation
from stubserver.errors import invalid
from stubserver.pipeline import variants
from stubserver.pipeline.answer import send_json
from stubserver.pipeline.exchange import Exchange

LONGEST_WAIT = 60.0
"""Longest wait that a request may ask for, in seconds."""
_PREFERENCE = re.compile(r'(?:^|,)\s*([^\s=;,"]+)(?:\s*=\s*(?:"([^"]*)"|([^\s;,"]*)))?(?:[^,"]|"[^"]*")*')
"""A preference and its value, followed by its parameters, if any."""


@dataclass(frozen=True)
class Preference:
    """One thing that a request prefers."""

    kind: str
    """The kind of fault that it acts like."""
    name: str
    """What the journal calls it, such as `code=404`."""
    act: Callable[[Exchange], Coroutine[Any, Any, None]]
    """Act it out."""

    @property
    def shown(self) -> Mapping[str, Any]:
        """What the journal shows of it. It has no id, because it is not a fault of the world."""
        return {"id": None, "kind": self.name}


def preferred(call: Call, scope: Scope) -> Mapping[str, str]:
    """Name -> value of what the request prefers, as sent. Raises a 400 refusal if its query cannot be read."""
    if "prefer" not in call.headers and "__" not in call.raw_query:
        return {}
    return dict(reversed([*_sent(call, scope)]))  # reversed, because the first of two equal names counts


def _sent(call: Call, scope: Scope) -> Iterator[tuple[str, str]]:
    headers = [value.decode("latin-1") for name, value in scope["headers"] if name.lower() == b"prefer"]
    for name, quoted, plain in _PREFERENCE.findall(",".join(headers)):
        yield name.lower(), quoted or plain
    for name in ("code", "wait"):
        if "__" in call.raw_query and (texts := call.query_texts.get(f"__{name}")):
            yield name, texts[-1]


def preferences(sent: Mapping[str, str], operation: Operation | None) -> Iterator[Preference]:
    """The preferences that the server knows. A status is ignored if there is no operation. Raises a 400 refusal for an
    impossible wait, or a status that the operation does not declare."""
    if "wait" in sent:
        yield _wait(sent["wait"])
    if "code" in sent and operation is not None:
        yield _code(sent["code"], operation)


def preferred_variants(sent: Mapping[str, str], operation: Operation | None, places: Places) -> Sequence[Variation]:
    """What the request prefers to be different in its answer. It is ignored if there is no operation. Raises a 400
    refusal for what the operation does not offer, and beside a status, whose answer is an example."""
    if "variant" not in sent or operation is None:
        return ()
    if "code" in sent:
        raise invalid(
            "Prefer", "invalid", "code answers with an example, which does not vary: leave out code or variant."
        )
    return [*variants.sent(sent["variant"], operation, places)]


def _wait(text: str) -> Preference:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= LONGEST_WAIT:
        raise invalid("Prefer", "invalid", f"wait must be a number of seconds from 0 to {LONGEST_WAIT:g}.")
    return Preference("latency", f"wait={seconds:g}", lambda exchange: exchange.wait(seconds))


def _code(text: str, operation: Operation) -> Preference:
    """Answer with the status and its example."""
    declared = sorted({operation.status, *operation.answers})
    if text not in map(str, declared):
        message = f"{operation.id} does not declare {text}; it declares {', '.join(map(str, declared))}."
        raise invalid("Prefer", "invalid_choice", f"{message} A fault can answer with any other error status.")
    status, name = int(text), f"code={text}"
    body = orjson.dumps(operation.examples[status]) if status in operation.examples else b""
    headers = {**operation.headers[status], "preference-applied": name}

    async def act(exchange: Exchange) -> None:
        await exchange.hold(lambda send: send_json(send, exchange.call.method, status, headers, body))

    return Preference("error", name, act)
