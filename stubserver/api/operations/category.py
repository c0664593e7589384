"""Categories, which can only be read."""

from stubserver.api import rules
from stubserver.api.views import CategoryView, Listing
from stubserver.call import Call
from stubserver.errors import not_found
from stubserver.worlds.base import Row


def list_categories(call: Call) -> Listing:
    """The categories in display order; those not in use only for administrators (R706)."""
    rows = [row for row in call.world.categories if _visible(call, row) and call.searches(row["name"])]
    if _is_admin(call):
        rows = [row for row in rows if call.query.get("active") in (None, row["active"])]
        rows = [] if call.query.get("deleted") else rows
    if "can_create_content" in call.query:
        rows = [row for row in rows if _may_publish(call, row) == call.query["can_create_content"]]
    return Listing(sorted(rows, key=lambda row: (row["order"], row["id"])), lambda row: CategoryView(call, row))


def get_category(call: Call) -> CategoryView:
    """A category; one that is not in use only for administrators (R706)."""
    category = call.row("category")
    if not _visible(call, category):
        raise not_found(f"Category {category['id']}")
    return CategoryView(call, category)


def _visible(call: Call, category: Row) -> bool:
    return category["active"] or _is_admin(call)


def _is_admin(call: Call) -> bool:
    return call.user is not None and call.user["role"] == "admin"


def _may_publish(call: Call, category: Row) -> bool:
    return call.user is not None and (not category["content_only_staff"] or call.user["role"] in rules.STAFF)
