"""Validation: Connexion's hooks for validating parameters and bodies."""

from functools import partial
from typing import Any

from connexion.datastructures import MediaTypeDict
from starlette.types import Receive, Scope

from stubserver.call import SCOPE_KEY
from stubserver.pipeline import reading
from stubserver.pipeline.aside import aside


class ParameterValidator:
    """Connexion's hook for query parameters (the route makes sure that path parameters are integers)."""

    def __init__(self, *_: Any, **__: Any) -> None:
        """Connexion's arguments are ignored, because the call has the operation from our own contract."""

    def validate(self, scope: Scope) -> None:
        """Read the parameters into the call. Raises a 400 refusal."""
        reading.read_parameters(scope[SCOPE_KEY])


def body_validator(media: str) -> type:
    """Connexion's hook for request bodies of one media type."""

    class BodyValidator:
        def __init__(self, **_: Any) -> None:
            pass

        async def wrap_receive(self, receive: Receive, *, scope: Scope) -> tuple[Receive, Scope]:
            call = scope[SCOPE_KEY]
            if call.operation.is_large:
                await aside(partial(reading.read_body, call, media), len(call.raw_body))
            else:
                reading.read_body(call, media)
            return receive, scope

    return BodyValidator


VALIDATORS = {
    "parameter": ParameterValidator,
    "body": MediaTypeDict({media: body_validator(media) for media in reading.READERS}),
}
"""The validators that Connexion is given."""
