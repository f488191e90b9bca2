"""Where a job's sources and caches are."""

import pytest

from executor.local.runner.directories import Directories, directories
from tests.local.samples import SLOT, an_assignment


@pytest.mark.parametrize(
    ("is_shared", "empty", "project"),
    [
        (False, False, "/builds/Group/Sub/project"),
        (True, False, "/builds/local1234/0/Group/Sub/project"),
        (False, True, "/builds/Group/Sub/project-empty"),
    ],
)
def test_directories_are_where_the_runner_has_them(
    *, is_shared: bool, empty: bool, project: str
) -> None:
    """The cache directory never has the shared layout."""
    where = directories(
        an_assignment(),
        SLOT,
        builds_dir="/builds",
        cache_dir="/cache",
        is_shared=is_shared,
        empty_strategy=empty,
    )
    assert Directories("/builds", "/cache/Group/Sub/project", project) == where
