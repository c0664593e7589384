"""The measurements of one server, and the figures derived from them."""

import statistics
from dataclasses import dataclass, field

from benchmarks.checks import Habits
from benchmarks.pace import Paced
from benchmarks.peers import Server


@dataclass(frozen=True)
class Sample:
    """One measurement of one workload."""

    cpu_us: float
    """Processor time of all the server's processes per request, in microseconds."""
    per_second: float
    """Requests per second."""
    answer_bytes: float
    """Size of an answer with its headers."""


@dataclass(frozen=True)
class Start:
    """The cost of one start, up to the first answer."""

    seconds: float
    cpu_seconds: float
    megabytes: float


@dataclass
class Result:
    """Everything about one server."""

    server: Server
    trouble: str = ""
    """Why it did not take part; empty if it did."""
    starts: list[Start] = field(default_factory=list)
    habits: Habits | None = None
    samples: dict[str, list[Sample]] = field(default_factory=dict)
    """Workload -> a sample for each round."""
    latencies: dict[str, list[Paced]] = field(default_factory=dict)
    """Workload -> samples at half of the maximum rate."""
    megabytes_after: float | None = None
    """Memory after all load."""

    def start_seconds(self) -> float | None:
        """Time from the start of the process to the first 200, the median of the starts."""
        return median([start.seconds for start in self.starts])

    def start_cpu_seconds(self) -> float | None:
        """Processor time of a start, the median of the starts."""
        return median([start.cpu_seconds for start in self.starts])

    def megabytes_at_start(self) -> float | None:
        """Memory after the first 200, the median of the starts."""
        return median([start.megabytes for start in self.starts])

    def cpu_us(self, workload: str) -> float | None:
        """Processor time per request, the median of the rounds."""
        return median([sample.cpu_us for sample in self.samples.get(workload, [])])

    def least_cpu_us(self, workload: str) -> float | None:
        """Processor time per request in the cheapest round, which was disturbed least."""
        return min((sample.cpu_us for sample in self.samples.get(workload, [])), default=None)

    def per_second(self, workload: str) -> float | None:
        """Requests per second, the median of the rounds."""
        return median([sample.per_second for sample in self.samples.get(workload, [])])

    def answer_bytes(self, workload: str) -> float | None:
        """Size of an answer with its headers, the median of the rounds."""
        return median([sample.answer_bytes for sample in self.samples.get(workload, [])])

    def cheaper(self, than: "Result", workload: str) -> float | None:
        """The other server's processor time per request as a multiple of this one's: a ratio of medians."""
        mine, others = self.cpu_us(workload), than.cpu_us(workload)
        return others / mine if mine and others else None

    def faster(self, than: "Result", workload: str) -> float | None:
        """Requests per second as a multiple of the other server's: the median of the rounds' ratios."""
        pairs = zip(self.samples.get(workload, []), than.samples.get(workload, []), strict=False)
        return median([mine.per_second / other.per_second for mine, other in pairs])


def median(values: list[float]) -> float | None:
    """The median; None for an empty list."""
    return statistics.median(values) if values else None
