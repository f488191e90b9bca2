"""What the tests of `fleet` have: a GitLab, a log of changes, and a systemd."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from executor.commands.fleet.journal import Journal
from tests.commands.fleet.stubs import Systemd
from tests.gitlab import server
from tests.gitlab.server import GitLab


@pytest.fixture(name="gitlab")
def _gitlab(tmp_path: Path) -> Iterator[GitLab]:
    with server.serving(tmp_path) as gitlab:
        yield gitlab


@pytest.fixture(name="journal")
def _journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal(str(tmp_path / "log")) as journal:
        yield journal


@pytest.fixture(name="systemd")
def _systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Systemd:
    systemd = Systemd(tmp_path / "bin")
    monkeypatch.setenv("PATH", f"{systemd.directory}:/usr/bin:/bin")
    return systemd
