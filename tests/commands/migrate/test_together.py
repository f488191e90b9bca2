"""What is said once of all runners of a file."""

import pytest

from executor.commands.migrate.rules import LINKS, VOLUMES
from executor.commands.migrate.together import notes_of_all

FLAG = {"feature_flags": {"FF_NETWORK_PER_BUILD": True}}


@pytest.mark.parametrize(
    ("concurrent", "limits", "jobs"),
    [(60, [0], 60), (60, [10], 0), (60, [20, 20], 40), (None, [0], 0), (29, [0, 0], 0)],
)
def test_jobs_that_need_more_networks(concurrent: object, limits: list[int], jobs: int) -> None:
    """What counts is how many jobs these runners run at once."""
    runners = [{**FLAG, "limit": each} for each in limits]

    said = notes_of_all({"concurrent": concurrent}, runners)

    assert said[-1] == VOLUMES
    assert [each.split()[2] for each in said[:-1]] == ([str(jobs)] if jobs else [])


@pytest.mark.parametrize(
    ("runner", "linked"),
    [
        ({}, True),
        ({"docker": {"network_mode": "bridge"}}, True),
        ({"docker": {"network_mode": "ci"}}, False),
        (FLAG, False),
        ({"environment": ["FF_NETWORK_PER_BUILD=1"]}, False),
    ],
)
def test_services_that_were_linked(runner: dict[str, object], linked: bool) -> None:  # noqa: FBT001
    """Only the engine's default bridge sets the variables of links."""
    assert (LINKS in notes_of_all({}, [FLAG, runner])) is linked
