"""A job on this host, by hooks without an engine: what its phases took, and what is left of it."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from executor.commands.doctor.as_job import default_image, try_job
from executor.commands.doctor.facts import Facts
from executor.commands.doctor.gather import read_config
from executor.settings.file import read_settings
from tests.commands.doctor.hosts import Host
from tests.engine.stub import http, stub_engine
from tests.local.conftest import Workbench
from tests.stages.witness import eventually

DOCKER = """#!/bin/sh
echo "docker $*"
case "$1" in {failing}) echo "it broke" >&2; exit 3;; esac
"""
BRIDGE = {"Name": "bridge", "Id": "b", "IPAM": {"Config": [{"Gateway": "127.0.0.1"}]}}


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workbench]:
    """Return hooks that run scripts here, with a docker command that only says what it was called for."""
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    made = Workbench(tmp_path)
    yield made
    made.clear()


@pytest.fixture
def facts(bench: Workbench, tmp_path: Path) -> Iterator[Facts]:
    """Return what is seen of a host whose runner has these hooks."""
    with stub_engine(tmp_path) as engine:
        engine.on("GET", "/version$", http(200, {"ApiVersion": "1.41"}))
        engine.on("GET", "/networks/bridge$", http(200, BRIDGE))
        found = Host(tmp_path / "host").facts()
        files = replace(found, files=type(found.files)("/"))
        environ = {**os.environ, "DOCKER_HOST": engine.host, "TMPDIR": str(tmp_path / "tmp")}
        yield replace(
            files,
            config=read_config(files.files, str(bench.directory / "config.toml")),
            settings_path="",
            environ=environ,
        )


def test_a_host_without_git(facts: Facts, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The remedy is to install it, and no other image."""
    monkeypatch.setenv("PATH", str(tmp_path))

    finding = try_job(facts, "busybox").finding()

    assert "git is not on the PATH" in finding.found
    assert finding.remedy == "install git"


def docker(bench: Workbench, failing: str = "none") -> None:
    """Have a docker command that fails with one of its own commands."""
    path = bench.control / "bin" / "docker"
    path.write_text(DOCKER.format(failing=failing))
    path.chmod(0o755)


def test_a_job_that_works_has_its_phases(bench: Workbench, facts: Facts, tmp_path: Path) -> None:
    """Each hook and each step of the script has its seconds, and nothing is left."""
    docker(bench)

    job = try_job(facts, "docker:1-dind")

    assert job.ok, job.log
    names = [name for name, _ in job.phases]
    assert names[:2] == ["config", "prepare"]
    assert names[-1] == "cleanup"
    steps = ("get_sources", "docker version", "docker build", "docker run")
    assert [each for each in names if each in steps] == list(steps)
    assert job.finding().level == "ok"
    assert job.as_json()["log"] == []
    assert list((tmp_path / "tmp").iterdir()) == []


def test_a_job_that_fails_says_where_and_why(bench: Workbench, facts: Facts) -> None:
    """The last phase and the last lines of the log are in the finding; cleanup has been called."""
    docker(bench, failing="build")

    job = try_job(facts, "docker:1-dind")

    assert not job.ok
    assert "docker build" in [name for name, _ in job.phases]
    assert "docker run" not in [name for name, _ in job.phases]
    assert "it broke" in job.log
    finding = job.finding()
    assert finding.level == "fail"
    assert "it broke" in finding.found
    assert bench.calls()[-1]["name"] == "cleanup"


def test_an_image_without_a_client_is_said(bench: Workbench, facts: Facts) -> None:
    """Nothing is tried with a docker command that is not there."""
    environ = {**facts.environ, "PATH": _without_docker(bench)}

    job = try_job(replace(facts, environ=environ), "alpine")

    assert not job.ok
    assert "the image has no docker command" in job.log


def _without_docker(bench: Workbench) -> str:
    """Return a PATH with all but docker."""
    tools = bench.directory / "tools"
    tools.mkdir()
    for directory in os.environ["PATH"].split(":"):
        for each in Path(directory).glob("*"):
            link = tools / each.name
            if each.name != "docker" and not link.is_symlink():
                link.symlink_to(each)
    return str(tools)


def test_hooks_that_are_not_there_are_said(facts: Facts, tmp_path: Path) -> None:
    """What `dind-executor local` refuses is the job's log."""
    job = try_job(facts, "a:1", str(tmp_path / "no-hooks"))

    assert not job.ok
    assert any("no hook config" in each for each in job.log)
    assert job.phases == ()


def test_the_image_is_that_of_the_sidecar(tmp_path: Path) -> None:
    """It has a Docker client, and each job pulls it anyway."""
    host = Host(tmp_path, settings='[dind]\nimage = "a.example/docker:1-dind"\n')

    assert default_image(host.facts()) == "a.example/docker:1-dind"


def test_a_signal_ends_the_job_and_cleans_up(bench: Workbench, facts: Facts) -> None:
    """An interrupted doctor waits for the job's cleanup, and leaves no process behind."""
    docker(bench)
    bench.behave(prepare=[{"sleep": 60}])
    program = (
        "import sys; from executor.commands.doctor.command import main;"
        " sys.exit(main(sys.argv[1:]))"
    )
    config = f"{bench.directory}/config.toml"
    process = subprocess.Popen(
        [sys.executable, "-c", program, "--only", "as-job", "--config", config],
        env=dict(facts.environ),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    eventually(lambda: "prepare" in [str(each["name"]) for each in bench.calls()], "prepare runs")
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)

    assert process.returncode == 128 + signal.SIGTERM
    assert [str(each["name"]) for each in bench.calls()][-1] == "cleanup"


def test_a_host_that_gives_a_daemon_only_on_demand_is_asked_for_one(
    bench: Workbench, facts: Facts
) -> None:
    """With `mode = "service"` the job lists the sidecar as its service."""
    docker(bench)
    settings = read_settings('[dind]\nmode = "service"\nimage = "a.example/docker:1-dind"\n', "s")

    job = try_job(replace(facts, settings=settings), "docker:1")

    assert job.ok, job.log
    response = json.loads(str(bench.calls()[0]["response"]))
    assert [each["name"] for each in response["services"]] == ["a.example/docker:1-dind"]
    assert response["image"]["name"] == "docker:1"
