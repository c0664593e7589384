"""The options that a server is started with; they apply to all of its worlds."""

from dataclasses import dataclass
from datetime import datetime

WORLDS = 8
"""How many worlds of the maximum size must fit into the memory: half of it is for snapshots, and two worlds, which may
have an earlier state each, are never evicted, because they are in use."""

BODY_BOUNDS = ("max_body", "max_file")
"""The settings that may bound the body of an operation (`x-max-body`)."""

MEMORY = "memory:"
"""The store that a process has for itself."""


@dataclass(frozen=True)
class Settings:
    """Options of a server. The bounds limit its memory under any use; /health counts what they evicted."""

    seed: int = 0
    """Seed of all random draws."""
    freeze_at: datetime | None = None
    """Time at which the clock of every new world stands; None for real time."""
    strict: bool = False
    """Whether worlds refuse what the contract's types do not allow, though the real API's framework accepts it."""
    jwt_secret: str | None = None
    """HS256 JWTs signed with this secret are accepted."""
    cors_origins: tuple[str, ...] = ()
    """Origins, besides localhost, whose pages may call the API."""
    allowed_hosts: tuple[str, ...] = ()
    """Host names, besides localhost, under which the server answers over a socket; `*` allows any."""
    public_url: str | None = None
    """URL at which a proxy makes the server known; absolute URLs in answers begin with it."""
    forwarded_allow_ips: str | None = None
    """Proxies that may tell the address a client used: addresses and networks, separated by commas, or `*`."""
    control_token: str | None = None
    """Token that the control plane requires; None on loopback, where none is needed."""
    metrics_token: str | None = None
    """Token with which the metrics, and nothing else, can be had; None if only the control plane's own rules apply."""
    control_origins: tuple[str, ...] = ()
    """Origins, besides the server's own, whose pages may use the control plane."""
    store: str = MEMORY
    """Where worlds are kept: `memory:` of this process, `sqlite:PATH`, or the URL of a Redis."""
    fast_path: bool = True
    """Whether requests that are sure to succeed skip the stack; the answers are the same."""
    max_worlds: int = 10_000
    """Maximum number of worlds; for a new one, the world that has been idle longest is evicted."""
    max_rows: int = 100_000
    """Maximum number of rows in which a world may differ from its fixture."""
    max_world: int = 64 * 1024 * 1024
    """Maximum size of a world, in bytes: its changed rows and its faults."""
    max_memory: int = 512 * 1024 * 1024
    """Maximum size of all worlds and snapshots, in bytes; for more, the world that has been idle longest is evicted."""
    max_requests: int = 5_000
    """Maximum number of journal entries of one world; its oldest is evicted first."""
    max_journal: int = 64 * 1024 * 1024
    """Maximum size of all journals together, in bytes; the largest loses its oldest entries first."""
    max_body: int = 8 * 1024 * 1024
    """Maximum size of a request body, in bytes; a larger one gets a 413."""

    @property
    def max_file(self) -> int:
        """Maximum size of a snapshot in a file, in bytes: twice that of a world, because JSON may need two characters
        for one."""
        return max(self.max_body, 2 * self.max_world)

    def __post_init__(self) -> None:
        """Raises ValueError if the bounds do not fit together."""
        least = WORLDS * self.max_world
        if self.max_memory < least:
            message = f"--max-memory {self.max_memory} is too small for worlds of --max-world {self.max_world}"
            raise ValueError(f"{message}: use at least {least}, {WORLDS} times that.")
