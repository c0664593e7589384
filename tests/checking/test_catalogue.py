"""The catalogue of stories: each is right about our own server, which agrees with itself, and none is forgotten."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import httpx
import pytest

from stubserver.app import create_app
from stubserver.checking.catalogue import PERSONAS, CatalogueError, Step, Story, prepared, stories, unseen
from stubserver.checking.cleaning import clean_up
from stubserver.checking.expectations import problems
from stubserver.checking.meeting import meet, model
from stubserver.checking.playing import play
from stubserver.checking.sides import Side
from stubserver.checking.stage import Scene, Stage
from stubserver.contract.load import load_contract
from stubserver.serving.in_process import InProcess

BASE = "http://localhost:8000"


@dataclass
class Theatre:
    """A stage with our own server on both sides, whose clocks can be put forward."""

    stage: Stage
    clients: tuple[httpx.Client, httpx.Client]

    def wait(self, seconds: float) -> None:
        for client in self.clients:
            client.post("/__stub/clock/advance", json={"seconds": seconds}).raise_for_status()
        self.stage.community.ahead += timedelta(seconds=seconds)

    def seen(self, story: Story, scene: Scene) -> Iterator[str]:
        """What is wrong with the first step with which anything is."""
        for step in story.steps:
            if not step.operation:
                self.wait(step.wait)
                continue
            played = play(self.stage, step, scene)
            wrong = [*problems(played, self.stage.value(step.shows, scene, 0)), *map(str, played.differences)]
            if wrong:
                yield from [f"{step.written()}", *wrong]
                return


@pytest.fixture(scope="module")
def theatre() -> Iterator[Theatre]:
    contract = load_contract()
    transport = InProcess(create_app("empty", max_requests=1))
    with transport, httpx.Client(transport=transport, base_url=BASE) as target:
        community = meet(contract, Side(target), {name: f"stub-{name}" for name in PERSONAS})
        with model(contract, community, BASE) as ours:
            yield Theatre(Stage(contract, Side(ours), Side(target), community), (ours, target))


@pytest.mark.parametrize("story", stories(), ids=lambda story: f"{story.rule}: {story.title}")
def test_a_story_is_right(theatre: Theatre, story: Story) -> None:
    scene = Scene(f"run-{stories().index(story)}")
    try:
        assert [*theatre.seen(story, scene)] == []
    finally:
        assert [*clean_up(theatre.stage, scene)] == []


@pytest.mark.parametrize("story", stories(), ids=lambda story: f"{story.rule}: {story.title}")
def test_a_story_can_be_played_anywhere(story: Story) -> None:
    """It names no id of ours, makes courses that nobody else has, and expects something."""
    own = story.steps[-story.own :]
    assert any(step.expect for step in own)
    assert story.waits <= 2.5
    for step in (one for each in story.steps for one in each.all):
        assert step.operation != "create_course" or "$run" in str((step.body or {}).get("name") or "$run")
        for key in ("users", "managers", "joined", "unjoined"):
            for user in (step.body or {}).get(key) or ():
                assert not isinstance(user, int) or user <= 0, f"{user} may be somebody"


def test_titles_tell_stories_apart() -> None:
    titles = [story.title for story in stories()]
    assert sorted(titles) == sorted(set(titles))
    assert [title for title in titles if not re.fullmatch(r"[A-Z].*[^.]", title)] == []


def test_every_rule_has_a_story_or_a_reason() -> None:
    told = {story.rule for story in stories()}
    rules = set(load_contract().document["x-rules"])
    assert sorted(rules - told - set(unseen())) == []
    assert sorted(told & set(unseen())) == []
    assert sorted((told | set(unseen())) - rules) == []
    assert [*unseen()] == sorted(unseen())


def test_a_misspelt_part_of_a_step_is_refused() -> None:
    with pytest.raises(CatalogueError, match=r"Did you mean expect\?"):
        Step.read({"as": "creator", "do": "get_me", "expects": 200})


def test_a_given_part_that_is_not_there_is_refused() -> None:
    with pytest.raises(CatalogueError, match=r"joined"):
        prepared("join")


def test_a_step_is_written_as_it_was_read() -> None:
    written = {"as": "nobody", "do": "get_me", "headers": {"Accept": "text/plain"}, "expect": 401}
    assert Step.read(written).written() == written
    assert Step.read({"wait": 2.5}).written() == {"wait": 2.5}
