"""What is seen of a host: its runner, its settings, its engine."""

import os
from pathlib import Path

import pytest

from executor.commands.doctor.files import Files
from executor.commands.doctor.gather import Given, gather, read_config
from tests.commands.doctor.hosts import (
    CONFIG,
    SETTINGS,
    SOCKET,
    Host,
    plant,
    plant_host,
    plant_process,
    running,
)


def test_another_root_is_seen_as_a_host(tmp_path: Path) -> None:
    """Configuration, settings, unit and the engine's socket are those below the root."""
    host = Host(tmp_path)
    plant(tmp_path, {"/etc/dind-executor/settings.toml": "[docker]\nimage = 'a:1'\n"})
    with running(host):
        facts = gather(Given(root=str(tmp_path)))

    assert facts.address == f"unix://{SOCKET}"
    assert facts.engine.info["Name"] == "builder"
    assert [each.name for each in facts.config.runners] == ["here"]
    assert facts.settings.docker.images.image == "a:1"
    assert facts.service is not None
    assert facts.service.properties["KillMode"] == "mixed"
    assert facts.rules is None


def test_the_configuration_is_that_of_the_runner_that_runs(tmp_path: Path) -> None:
    """A gitlab-runner names its file by --config, and its engine by its environment."""
    plant_host(tmp_path)
    host = {"DOCKER_HOST": "unix:///run/other.sock"}
    plant_process(tmp_path, 80, "--config", "/etc/other.toml", environ=host)
    plant(tmp_path, {"/etc/other.toml": '[[runners]]\nname = "other"\nexecutor = "custom"\n'})

    facts = gather(Given(root=str(tmp_path)))

    assert facts.config.path == "/etc/other.toml"
    assert facts.address == "unix:///run/other.sock"
    assert facts.process is not None
    assert not facts.process.in_container
    assert "cannot be reached" in facts.engine.problem


def test_a_container_does_not_choose_what_is_read(tmp_path: Path) -> None:
    """A job runs as root in one, and writes to directories of the host: volumes, builds, caches."""
    plant_host(tmp_path)
    volume = "/var/lib/docker/volumes/builds/_data"
    plant_process(tmp_path, 80, "--config", f"{volume}/config.toml", pids="80 7")
    args = f'config_args = ["--settings", "{volume}/settings.toml"]\n'
    config = f'[[runners]]\nname = "job"\nexecutor = "custom"\n[runners.custom]\n{args}'
    settings = '[docker]\nhost = "tcp://192.0.2.9:2375"\n'
    plant(tmp_path, {f"{volume}/config.toml": config, f"{volume}/settings.toml": settings})

    facts = gather(Given(root=str(tmp_path)))

    assert facts.process is not None
    assert (facts.config.path, facts.settings_path) == (CONFIG, SETTINGS)
    assert facts.address == f"unix://{SOCKET}"


def test_a_runner_with_another_configuration_does_not_count(tmp_path: Path) -> None:
    """Who names a file asks about the gitlab-runner that has it, and no other."""
    plant_host(tmp_path)
    plant_process(tmp_path, 80, "--config", "/etc/other.toml")
    plant_process(tmp_path, 81)

    found = [
        gather(Given(str(tmp_path), each)).process for each in (CONFIG, "/etc/other.toml", "/x")
    ]

    assert [each and each.pid for each in found] == [81, 80, None]


def test_one_runner_is_chosen_by_its_name(tmp_path: Path) -> None:
    """Runners of other executors do not count."""
    text = "".join(
        f'[[runners]]\nname = "{name}"\nexecutor = "{kind}"\n'
        for name, kind in (("a", "custom"), ("b", "docker"), ("c", "custom"))
    )
    plant(tmp_path, {CONFIG: text})
    files = Files(str(tmp_path))

    assert [each.name for each in read_config(files, CONFIG).runners] == ["a", "c"]
    assert [each.name for each in read_config(files, CONFIG, "c").runners] == ["c"]


@pytest.mark.parametrize(
    ("text", "problem"), [("a = = b", "not TOML"), ("runners = 3\n", ""), ("[[runners]]\n", "")]
)
def test_a_configuration_of_any_kind_is_read(tmp_path: Path, text: str, problem: str) -> None:
    """What is not a runner's configuration is said, and crashes nothing."""
    plant(tmp_path, {CONFIG: text})

    config = read_config(Files(str(tmp_path)), CONFIG)

    assert problem in config.problem
    assert config.runners == ()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root is shown the rules")
def test_the_rules_of_this_host_are_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What iptables-save prints is a part of what is seen."""
    program = tmp_path / "iptables-save"
    program.write_text("#!/bin/sh\necho '*filter'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))

    assert gather(Given(config=str(tmp_path / "none"))).rules == "*filter\n"
