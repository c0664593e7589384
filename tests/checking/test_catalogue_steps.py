"""Steps as they are written, and what `stubserver why` tells of a rule."""

import pytest
import yaml

from stubserver.checking.catalogue import Step, as_yaml, told
from tests.support.commands import invoke


@pytest.mark.parametrize(
    "step",
    [
        Step("creator", "create_course", body={"name": "A: b, {c} $run", "type": "self-paced", "n": [1, None, True]}),
        Step("nobody", "get_course", "course", query={"view": "edit", "x": "yes", "y": "1", "z": "", "é": "ü\n"}),
        Step("member", "patch_course", "course", files={"image_original": "png"}, save="x", expect=200, shows={"a": 1}),
        Step(wait=2.5),
    ],
)
def test_steps_can_be_pasted_into_the_catalogue(step: Step) -> None:
    (line,) = as_yaml([step])
    assert Step.read(yaml.safe_load(line)[0]) == step


def test_why_tells_the_stories_of_a_rule() -> None:
    status, out, err = invoke("why", "R113")
    assert (status, err) == (0, "")
    assert out.endswith("".join(f"{line}\n" for line in told("R113")))
    assert "  story: The dashboard view shows how far the members are\n" in out
    assert [line for line in out.splitlines() if line.startswith("    - {as: creator, do: create_course, body: ")]


def test_why_says_that_a_rule_has_no_story() -> None:
    _, out, _ = invoke("why", "R007")
    assert out.splitlines()[-1].startswith("  no story: A story names ")


def test_operations_have_no_stories_of_their_own() -> None:
    assert [*told("get_course")] == []
