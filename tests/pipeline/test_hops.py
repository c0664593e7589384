"""The hops: the stack is built in their order, and the fast lane accounts for each of them."""

from typing import Any

from stubserver.app import StubServer
from stubserver.lane.lane import STEPS
from stubserver.pipeline.hops import HOPS


def test_the_stack_has_the_hops_in_their_order(server: StubServer) -> None:
    """Read from the outside in, following what each layer wraps."""
    layer: Any = server.recorder
    seen = []
    while layer is not None:
        seen.append(type(layer).__name__.removesuffix("Middleware"))
        layer = getattr(layer, "app", getattr(layer, "_app", getattr(layer, "next_app", None)))
    ours = ["Recorder", "Cors", "Wire", "Faults"]
    connexions = ["ServerError", "Exception", "SwaggerUI", "Routing", "Security", "Admission", "RequestValidation"]
    assert seen[: len(ours + connexions)] == ours + connexions


def test_the_lane_accounts_for_every_hop() -> None:
    assert tuple(STEPS) == HOPS
