"""What holds for a whole server and all of its worlds: the options that it was started with."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """Options of a server. The bounds keep it small however it is used; health counts what they cost."""

    seed: int = 0
    """Seeds whatever looks random."""
    jwt_secret: str | None = None
    """HS256 JWTs signed with it are accepted."""
    cors_origins: tuple[str, ...] = ()
    """Origins, besides localhost, whose pages may call."""
    control_token: str | None = None
    """What the control plane asks for; None on loopback, where none is needed."""
    fast_path: bool = True
    """Whether requests that are sure to succeed are answered without the whole stack; the answers are the same."""
    max_worlds: int = 10_000
    """The world that was idle for longest makes room for one more."""
    max_rows: int = 100_000
    """Rows in which one world may differ from its fixture."""
    max_requests: int = 5_000
    """Requests that the journal remembers, of all worlds together; the oldest goes first."""
    max_body: int = 8 * 1024 * 1024
    """Bytes of the largest request body; a larger one is a 413."""
