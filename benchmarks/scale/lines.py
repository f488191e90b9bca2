"""How figures are written, and what is assumed of a fleet."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

SIZES = (10, 100, 1000, 10000)
MB = 1_000_000


@dataclass(frozen=True, slots=True)
class Assumed:
    """What nobody can measure for others; `python -m benchmarks.scale` takes other values."""

    sizes: Sequence[int] = SIZES
    slots: int = 4
    """`concurrent` of a host."""
    load: float = 0.6
    """Which part of the slots has a job."""
    job_seconds: float = 240
    builds: float = 1.0
    """How many base images a job pulls in its own Docker daemon."""
    image_mb: float = 80
    """What each of them moves."""
    processor_seconds: float = 120
    """What the scripts of a job need of a core."""

    def jobs_an_hour(self, hosts: int) -> float:
        """Return how many jobs so many hosts run."""
        return hosts * self.slots * self.load / self.job_seconds * 3600


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return a table of Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return [f"| {' | '.join(each)} |" for each in lines]


def number(value: float) -> str:
    """Return a figure with two or three digits that count."""
    if value >= 100:
        digits = len(str(round(value))) - 3
        return f"{round(value, -max(0, digits)):,.0f}"
    return f"{value:.0f}" if value >= 10 or not value % 1 else f"{value:.1f}"


def seconds(value: float) -> str:
    """Return a time, as exact as anybody needs it."""
    if value < 0.1:
        return "under 0.1 s"
    return f"{value:.1f} s" if value < 10 else f"{value:.0f} s"


def percent(value: float) -> str:
    """Return a share."""
    return f"{value * 100:.0f} %"
