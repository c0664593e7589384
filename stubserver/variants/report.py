"""What a search has found: for each place and kind, whether the command survived it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from stubserver.variants.running import Asked, Run
from stubserver.variants.site import Site

BROKEN, FLAKY, NOT_SENT, SURVIVED = RESULTS = "broken", "flaky", "not sent", "survived"
"""What becomes of a site, the worst first."""


@dataclass
class Finding:
    """Variants that make the command fail; several only where none of them does alone."""

    sites: Sequence[Site]
    run: Run
    """The run with just these."""
    refused: Sequence[Asked] = ()
    """What the server refused in it, though not without variants: the client may have asked for what is not there."""
    is_flaky: bool = False
    """Whether the command did not fail when they were sent again."""
    accepted: str = ""
    """Why it is known, if it is."""

    @property
    def key(self) -> str:
        """What stands for it in a list of known ones."""
        return " + ".join(sorted(site.key for site in self.sites))

    @property
    def request(self) -> Asked | None:
        """The last request whose answer varied."""
        keys = {site.key for site in self.sites}
        return next((asked for asked in reversed(self.run.asked) if keys & {*asked.varied}), None)

    @property
    def prefer(self) -> str:
        """The header that asks for these variants."""
        return f'Prefer: variant="{" ".join(f"{site.what}:{site.place}" for site in self.sites)}"'


@dataclass
class Report:
    """All that a search has found."""

    command: str
    findings: list[Finding] = field(default_factory=list)
    survived: set[Site] = field(default_factory=set)
    sites: Sequence[Site] = ()
    """All that would make a difference in what the command is sent."""
    places: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """operationId -> places of its answers that the command is sent."""
    offered: int = 0
    """How many places the answers of all operations have that were picked."""
    notes: list[str] = field(default_factory=list)
    runs: int = 0
    """How often the command ran."""
    seconds: float = 0.0
    ended: str = ""
    """Why it ended before all was tried: `interrupted`, `time`, or empty."""

    @property
    def target(self) -> str:
        """What was looked at."""
        return self.command

    @property
    def new(self) -> Sequence[Finding]:
        """The findings that count: neither accepted nor flaky."""
        return [finding for finding in self.findings if not finding.accepted and not finding.is_flaky]

    def result(self, site: Site) -> str:
        """What became of a site."""
        for finding in self.findings:
            if site in finding.sites:
                return FLAKY if finding.is_flaky else BROKEN
        return SURVIVED if site in self.survived else NOT_SENT

    @property
    def counts(self) -> Mapping[str, int]:
        """Result -> how many sites have it."""
        results = [self.result(site) for site in self.sites]
        return {name: results.count(name) for name in RESULTS if name in results}

    @property
    def circumstances(self) -> str:
        """How much was tried, and how."""
        there = sum(map(len, self.places.values()))
        return (
            f"{len(self.sites)} variants at {there} places of {len(self.places)} operations, {self.runs} runs in "
            + (f"{self.seconds:.0f} s")
        )
