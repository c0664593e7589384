"""Which operations a target has. One that answers as if there were no such path, whatever it is asked, is missing: that
is one difference, and not as many as there are requests."""

from collections.abc import Sequence

from stubserver.checking.sides import Answer
from stubserver.contract.operation import Operation

_NOT_THERE = (404, 405, 501)
"""Statuses of what does not exist."""
_OF_ANYTHING = (401, 403, 429)
"""Statuses that whatever stands before a server may give for any path."""


class Presence:
    """What the answers say of that."""

    def __init__(self) -> None:
        self._there: set[str] = set()
        self._refused: dict[str, int] = {}
        self._asked: set[str] = set()

    def note(self, operation: Operation, model: Answer, target: Answer) -> None:
        """Note the answers to a request."""
        self._asked.add(operation.id)
        if target.failure or target.status in _OF_ANYTHING:
            return
        if target.status not in _NOT_THERE:
            self._there.add(operation.id)
        elif model.status not in _NOT_THERE:
            self._refused[operation.id] = self._refused.get(operation.id, 0) + 1

    def is_missing(self, operation: str) -> bool:
        """Whether nothing that was seen so far speaks for an operation."""
        return operation in self._refused and operation not in self._there

    @property
    def missing(self) -> Sequence[str]:
        """The operations that the target does not seem to have, in the order of being asked."""
        return [operation for operation in self._refused if operation not in self._there]

    @property
    def is_nothing(self) -> bool:
        """Whether operations were refused, and none was there."""
        return bool(self._refused) and not self._there

    def refused(self, operation: str) -> int:
        """How many requests were answered as if there were no such operation, though the model has answered them."""
        return self._refused.get(operation, 0)

    def was_asked(self, operation: str) -> bool:
        """Whether any request was for an operation."""
        return operation in self._asked
