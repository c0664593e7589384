"""What was measured of one server, and the figures that are told of it."""

import statistics
from dataclasses import dataclass, field

from benchmarks.checks import Habits
from benchmarks.pace import Paced
from benchmarks.peers import Server


@dataclass(frozen=True)
class Sample:
    """One measurement of one workload."""

    cpu_us: float
    """Processor microseconds of all its processes for a request."""
    per_second: float
    answer_bytes: float


@dataclass(frozen=True)
class Start:
    """What a start cost, until the first answer."""

    seconds: float
    cpu_seconds: float
    megabytes: float


@dataclass
class Result:
    """Everything about one server."""

    server: Server
    trouble: str = ""
    """Why it did not take part."""
    starts: list[Start] = field(default_factory=list)
    habits: Habits | None = None
    samples: dict[str, list[Sample]] = field(default_factory=dict)
    """By workload, one for each round."""
    latencies: list[Paced] = field(default_factory=list)
    megabytes_after: float | None = None

    def start_seconds(self) -> float | None:
        """From the start of the process to the first 200."""
        return median([start.seconds for start in self.starts])

    def start_cpu_seconds(self) -> float | None:
        """Processor time of the same."""
        return median([start.cpu_seconds for start in self.starts])

    def megabytes_at_start(self) -> float | None:
        """Memory after the first 200."""
        return median([start.megabytes for start in self.starts])

    def cpu_us(self, workload: str) -> float | None:
        """Processor time for a request, the median of the rounds."""
        return median([sample.cpu_us for sample in self.samples.get(workload, [])])

    def least_cpu_us(self, workload: str) -> float | None:
        """The same in the round that was disturbed least."""
        return min((sample.cpu_us for sample in self.samples.get(workload, [])), default=None)

    def per_second(self, workload: str) -> float | None:
        """Requests in a second, the median of the rounds."""
        return median([sample.per_second for sample in self.samples.get(workload, [])])

    def answer_bytes(self, workload: str) -> float | None:
        """Bytes of an answer with its headers."""
        return median([sample.answer_bytes for sample in self.samples.get(workload, [])])

    def cheaper(self, than: "Result", workload: str) -> float | None:
        """How often its processor time goes into the other's: a ratio of medians."""
        mine, others = self.cpu_us(workload), than.cpu_us(workload)
        return others / mine if mine and others else None

    def faster(self, than: "Result", workload: str) -> float | None:
        """How many times as many requests in a second: the median of the rounds' ratios."""
        pairs = zip(self.samples.get(workload, []), than.samples.get(workload, []), strict=False)
        return median([mine.per_second / other.per_second for mine, other in pairs])


def median(values: list[float]) -> float | None:
    """The median, None of nothing."""
    return statistics.median(values) if values else None
