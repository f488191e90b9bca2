"""Draining, as it is told: nothing without --yes, and what is left."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from executor.commands.fleet.draining import drain
from executor.commands.fleet.options import Options, read_options
from executor.commands.fleet.pausing import Pausing
from executor.commands.gitlab.client import Client
from tests.commands.fleet.stubs import Systemd
from tests.gitlab import server
from tests.gitlab.samples import payload
from tests.gitlab.server import GitLab


@pytest.fixture(name="gitlab")
def _gitlab(tmp_path: Path) -> Iterator[GitLab]:
    with server.serving(tmp_path) as gitlab:
        yield gitlab


@pytest.fixture(name="systemd")
def _systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Systemd:
    systemd = Systemd(tmp_path / "bin")
    monkeypatch.setenv("PATH", f"{systemd.directory}:/usr/bin:/bin")
    return systemd


def options(tmp_path: Path, *args: str) -> Options:
    """Return options with a log of their own."""
    return read_options(
        [*args, "--audit-log", str(tmp_path / "log")], {"CI_SERVER_URL": "http://g"}
    )


def told(capfd: pytest.CaptureFixture[str]) -> list[tuple[str, list[str]]]:
    """Return the states and the jobs that were told."""
    lines = map(json.loads, capfd.readouterr().out.splitlines())
    return [(each["state"], each["jobs"]) for each in lines]


def test_a_runner(gitlab: GitLab, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Shown, paused and waited for, resumed."""
    row = gitlab.registry.add({})
    token = gitlab.registry.add_user({"read_api", "manage_runner"})
    pausing = Pausing(Client(gitlab.url, token), row.id)
    job = gitlab.enqueue(payload(gitlab.url))
    gitlab.take(job, "s_1")
    runner = ("--runner", str(row.id))

    paused = []

    assert drain(options(tmp_path, "drain", *runner), pausing) == 0
    paused.append(row.paused)
    assert not (tmp_path / "log").exists()
    assert (
        drain(options(tmp_path, "drain", *runner, "--yes", "--wait", "--timeout", "0"), pausing)
        == 124
    )
    paused.append(row.paused)
    assert drain(options(tmp_path, "undrain", *runner, "--yes"), pausing) == 0
    paused.append(row.paused)

    assert paused == [False, True, False]

    jobs = [str(job.id)]
    assert told(capfd) == [
        ("would", jobs),
        ("paused", []),
        ("left", jobs),
        ("timeout", []),
        ("resumed", []),
    ]


def test_this_host(systemd: Systemd, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Shown, told to end, waited for, started again."""
    limit = ("--yes", "--wait", "--timeout", "0")

    assert drain(options(tmp_path, "drain"), None, systemd.root) == 0
    assert systemd.state == "active"
    assert drain(options(tmp_path, "drain", *limit), None, systemd.root) == 124
    assert drain(options(tmp_path, "undrain", *limit), None, systemd.root) == 124
    systemd.become("inactive")
    assert drain(options(tmp_path, "drain", *limit), None, systemd.root) == 0
    assert drain(options(tmp_path, "undrain"), None, systemd.root) == 0
    assert drain(options(tmp_path, "undrain", *limit), None, systemd.root) == 0
    assert systemd.state == "active"

    states = [state for state, _ in told(capfd)]
    assert states == [
        *("would", "draining", "left", "timeout", "left", "timeout"),
        *("draining", "drained", "would", "resumed"),
    ]
