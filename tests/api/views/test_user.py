"""How callers see themselves."""

import pytest

from stubserver.api.views.user import MeView
from stubserver.worlds.world import World
from tests.support.calls import called


@pytest.mark.parametrize(
    ("only_staff", "user", "may"), [(False, 3, True), (False, 7, True), (True, 3, False), (True, 7, True)]
)
def test_who_may_create_courses(world: World, only_staff: bool, user: int, may: bool) -> None:
    """R114: everyone, or only platform staff."""
    world.preferences = {**world.preferences, "configurations.courses_only_staff_enabled": only_staff}
    view = MeView(called(world, user=user))
    assert view.may_create_courses is may
    assert view.permission["create_course"] is may


def test_nothing_else_may_be_done(world: World) -> None:
    """R703: whatever the permission."""
    permission = MeView(called(world, user=7)).permission
    assert not permission["create_post"]
    assert not permission["what nobody has thought of"]


def test_the_address_leads_nowhere(world: World) -> None:
    assert MeView(called(world, user=3)).email == "dilys_pruett@example.com"
