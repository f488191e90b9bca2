"""What is to be said once, of the file and all runners that are migrated from it: pure."""

from collections.abc import Mapping, Sequence

from executor.commands.migrate.environment import variables_of
from executor.commands.migrate.rules import LINKS, NETWORKS, VOLUMES

Table = Mapping[str, object]
_FLAG = "FF_NETWORK_PER_BUILD"
_LINKED = ("", "default", "bridge")
_DEFAULT_NETWORKS = 30
"""For so many networks Docker's own address pools are enough."""


def notes_of_all(document: Table, runners: Sequence[Table]) -> list[str]:
    """Return whole sentences for the runners of a file together."""
    jobs = _jobs(document, runners)
    return [
        *([NETWORKS.format(jobs=jobs)] if jobs >= _DEFAULT_NETWORKS else []),
        *([LINKS] if any(_has_links(each) for each in runners) else []),
        VOLUMES,
    ]


def _jobs(document: Table, runners: Sequence[Table]) -> int:
    """Return how many jobs these runners run at once, at most."""
    most = _number(document.get("concurrent")) or 1
    return min(most, sum(_number(each.get("limit")) or most for each in runners))


def _number(value: object) -> int:
    return value if isinstance(value, int) and value > 0 else 0


def _has_links(runner: Table) -> bool:
    """Tell whether the Docker executor linked the services of jobs to the build container."""
    docker, flags = runner.get("docker"), runner.get("feature_flags")
    mode = docker.get("network_mode") if isinstance(docker, dict) else ""
    flag = flags.get(_FLAG) if isinstance(flags, dict) else None
    given = variables_of(runner).get(_FLAG, "").lower()
    return (mode or "") in _LINKED and flag is not True and given not in ("true", "1", "t")
