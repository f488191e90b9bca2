"""Who a job belongs to, where a real gitlab-runner calls the stages: its process as the kernel has it."""

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from executor.host.owner import boot_id, machine_id
from executor.local.pipeline.file import parse_pipeline
from executor.local.project.checkout import Checkout
from executor.names import LABEL
from executor.notation.owner import NO_MACHINE, Belonging, Owner, parse_belonging, parse_note
from executor.runner import notes
from tests import pipelines
from tests.gitlab import leftovers, runner
from tests.gitlab.pipelines import Pushed, project_variables
from tests.gitlab.runner import Runner
from tests.gitlab.server import GitLab
from tests.hooks import HOOKS
from tests.rig.engine import connect
from tests.rig.state import Rig

_MEANWHILE = """
job:
  image: alpine
  script:
    - echo beg""un; while [ ! -e /tmp/let-go ]; do sleep 0.1; done
"""
_NAMESPACES = ("unshare", "--pid", "--fork", "--mount", "--mount-proc", "--kill-child=TERM")


@contextmanager
def meanwhile(pushed: Pushed, rig: Rig) -> Iterator[list[Belonging]]:
    """Return what the objects of a job say while its script runs; the job ends well."""
    job = pushed.start_only(parse_pipeline(_MEANWHILE, "test"))
    job.wait_for("\nbegun")
    with connect(rig.engine_host) as client:
        wanted = {"label": f"{LABEL}={leftovers.key_of(job)}"}
        containers = client.containers(all=True, filters=wanted)
        networks = client.networks(filters=wanted)
        volumes = client.volumes(filters=wanted)["Volumes"] or []
        said = [parse_belonging(each["Labels"]) for each in (*containers, *networks, *volumes)]
        try:
            assert (len(containers), len(networks)) == (3, 1)
            yield [each for each in said if each]
        finally:
            (build,) = (each["Id"] for each in containers if each["Names"][0].endswith("-build"))
            client.exec_start(client.exec_create(build, ["touch", "/tmp/let-go"])["Id"])
    assert job.wait().state == "success"


@contextmanager
def another(
    gitlab: GitLab, rig: Rig, checkout: Checkout, directory: Path, hooks: Path, *within: str
) -> Iterator[tuple[Pushed, Runner]]:
    """Have a gitlab-runner of its own; nothing is left of its jobs."""
    table = runner.custom(rig.settings, hooks)
    with runner.working(gitlab, table, directory / "runner", within=within) as started:
        yield Pushed(gitlab, checkout, project_variables(pipelines.variables(rig))), started
    assert leftovers.of_jobs(rig.engine_host, gitlab.jobs()) == []


def as_the_kernel_has_it(pid: int) -> Owner:
    """Return a process as the owner of jobs on the rig's engine, read without dind-executor."""
    proc = Path(f"/proc/{pid}")
    started = proc.joinpath("stat").read_text(encoding="utf-8").rpartition(")")[2].split()[19]
    namespace = str(proc.joinpath("ns/pid").readlink()).partition("[")[2].rstrip("]")
    status = proc.joinpath("status").read_text(encoding="utf-8")
    (numbers,) = (line for line in status.splitlines() if line.startswith("NSpid:"))
    own = int(numbers.split()[-1])
    machine = machine_id() or NO_MACHINE
    return Owner(machine, boot_id(), namespace, own, int(started), local=True)


def test_a_job_belongs_to_its_gitlab_runner(
    pushed: Pushed, our_runner: Runner, gitlab: GitLab, rig: Rig
) -> None:
    """Every object names the process, and so does the note beside the payload."""
    with meanwhile(pushed, rig) as found:
        temp_dir = Path(found[0].temp_dir)
        noted = parse_note((temp_dir / notes.OWNER).read_bytes())
        assert (temp_dir / "response.json").exists()

        assert set(found) == {noted}
        assert found[0].owner == as_the_kernel_has_it(our_runner.pid)
        assert found[0].gitlab == gitlab.url
        assert found[0].container == ""
        assert found[0].deadline
        assert found[0].deadline > time.time() + pushed.timeout_seconds
    assert not temp_dir.exists()


def test_wrappers_of_the_administrators(
    another_gitlab: GitLab, rig: Rig, checkout: Checkout, tmp_path: Path
) -> None:
    """A script that calls the hook, with and without exec, hides no gitlab-runner.

    Nor is one taken for it, whatever it is called, that gives the hook a process group of its own.
    """
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    calls = (
        ("gitlab-runner-config", f"timeout 600 {HOOKS / 'config'}"),
        ("config", hooks / "gitlab-runner-config"),
        ("prepare", HOOKS / "prepare"),
        ("run", f"exec env A=1 {HOOKS / 'run'}"),
        ("cleanup", HOOKS / "cleanup"),
    )
    for each, call in calls:
        script = hooks / each
        script.write_text(f'#!/bin/sh\nset -e\n{call} "$@"\n:\n')
        script.chmod(0o755)
    with (
        another(another_gitlab, rig, checkout, tmp_path, hooks) as (pushed, started),
        meanwhile(pushed, rig) as found,
    ):
        assert {each.owner for each in found} == {as_the_kernel_has_it(started.pid)}


@pytest.mark.skipif(not shutil.which("unshare"), reason="there is no unshare")
def test_a_gitlab_runner_in_namespaces_of_its_own(
    another_gitlab: GitLab, rig: Rig, checkout: Checkout, tmp_path: Path
) -> None:
    """It is known by its number there, and its directory as it sees it."""
    with (
        another(another_gitlab, rig, checkout, tmp_path, HOOKS, *_NAMESPACES) as (pushed, started),
        meanwhile(pushed, rig) as found,
    ):
        expected = as_the_kernel_has_it(started.pid)
        assert {each.owner for each in found} == {expected}
        assert expected.pid == 1
        assert expected.namespace != as_the_kernel_has_it(os.getpid()).namespace
        (temp_dir,) = {each.temp_dir for each in found}
        assert Path(f"/proc/{started.pid}/root{temp_dir}/response.json").exists()
