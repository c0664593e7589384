"""Room in a store, for all processes together: worlds and journal entries that go if there is not enough."""

from collections.abc import Iterator, Mapping, Set

from stubserver.settings import Settings
from stubserver.shared.turn import SNAPSHOT
from stubserver.stores.store import Kept, Store, Totals
from stubserver.worlds.registry import DEFAULT


class Room:
    """Keeps a store within the bounds of the settings."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings

    async def make(self, totals: Totals, used: Set[str]) -> None:
        """Evict the worlds that have been idle longest, never one that is `used`, and the oldest entries of the largest
        journals. Raises Unavailable."""
        bounds = self._settings
        if totals.documents > bounds.max_worlds or totals.held > bounds.max_memory // 2:
            victims = self._victims(await self._store.kept(), used)
            if victims:
                await self._store.evict(victims, "max_worlds")
        if totals.journal > bounds.max_journal:
            for name, size in self._longest(await self._store.kept()):
                await self._store.trim(name, size, "max_journal")

    def _victims(self, kept: Mapping[str, Kept], used: Set[str]) -> list[str]:
        worlds = {name: one.held for name, one in kept.items() if not name.startswith(SNAPSHOT)}
        size, snapshots = sum(worlds.values()), sum(one.held for one in kept.values()) - sum(worlds.values())
        count, most, victims = len(worlds), self._settings.max_memory, []
        for name, held in worlds.items():
            is_full = count > self._settings.max_worlds or (size > most // 2 and size + snapshots > most)
            if not is_full:
                break
            if name not in used and name != DEFAULT:
                victims.append(name)
                count, size = count - 1, size - held
        return victims

    def _longest(self, kept: Mapping[str, Kept]) -> Iterator[tuple[str, int]]:
        """The largest journals, and how much each has to lose so that an eighth of the room is free: down to the size
        that they have in common then."""
        sizes = sorted(((one.journal, name) for name, one in kept.items()), reverse=True)
        wanted = self._settings.max_journal * 7 // 8
        rest = sum(size for size, _ in sizes)
        level = 0
        for number, (size, _) in enumerate(sizes, start=1):
            rest -= size
            following = sizes[number][0] if number < len(sizes) else 0
            level = max(following, (wanted - rest) // number)
            if rest + number * following <= wanted:
                break
        return ((name, size - level) for size, name in sizes if size > level)
