"""What each operation does: one module per resource, one function per operationId."""

from collections.abc import Callable
from inspect import getmodule, isfunction
from typing import Any

from stubserver.api.operations import (
    attempt,
    category,
    comment,
    community,
    course,
    lesson,
    media,
    membership,
    question,
    section,
    token,
    user,
)
from stubserver.call import Call

MODULES = (course, membership, section, lesson, question, attempt, comment, community, user, category, media, token)

FUNCTIONS: dict[str, Callable[[Call], Any]] = {
    name: function
    for module in MODULES
    for name, function in vars(module).items()
    if isfunction(function) and getmodule(function) is module and not name.startswith("_") and "__" not in name
}
"""operationId -> its function: every public function of the modules is an operation."""
