"""Going back to a version that is there."""

from pathlib import Path

import pytest

from executor.commands.install import rollback
from executor.commands.install.versions import Versions
from tests.commands.install.test_versions import a_version


@pytest.fixture(name="versions")
def _versions(tmp_path: Path) -> Versions:
    versions = Versions(tmp_path)
    for name in ("1.0", "2.0", "3.0"):
        a_version(tmp_path, name, answer=f"echo dind-executor {name}")
        versions.switch(name)
    return versions


def test_back_and_forth(versions: Versions, capsys: pytest.CaptureFixture[str]) -> None:
    """A second call brings back what the first one left."""
    prefix = f"--prefix={versions.prefix}"
    assert rollback.main([prefix]) == 0
    assert (versions.current(), versions.previous()) == ("2.0", "3.0")
    assert "Jobs that begin now use dind-executor 2.0" in capsys.readouterr().out
    assert rollback.main([prefix]) == 0
    assert versions.current() == "3.0"
    assert rollback.main([prefix, "1.0"]) == 0
    assert versions.current() == "1.0"


def test_the_list(versions: Versions, capsys: pytest.CaptureFixture[str]) -> None:
    """It says which is which."""
    assert rollback.main([f"--prefix={versions.prefix}", "--list"]) == 0

    assert capsys.readouterr().out.splitlines() == ["1.0", "2.0 (previous)", "3.0 (current)"]


def test_a_version_that_is_not_there(
    versions: Versions, capsys: pytest.CaptureFixture[str]
) -> None:
    """The sentence has those that are."""
    assert rollback.main([f"--prefix={versions.prefix}", "4.0"]) == 2

    assert "There are: 1.0, 2.0, 3.0." in capsys.readouterr().err
    assert versions.current() == "3.0"


def test_a_version_that_does_not_start(
    versions: Versions, capsys: pytest.CaptureFixture[str]
) -> None:
    """Jobs keep the one that works."""
    (versions.path("2.0") / "bin/python").write_text("#!/bin/sh\necho broken >&2\nexit 1\n")

    assert rollback.main([f"--prefix={versions.prefix}"]) == 2

    assert "does not start: broken" in capsys.readouterr().err
    assert versions.current() == "3.0"


def test_no_version_before(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing to go back to."""
    a_version(tmp_path, "1.0")
    Versions(tmp_path).switch("1.0")

    assert rollback.main([f"--prefix={tmp_path}"]) == 2
    assert "There is no version before 1.0." in capsys.readouterr().err
