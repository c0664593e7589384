"""A stage whose target is our own server, with a bug or without."""

from collections.abc import Iterator
from contextlib import closing, contextmanager

import httpx

from stubserver.app import create_app
from stubserver.checking.meeting import meet, model
from stubserver.checking.sides import Side
from stubserver.checking.stage import Stage
from stubserver.contract.contract import Contract
from stubserver.serving.in_process import InProcess
from tests.checking.bugs import TOKENS, URL, Bug, Buggy


@contextmanager
def stage_of(contract: Contract, bug: Bug, fixture: str = "default") -> Iterator[Stage]:
    """The stage."""
    with closing(InProcess(create_app(fixture))) as transport:
        target = Side(httpx.Client(transport=Buggy(transport, bug), base_url=URL))
        community = meet(contract, target, TOKENS)
        with model(contract, community, URL) as ours:
            yield Stage(contract, Side(ours), target, community)
