"""What a story says of the answers, held against those of the model: whether the catalogue itself is right."""

from collections.abc import Iterator, Mapping
from typing import Any

from stubserver.checking.stage import Played


def problems(played: Played, shows: Mapping[str, Any]) -> Iterator[str]:
    """What of a model's answer is not as the step says. `shows` is what it says of the fields, with ids in place of
    names; `results.0.name` is the field of a field."""
    step, answer = played.step, played.answers[0]
    if step.expect and answer.status != step.expect:
        yield f"status {answer.status} instead of {step.expect}: {answer.text}"
        return
    for path, value in shows.items():
        try:
            found = _field(answer.body, path)
        except (KeyError, IndexError, TypeError):
            yield f"no {path} in {answer.text}"
            continue
        if found != value or type(found) is not type(value):
            yield f"{path} is {found!r} instead of {value!r}"


def _field(body: Any, path: str) -> Any:
    for part in path.split("."):
        body = body[int(part)] if part.isdecimal() else body[part]
    return body
