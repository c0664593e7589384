"""The link of a process to a cluster of Redis: each command goes to the node that has its key."""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, NoReturn

from redis.crc import REDIS_CLUSTER_HASH_SLOTS, key_slot
from redis.exceptions import AskError, MovedError, RedisError

from stubserver.stores.link import Interrupted, Link, Unreachable
from stubserver.stores.redis_url import read_url
from stubserver.stores.wire import Command, pack

_HOPS = 5
"""How often a command is sent; after that, its redirection stands in the place of the reply."""
_SCRIPTED = {f"{name}{end}".encode() for name in ("EVAL", "EVALSHA", "FCALL") for end in ("", "_RO")}
"""Commands whose first key is their third argument. That of the others is taken to be the first one: where it is not,
the cluster redirects the command, so a wrong guess costs time only."""
_TRANSACTIONS = {b"MULTI", b"EXEC", b"DISCARD", b"WATCH"}
_ASKING, _SLOTS = pack([("ASKING",)]), pack([("CLUSTER", "SLOTS")])
_NOTHING = object()
"""Stands for a reply that has not come."""

Route = tuple[int, bool]
"""The position of a command in its call, and whether the node is only about to get its key and has to be told so."""


class ClusterLink:
    """The nodes of a cluster, and a link to each. The cluster is asked which node has which keys when this is first
    needed, and again after a node did not answer."""

    def __init__(self, url: str) -> None:
        """`url` leads to any node; login and TLS are those of all nodes. Raises ValueError, with one line, for a URL
        that cannot be. Nothing is opened yet."""
        self.address = read_url(url)
        if self.address.path is not None or self.address.db:
            raise ValueError("A cluster of Redis has neither a Unix socket nor a database other than 0.")
        self._links: dict[tuple[str, int], Link] = {}
        self._owners: list[Link] = []
        """The link for each slot; empty if the cluster has to be asked."""
        self._is_busy = self._is_closed = False

    async def ask(self, commands: Sequence[Command], patience: float) -> list[Any]:
        """As Link.ask, with one write for each node that has keys of the commands. All keys of a command have the same
        hash tag. Commands with the same tag are carried out in order, others at the same time. A script that the node
        does not know is a NoScriptError in its place.

        Raises what Link.ask raises (Unreachable only if nothing happened on any node), and ValueError for a
        transaction, since its commands name no key."""
        packed = [pack([command]) for command in commands]
        slots = [_slot(command) for command in commands]
        if not commands:
            return []
        if not patience > 0:
            raise ValueError(f"Patience is a number of seconds above 0, not {patience}.")
        if self._is_busy:
            raise RuntimeError(f"Another call is under way on the link to the cluster of {self.address}.")
        self._is_busy = True
        try:
            return await self._ask(packed, slots, asyncio.get_running_loop().time() + patience, patience)
        finally:
            self._is_busy = False
            if self._is_closed:  # meanwhile; the call may have opened another connection since
                await self.close()

    async def close(self) -> None:
        """End all connections for good; a call that is under way raises."""
        self._is_closed = True
        for link in [*self._links.values()]:
            await link.close()

    async def _ask(self, packed: list[bytes], slots: list[int], deadline: float, patience: float) -> list[Any]:
        replies: list[Any] = [_NOTHING] * len(packed)
        if not self._owners:
            await self._learn(deadline)
        routes = [(self._owners[slot], (position, False)) for position, slot in enumerate(slots)]
        for _ in range(_HOPS):
            failures: list[Unreachable | Interrupted] = []
            redirected: list[tuple[Link, Route]] = []
            for link, plan, answer in await self._send(_by_link(routes), packed, deadline, patience):
                if isinstance(answer, list):
                    redirected += self._take(answer, link, plan, slots, replies)
                else:
                    failures.append(answer)
            if failures:
                self._fail(failures, replies)
            routes = sorted(redirected, key=lambda route: route[1])
        return replies

    def _take(
        self, answer: list[Any], link: Link, plan: list[Route], slots: list[int], replies: list[Any]
    ) -> Iterator[tuple[Link, Route]]:
        """Put the replies of one node in their places, and yield where the node sends us on to."""
        for (position, _), reply in zip(plan, answer, strict=True):
            replies[position] = reply
            if isinstance(reply, AskError):
                yield self._redirect(reply, link, slots[position]), (position, type(reply) is AskError)

    async def _send(
        self, plans: dict[Link, list[Route]], packed: list[bytes], deadline: float, patience: float
    ) -> list[tuple[Link, list[Route], list[Any] | Unreachable | Interrupted]]:
        """Send each link its commands, at the same time, and return what came of it."""
        calls = [_try(link, plan, packed, deadline, patience) for link, plan in plans.items()]
        answers = [await calls[0]] if len(calls) == 1 else await asyncio.gather(*calls)  # which costs a task each
        return [(*plan, answer) for plan, answer in zip(plans.items(), answers, strict=True)]

    def _fail(self, failures: list[Unreachable | Interrupted], replies: list[Any]) -> NoReturn:
        """Raise what is true of all commands together."""
        self._owners = []
        happened = any(reply is not _NOTHING and not isinstance(reply, AskError) for reply in replies)
        unknown = [failure for failure in failures if isinstance(failure, Interrupted)]
        if unknown:
            raise unknown[0]
        if happened:
            raise Interrupted(f"{failures[0]} Other nodes of the cluster have answered.")
        raise failures[0]

    # Topology

    def _node(self, host: str, port: int) -> Link:
        if (host, port) not in self._links:
            self._links[host, port] = Link(replace(self.address, host=host, port=port))
        return self._links[host, port]

    def _redirect(self, reply: AskError, link: Link, slot: int) -> Link:
        """The node that a redirection names; without a host, it is at the host that answered."""
        node = self._node(reply.host or link.address.host, reply.port)
        if isinstance(reply, MovedError):
            self._owners[slot] = node
        return node

    async def _learn(self, deadline: float) -> None:
        """Ask the nodes one after the other, the given one last, until one answers. Raises Unreachable."""
        seed = self._node(self.address.host, self.address.port)
        candidates = [*(link for link in self._links.values() if link is not seed), seed]
        loop = asyncio.get_running_loop()
        failure = f"{self.address} is no longer asked: the link was closed."
        while candidates and not self._is_closed:
            link = candidates.pop(0)
            share = max(deadline - loop.time(), 0.001) / (1 + len(candidates))
            try:
                (reply,) = await link.send(_SLOTS, 1, loop.time() + share, share)
            except (Unreachable, Interrupted) as error:
                failure = str(error)
                continue
            try:
                table = _table(reply)
            except (AttributeError, TypeError, ValueError):
                text = reply if isinstance(reply, RedisError) else "its table of slots cannot be read"
                failure = f"{link.address} is no node of a cluster: {text}."
                continue
            return await self._adopt(link, table)
        raise Unreachable(failure)

    async def _adopt(self, link: Link, table: list[tuple[int, int, str, int]]) -> None:
        """Use the table of slots that the node behind `link` gave; it gets the commands for slots that nobody has,
        which it refuses. Links to nodes that have none any more are closed."""
        self._owners = [link] * REDIS_CLUSTER_HASH_SLOTS
        for first, last, host, port in table:
            node = self._node(host or link.address.host, port)
            self._owners[first : last + 1] = [node] * (last + 1 - first)
        used = set(self._owners)
        for where, other in [*self._links.items()]:
            if other not in used:
                del self._links[where]
                await other.close()


def _by_link(routes: Iterable[tuple[Link, Route]]) -> dict[Link, list[Route]]:
    plans: dict[Link, list[Route]] = {}
    for link, route in routes:
        plans.setdefault(link, []).append(route)
    return plans


async def _try(
    link: Link, plan: list[Route], packed: list[bytes], deadline: float, patience: float
) -> list[Any] | Unreachable | Interrupted:
    """The replies of one node, or why there are none."""
    sent = b"".join((_ASKING if is_asking else b"") + packed[position] for position, is_asking in plan)
    count = len(plan) + sum(is_asking for _, is_asking in plan)
    try:
        replies = iter(await link.send(sent, count, deadline, patience))
    except (Unreachable, Interrupted) as failure:
        return failure
    return [next(replies) if not is_asking else [next(replies), next(replies)][1] for _, is_asking in plan]


def _table(reply: Any) -> list[tuple[int, int, str, int]]:
    """The first and the last slot of each range, and where the node is that has it; it need not give its host. Raises
    AttributeError, TypeError or ValueError for what is no reply to CLUSTER SLOTS."""
    return [(int(first), int(last), (host or b"").decode(), int(port)) for first, last, (host, port, *_), *_ in reply]


def _slot(command: Command) -> int:
    """The slot of a command's key; 0, which is as good as any, if it has none."""
    name = _encoded(command[0]).upper()
    if name in _TRANSACTIONS:
        raise ValueError(f"A cluster of Redis has no place for {name.decode()}, which names no key: use a script.")
    position = 3 if name in _SCRIPTED else 1
    return key_slot(_encoded(command[position])) if len(command) > position else 0


def _encoded(part: str | bytes | int) -> bytes:
    return part if isinstance(part, bytes) else str(part).encode()


def link(url: str) -> Link | ClusterLink:
    """The link that a URL of Redis asks for: to a cluster with `cluster=true` among its options, to one server without.
    Raises ValueError, with one line, for a URL that cannot be."""
    before, mark, query = url.partition("?")
    options = query.split("&")
    chosen = {option for option in options if option.partition("=")[0] == "cluster"}
    if not chosen <= {"cluster=true", "cluster=false"} or len(chosen) > 1:
        raise ValueError("The option cluster of a URL of Redis is true or false.")
    rest = "&".join(option for option in options if option not in chosen)
    plain = before + mark + rest
    return ClusterLink(plain) if "cluster=true" in chosen else Link(plain)
