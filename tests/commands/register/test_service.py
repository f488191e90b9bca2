"""gitlab-runner's service, and the units of dind-executor."""

from pathlib import Path

import pytest
from pytest_mock import MockerFixture

from executor.commands import units
from executor.commands.register import service
from tests.commands.register.stubs import Host


@pytest.fixture(name="host")
def _host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    host = Host(tmp_path / "bin")
    monkeypatch.setenv("PATH", f"{host.directory}:/usr/bin:/bin")
    return host


def test_a_service_that_runs_is_left_alone(host: Host) -> None:
    """Nothing restarts it: jobs may run."""
    host.systemctl(runs=True)

    assert service.started() == []
    assert host.calls() == ["is-active --quiet gitlab-runner.service"]


def test_a_service_that_does_not_run_is_started(host: Host) -> None:
    """Now, and after each boot."""
    host.systemctl(runs=False)

    assert service.started() == []
    assert host.calls("enable") == ["enable --quiet --now gitlab-runner.service"]


def test_a_service_that_does_not_start_is_a_sentence(host: Host) -> None:
    """It says what systemd says, and what to look at."""
    host.systemctl(runs=False, enable="echo 'Unit not found.' >&2; exit 5")

    (sentence,) = service.started()

    assert sentence.startswith("gitlab-runner's service does not start: Unit not found. See")


def test_which_file_the_service_reads(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its unit names it; without systemd nobody does."""
    monkeypatch.setenv("PATH", str(host.directory))
    assert service.config() == ""
    host.systemctl(config="/srv/c.toml")

    assert service.config() == "/srv/c.toml"


def test_units_are_written_where_they_are_missing(
    tmp_path: Path, mocker: MockerFixture, host: Host
) -> None:
    """What `install` wrote stays, and is nothing to undo."""
    host.systemctl()
    root = tmp_path / "root"
    first = service.write_units(Path("/x/dind-executor"), lambda: None, root)

    assert {each.relative_to(root / "etc/systemd/system").as_posix() for each in first.written} == {
        *units.unit_files(Path("/x"), None)
    }
    assert first.said == ()
    again = service.write_units(Path("/x/dind-executor"), mocker.Mock(side_effect=OSError), root)
    assert again == service.Units((), ())
