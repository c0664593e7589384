"""The caller as they see themselves."""

from stubserver.api import rules
from stubserver.api.views import View
from stubserver.call import Call


class _Permissions(dict[str, bool]):
    """What is allowed; whatever is not in it is not."""

    def __missing__(self, _: str) -> bool:
        return False


class MeView(View):
    """The own profile (R703)."""

    unseen_interactions_counter = 0
    unseen_notification_banners_counter = 0
    email_isvalid = True

    def __init__(self, call: Call) -> None:
        """`call` must have a caller."""
        assert call.user is not None  # noqa: S101 (guards have seen to it)
        super().__init__(call, call.user)

    @property
    def email(self) -> str:
        """At a domain that leads nowhere."""
        return f"{self.row['username']}@example.com"

    @property
    def may_create_courses(self) -> bool:
        """Everybody, or only platform staff (R114)."""
        only_staff = self.call.world.preferences["configurations.courses_only_staff_enabled"]
        return not only_staff or self.row["role"] in rules.STAFF

    @property
    def permission(self) -> dict[str, bool]:
        """What they may do: create courses, if that, for there is nothing else to do here."""
        return _Permissions(create_course=self.may_create_courses)
