"""A process that is killed takes nothing along: what it has answered is there, and the others go on."""

from pathlib import Path

import pytest

from tests.sharing.check import violations
from tests.sharing.cluster import SHARED, sharing
from tests.sharing.history import Outcome
from tests.sharing.load import Load

pytestmark = [pytest.mark.slow, pytest.mark.untraced]


@pytest.mark.parametrize("store", SHARED)
def test_killing_processes_loses_nothing(store: str, tmp_path: Path) -> None:
    """Three times, in the middle of writes. That every answered change is there, and none by halves, is what the
    checker says of what all processes show at last, the restarted ones included."""
    with sharing(store, tmp_path) as cluster:
        first = [*cluster.urls]
        events = {500: lambda: cluster.kill(1), 1000: lambda: cluster.kill(2), 1500: lambda: cluster.restart(1)}
        events |= {2000: lambda: cluster.kill(0), 2500: lambda: cluster.restart(2)}
        load = Load(cluster.urls, requests=4000, worlds=2, events=events)
        history = load.run()
        assert violations(history) == []
        assert {done.url for done in load.done if done.outcome is Outcome.UNKNOWN} <= {*first[:3]}
        assert len(load.done) == 4000
        assert len([done for done in load.done[2500:] if done.url == first[3]]) > 100
        cluster.restart(0)
        assert violations(Load(cluster.urls, requests=500, seed=1).run()) == []


@pytest.mark.parametrize("store", SHARED)
def test_all_processes_may_be_killed(store: str, tmp_path: Path) -> None:
    """What they had answered is there when the first one starts again, so the names they gave are taken."""
    with sharing(store, tmp_path) as cluster:
        load = Load(cluster.urls, requests=500)
        load.run()
        count = len(cluster.urls)
        for number in range(count):
            cluster.kill(number)
        for number in range(count):
            cluster.restart(number)
        with pytest.raises(AssertionError, match="already exists"):
            Load(cluster.urls, requests=500).run()
