"""What the contract does not allow in a request that an application sends, or in the answer of its server."""

from collections.abc import Iterator
from contextlib import suppress

import httpx
import orjson

from stubserver.call import Call
from stubserver.checking.comparison import Difference, of_contract, of_page
from stubserver.checking.observed import Exchange
from stubserver.checking.sides import Answer
from stubserver.contract.contract import Contract
from stubserver.contract.operation import Operation
from stubserver.errors import Refusal
from stubserver.pipeline.decoding import decoded
from stubserver.pipeline.reading import READERS, read_body, read_parameters
from stubserver.suggestions import unknown

_UNDECLARED = 20
"""How many undeclared names of one request are told."""
_JSON = "application/json"
_ITS_OWN = 304
"""The status that is HTTP's own: the client has the answer already."""


def of_request(call: Call, exchange: Exchange, most: int) -> Iterator[Difference]:
    """What is wrong with a request. Fills the call; bodies of more than `most` bytes, decompressed, are refused."""
    for read in (_read_query, _read_body):
        try:
            yield from read(call, exchange, most)
        except Refusal as refusal:
            call.refusal = refusal
            for problem in refusal.problems:
                where = f"request: {problem.field or 'body'}"
                yield Difference(where, "request", "what the contract allows", problem.message)
    for accepted in call.accepted if call.form is None else ():  # all that a form sends is text
        yield Difference(f"request: {accepted.field}", "type", "the type in the contract", accepted.what)
    yield from _undeclared(call)


def _read_query(call: Call, _: Exchange, __: int) -> Iterator[Difference]:
    """Reads the parameters into the call. Raises Refusal."""
    read_parameters(call)
    yield from ()


def _read_body(call: Call, exchange: Exchange, most: int) -> Iterator[Difference]:
    """Reads the body into the call, if it was kept. Raises Refusal."""
    if exchange.body is None:
        return
    call.raw_body = decoded(exchange.body, exchange.headers.get("content-encoding", ""), most)
    bodies = call.operation.bodies
    media = call.content_type.partition(";")[0]
    if not bodies:
        if call.raw_body:
            yield Difference("request: body", "undeclared", "no body", f"{len(call.raw_body)} bytes")
    elif not media and not call.raw_body:
        read_body(call, next(iter(bodies)))
    elif media in bodies and media in READERS:
        read_body(call, media)
    else:
        found = media or "no such header"
        yield Difference("request: Content-Type", "media type", f"one of {', '.join(bodies)}", found)


def _undeclared(call: Call) -> Iterator[Difference]:
    """What the operation does not have. A server may ignore it, so that nobody notices."""
    known = {"parameter": call.operation.parameter_names, "field": call.operation.fields}
    try:
        found = [*call.undeclared()][:_UNDECLARED]
    except Refusal:
        return  # the query cannot be read, which is known already
    for kind, name in found:
        yield Difference(f"request: {name[:60]}", "undeclared", f"no such {kind}", unknown(kind, name, known[kind]))


def read_answer(exchange: Exchange, contract: Contract, most: int) -> Answer:
    """The answer in a form that can be judged. `exchange.answer` becomes None if its coding cannot be read, or if it
    has more than `most` bytes without it."""
    headers = httpx.Headers([*exchange.answer_headers])
    answer = Answer(exchange.status, headers, failure=exchange.failure)
    if exchange.answer is None or exchange.failure:
        return answer
    try:
        exchange.answer = decoded(exchange.answer, headers.get("content-encoding", ""), most)
    except Refusal:
        exchange.answer = None
        return answer
    answer.text = _shown(exchange.answer, contract)
    with suppress(orjson.JSONDecodeError):
        answer.body, answer.is_json = orjson.loads(exchange.answer), True
    return answer


def _shown(body: bytes, contract: Contract) -> str:
    """The beginning of a body; only its size if it may hold a credential."""
    text = body[:1000].decode(errors="replace")
    return f"({len(body)} bytes)" if any(name in text for name in contract.secrets if name != "code") else text


def of_answer(call: Call, exchange: Exchange, answer: Answer) -> Iterator[Difference]:
    """What is wrong with an answer. Of one whose body was not kept, only the status is judged."""
    if answer.failure:
        yield Difference("answer", "transport", "a whole answer", answer.failure)
        return
    if answer.status == _ITS_OWN:
        return
    broken = [*of_contract(call.operation, answer)]
    has_status = not any(one.kind == "status" for one in broken)
    if exchange.answer is None or call.method == "HEAD":
        yield from broken if not has_status else ()
        return
    yield from broken
    if has_status:
        yield from _headers(call.operation, answer)
    if not broken and isinstance(answer.body, dict):
        yield from of_page(call.query, exchange.path, answer.body)


def _headers(operation: Operation, answer: Answer) -> Iterator[Difference]:
    """Headers that the contract promises with this status, and that a body has."""
    for name, value in operation.headers.get(answer.status, {}).items():
        if name not in answer.headers:
            yield Difference(name, "header", value, "no such header")
    media = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if answer.status not in operation.answers:
        if answer.text:
            yield Difference("body", "extra", "no body", answer.text[:80])
    elif media != _JSON:
        yield Difference("Content-Type", "header", _JSON, media or "no such header")
