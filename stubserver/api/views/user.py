"""How callers see themselves, and how they see one other user."""

from stubserver.api import rules
from stubserver.api.views import UserView
from stubserver.call import Call

_MESSAGES = "addons.private_messages_enabled"


class _Permissions(dict[str, bool]):
    """Permissions by name; any name that is missing is denied."""

    def __missing__(self, _: str) -> bool:
        return False


class MeView(UserView):
    """The caller's own profile (R703)."""

    unseen_interactions_counter = 0
    unseen_notification_banners_counter = 0
    email_isvalid = True
    context = None

    def __init__(self, call: Call) -> None:
        """`call` must be that of a logged-in caller."""
        assert call.user is not None  # noqa: S101 (the guards ensure it)
        super().__init__(call, call.user)

    @property
    def email(self) -> str:
        """A made-up address in a reserved domain, so that mail to it reaches nobody."""
        return f"{self.row['username']}@example.com"

    @property
    def may_create_courses(self) -> bool:
        """Whether the caller may create courses: everybody may, or only platform staff (R114)."""
        only_staff = self.call.world.preferences["configurations.courses_only_staff_enabled"]
        return not only_staff or self.row["role"] in rules.STAFF

    @property
    def permission(self) -> dict[str, bool]:
        """The caller's permissions; all but create_course are denied (R703)."""
        return _Permissions(create_course=self.may_create_courses)


class ProfileView(UserView):
    """One user, as the caller sees them (R705)."""

    context = None

    @property
    def can_send_pm_to(self) -> bool:
        """Whether the caller may send private messages to the user (R719)."""
        switched_on = bool(self.call.world.preferences[_MESSAGES])
        return switched_on and self.call.user_id not in (None, self.row["id"]) and not self.row["deleted"]
