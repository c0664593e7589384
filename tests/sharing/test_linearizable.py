"""However many processes share a world, they behave as one that does one thing at a time."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sharing.check import violations
from tests.sharing.cluster import STORES, Cluster, serving, sharing
from tests.sharing.history import Act, Outcome
from tests.sharing.load import Load

pytestmark = [pytest.mark.slow, pytest.mark.untraced]


@pytest.fixture(scope="module", params=STORES)
def cluster(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with sharing(request.param, tmp_path_factory.mktemp("logs")) as cluster:
        yield cluster


@pytest.mark.parametrize("worlds", [1, 5])
def test_processes_behave_as_one(cluster: Cluster, worlds: int) -> None:
    load = Load(cluster.urls, requests=4000, worlds=worlds, seed=worlds)
    history = load.run()
    assert violations(history) == []
    assert {done.url for done in load.done} == {*cluster.urls}
    unknown = Counter(done.outcome for done in load.done)[Outcome.UNKNOWN]
    assert unknown < len(load.done) / 10  # a machine that stands still for seconds makes some
    acts = Counter((operation.act, operation.outcome) for operation in history.operations)
    assert min(acts[act, Outcome.DONE] for act in Act) > 30
    assert acts[Act.CLAIM, Outcome.REFUSED] > 30
    assert len(history.requests) > 4000


def test_processes_that_share_nothing_do_not(tmp_path: Path) -> None:
    """So the test above can fail."""
    with serving(tmp_path, 2) as apart:
        history = Load(apart.urls, requests=300).run()
    found = violations(history)
    assert any("was given twice" in line for line in found)
    assert any("404 for PATCH /course/" in line for line in found)
