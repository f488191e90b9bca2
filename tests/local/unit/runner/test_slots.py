"""The runner's places: one job at a time, the same ones in the next run."""

import subprocess
import sys
from pathlib import Path

import pytest

from executor.local.errors import LocalError
from executor.local.runner.slots import Slots, runner_token
from tests.local.conftest import ENVIRONMENT

HOLD = """
import sys
from pathlib import Path
from executor.local.runner.slots import Slots
places = Slots("config.toml", "runner", "group/project", Path(sys.argv[1]))
print(places.take(), flush=True)
sys.stdin.read()
"""


def test_a_slot_is_free_again_when_it_is_given_back(tmp_path: Path) -> None:
    """The lowest free number is taken first."""
    places = Slots("config.toml", "runner", "group/project", tmp_path)
    assert [places.take(), places.take(), places.take()] == [0, 1, 2]
    places.give_back(1)
    assert [places.take(), places.take()] == [1, 3]


def test_another_command_takes_another_slot_as_long_as_this_one_lives(tmp_path: Path) -> None:
    """The number is free again when the command ends in any way."""
    holding = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=ENVIRONMENT,
        text=True,
    )
    assert holding.stdout is not None
    assert holding.stdout.readline() == "0\n"
    places = Slots("config.toml", "runner", "group/project", tmp_path)
    assert places.take() == 1
    holding.kill()
    holding.communicate()
    assert places.take() == 0


@pytest.mark.parametrize(
    "other", [("x", "runner", "p"), ("config.toml", "x", "p"), ("config.toml", "runner", "x")]
)
def test_another_registration_or_project_has_slots_of_its_own(
    tmp_path: Path, other: tuple[str, str, str]
) -> None:
    """Two registrations or projects share no numbers."""
    assert Slots("config.toml", "runner", "p", tmp_path).take() == 0
    assert Slots(*other, tmp_path).take() == 0


def test_a_directory_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    """The error names TMPDIR as the remedy."""
    occupied = tmp_path / "file"
    occupied.touch()
    with pytest.raises(LocalError, match=r"file.*TMPDIR"):
        Slots("config.toml", "runner", "p", occupied).take()


def test_the_runner_has_the_same_token_in_every_run() -> None:
    """A registration has one token, by which custom executors keep caches."""
    token = runner_token("config.toml", "runner")
    assert token == runner_token("config.toml", "runner")
    assert token != runner_token("config.toml", "other")
    assert token.startswith("local")
