"""What a job took, as lines for its log: pure.

What is not known is left out.
"""

from typing import NamedTuple

from executor.notation.sizes import size_text

SECTION = "dind_executor_summary"
"""The name of the section in the job log."""

_BOLD_CYAN, _RESET, _CLEAR = "\x1b[36;1m", "\x1b[0;m", "\x1b[0K"


class Pulled(NamedTuple):
    """A pull, as prepare has noted it."""

    image: str
    seconds: float
    moved: int | None
    """How many bytes came; None where the engine has not said so."""


class BuildCache(NamedTuple):
    """What a job did with the build cache of its sidecar."""

    used: int
    """Records that were there before the job."""
    made: int
    made_bytes: int


class DindUsage(NamedTuple):
    """What is known of a job's sidecar."""

    answered_seconds: float | None = None
    """After its start."""
    peak_memory: int | None = None
    """In bytes, cached files included."""
    build_cache: BuildCache | None = None


def summary(
    pulls: tuple[Pulled, ...], started_seconds: float | None, usage: DindUsage | None
) -> list[str]:
    """Return the lines; `started_seconds` is what the start of the sidecar took."""
    lines = [f"Pulled {each.image} in {each.seconds:.1f} s{_moved(each.moved)}." for each in pulls]
    if usage is None:
        return lines
    if started_seconds is not None:
        lines.append(f"The dind sidecar started in {started_seconds:.1f} s.")
    if usage.answered_seconds is not None:
        lines.append(f"Its Docker daemon answered {usage.answered_seconds:.1f} s after its start.")
    if usage.peak_memory is not None:
        lines.append(
            f"It used up to {size_text(usage.peak_memory)} of memory, cached files included."
        )
    said = _cache(usage.build_cache) if usage.build_cache else []
    return [*lines, f"Build cache: {', '.join(said)}."] if said else lines


def section(lines: list[str], now: float) -> str:
    """Return the lines in a section of their own, which GitLab shows when it is opened."""
    at = int(now)
    return (
        f"section_start:{at}:{SECTION}[collapsed=true]\r{_CLEAR}"
        f"{_BOLD_CYAN}What the job took{_RESET}\n"
        + "".join(f"{each}\n" for each in lines)
        + f"section_end:{at}:{SECTION}\r{_CLEAR}"
    )


def _moved(moved: int | None) -> str:
    if moved is None:
        return ""
    return f" ({size_text(moved)})" if moved else " (nothing new)"


def _cache(cache: BuildCache) -> list[str]:
    used = [f"{_records(cache.used)} of earlier jobs used"] if cache.used else []
    made = [f"{_records(cache.made)} made ({size_text(cache.made_bytes)})"] if cache.made else []
    return [*used, *made]


def _records(number: int) -> str:
    return f"{number} record{'s' * (number != 1)}"
