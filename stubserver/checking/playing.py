"""Playing a step of a story, a cell or a walk, whatever becomes of it; and two steps at the same time."""

from collections.abc import Sequence

from stubserver.checking.catalogue import Step
from stubserver.checking.comparison import Difference, of_contract
from stubserver.checking.sides import Answer
from stubserver.checking.stage import Lost, Played, Scene, Stage


def play(stage: Stage, step: Step, scene: Scene) -> Played:
    """Play a step, even if it makes nothing. If something is sent meanwhile, what is wrong with that is a difference,
    too. Raises CatalogueError if it cannot be played, and Stopped."""
    try:
        return stage.play(step, scene) if step.meanwhile is None else _at_once(stage, step, scene)
    except Lost as lost:
        return lost.played


def _at_once(stage: Stage, step: Step, scene: Scene) -> Played:
    """The model takes one step after the other. The target may take them in any order, and each of its answers may show
    what the other one did or not, so only the statuses are compared, in any order. Raises Lost."""
    asked = [stage.asked(one, scene) for one in step.all]
    model, target = stage.sides
    ours = [model.ask(request) for _, request, _ in asked]
    theirs = target.ask_at_once([request for _, _, request in asked])
    found = [*_of_statuses(ours, theirs)]
    for (operation, *_), answer, other in zip(asked, theirs, ours, strict=True):
        stage.presence.note(operation, other, answer)
        found += of_contract(operation, answer)
    all_played = [
        Played(one, operation, (request, other), answers, found)
        for one, (operation, request, other), answers in zip(
            step.all, asked, zip(ours, theirs, strict=True), strict=True
        )
    ]
    stage.played += len(all_played)
    _remember(stage, scene, all_played)
    return all_played[0]


def _remember(stage: Stage, scene: Scene, both: Sequence[Played]) -> None:
    """Note what steps have made, all of it even if one of them has made nothing. Raises Lost."""
    for number, played in enumerate(both):
        try:
            stage.remember(played, scene)
        except Lost:
            _remember(stage, scene, both[number + 1 :])
            raise


def _of_statuses(model: Sequence[Answer], target: Sequence[Answer]) -> Sequence[Difference]:
    failed = [answer for answer in target if answer.failure]
    if failed:
        return [Difference("answer", "transport", "an answer", failed[0].failure)]
    ours, theirs = (" and ".join(sorted(str(answer.status) for answer in side)) for side in (model, target))
    return [] if ours == theirs else [Difference("status", "status", ours, f"{theirs}, at the same time")]
