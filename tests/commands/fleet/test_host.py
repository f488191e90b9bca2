"""This host is drained by systemd, and used again."""

import pytest

from executor.commands.fleet.host import Host, HostFailed
from executor.commands.fleet.journal import Journal
from tests.commands.fleet.stubs import Systemd


def test_gitlab_runner_is_told_to_end_and_is_not_started_again(
    systemd: Systemd, journal: Journal
) -> None:
    """The file is there before systemd stops anything, and a second call stops nothing."""
    host = Host(systemd.root)

    assert host.drain(journal)
    assert systemd.calls() == ["daemon-reload", "stop --no-block gitlab-runner.service"]
    text = systemd.drop_in.read_text()
    for line in ("KillSignal=SIGQUIT", "KillMode=mixed", "TimeoutStopSec=infinity", "Restart=no"):
        assert f"\n{line}\n" in text
    assert not host.drain(journal)
    assert len(systemd.calls()) == 2


def test_it_waits_for_the_process(systemd: Systemd) -> None:
    """Jobs are named while it ends; that it was asked to is not that it has."""
    host = Host(systemd.root)

    for state, left in (("active", []), ("deactivating", []), ("inactive", None), ("failed", None)):
        systemd.become(state)
        assert host.left() == left


def test_used_again(systemd: Systemd, journal: Journal) -> None:
    """What was written goes, and gitlab-runner starts; once."""
    host = Host(systemd.root)
    host.drain(journal)
    systemd.become("inactive")

    assert host.undrain(journal)
    assert systemd.state == "active"
    assert not systemd.drop_in.exists()
    assert not host.undrain(journal)
    assert systemd.calls()[2:] == ["start gitlab-runner.service", "daemon-reload"]


def test_not_before_its_jobs_have_ended(systemd: Systemd, journal: Journal) -> None:
    """A new TimeoutStopSec could kill them."""
    host = Host(systemd.root)
    host.drain(journal)

    with pytest.raises(HostFailed, match="--wait"):
        host.undrain(journal)
    assert systemd.drop_in.exists()
    assert host.ending() == []


def test_a_call_that_was_killed_before_the_file_went(systemd: Systemd, journal: Journal) -> None:
    """gitlab-runner has started: the next call takes the file away."""
    host = Host(systemd.root)
    host.drain(journal)
    systemd.become("active")

    assert host.ending() is None
    assert host.undrain(journal)
    assert not systemd.drop_in.exists()


def test_a_call_that_was_killed_before_the_stop(systemd: Systemd, journal: Journal) -> None:
    """The file alone is not a drain: the next call stops gitlab-runner."""
    host = Host(systemd.root)
    systemd.drop_in.parent.mkdir(parents=True)
    systemd.drop_in.touch()

    assert host.drain(journal)
    assert systemd.state == "deactivating"


def test_a_host_without_the_service(systemd: Systemd, journal: Journal) -> None:
    """The sentence says what to do where gitlab-runner runs in a container."""
    systemd.missing()

    with pytest.raises(HostFailed, match="docker kill"):
        Host(systemd.root).drain(journal)


def test_a_file_that_cannot_be_written(systemd: Systemd, journal: Journal) -> None:
    """Nothing is stopped: systemd would start it again."""
    (systemd.root / "run").touch()

    with pytest.raises(HostFailed, match="as root"):
        Host(systemd.root).drain(journal)
    assert systemd.state == "active"
