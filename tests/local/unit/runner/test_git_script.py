"""The script that gets the sources, run by a real shell."""

from pathlib import Path

import pytest

from executor.local.project.variables import Variable
from executor.local.runner import git_script
from executor.local.runner.outcome import ConfigurationFailure
from tests.local.samples import an_assignment
from tests.local.unit.runner.scripts import a_context, run


@pytest.mark.parametrize(("strategy", "kept"), [("none", True), ("empty", False)])
def test_a_job_may_do_without_sources(tmp_path: Path, strategy: str, *, kept: bool) -> None:
    """`none` leaves the directory as it is, `empty` clears it."""
    assignment = an_assignment(Variable("GIT_STRATEGY", strategy))
    context = a_context(tmp_path, assignment)
    leftover = Path(context.where.project) / "leftover"
    leftover.touch()
    done = run(git_script.get_sources(context))
    assert done.returncode == 0, done.stderr
    assert "Skipping Git repository setup" in done.stdout
    assert kept == leftover.exists()


def test_an_unknown_strategy_is_named() -> None:
    """The error lists the strategies that there are."""
    with pytest.raises(ConfigurationFailure, match='"shallow"; set it to one of fetch, clone'):
        git_script.chosen_strategy("shallow")
