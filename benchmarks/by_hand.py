"""Measures jobs without gitlab-runner: our hooks, and the engine calls that any executor makes.

By hand, a job is: pull, network, a helper and a build container (and a dind), one exec for each
sub-stage, and all of it removed; one call after the other, as the plainest executor would.
"""

import contextlib
import json
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from time import monotonic

import docker
from docker.models.containers import Container
from docker.types import Mount

from benchmarks.jobs import MeasuredJob, script_seconds, settings_without_dind
from tests.gitlab import sources
from tests.rig.state import Rig

REPOSITORY = Path(__file__).resolve().parents[1]
_HELPER_CALLS = 3
_IMAGE, _DIND_IMAGE = "docker:20.10.16", "docker:20.10.16-dind"


@contextlib.contextmanager
def measures(
    rig: Rig, job: MeasuredJob, directory: Path
) -> Iterator[Mapping[str, Callable[[], float]]]:
    """Give the measures; each runs the job once and returns its seconds."""
    project = sources.commit(rig.project, directory / "project").directory
    script = "\n".join(job.pipeline(rig).jobs[0].script)
    file = directory / "job.yml"
    file.write_text(job.pipeline_text(rig), encoding="utf-8")
    client = docker.DockerClient(base_url=rig.engine_host)
    try:
        by_hand = {"by hand": lambda: _by_hand(client, rig, script, has_dind=job.has_dind)}
        ours = {"ours": lambda: _ours(rig, rig.settings, project, file)}
        if not job.has_dind:
            settings = settings_without_dind(rig, directory)
            ours = {
                "ours, no dind": lambda: _ours(rig, settings, project, file),
                "ours, dind always": ours["ours"],
            }
        yield {**by_hand, **ours}
    finally:
        client.close()


def _ours(rig: Rig, settings: Path, project: Path, file: Path) -> float:
    """Run the job through our hooks and return the seconds of their calls, less the script's."""
    report = file.with_suffix(".json")
    command = [sys.executable, "-I", "-m", "executor", "local", "--file", str(file)]
    command += ["--hooks", str(REPOSITORY / "hooks"), "--settings", str(settings)]
    command += ["--listen", rig.address, "--report", str(report)]
    done = subprocess.run(command, cwd=project, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"benchmarks/job_time.py: the job has failed:\n{done.stdout}{done.stderr}")
    (job,) = json.loads(report.read_text(encoding="utf-8"))
    log = "\n".join(line.partition("job: ")[2] or line for line in done.stdout.splitlines())
    return sum(float(call["seconds"]) for call in job["calls"]) - script_seconds(log)


def _by_hand(client: docker.DockerClient, rig: Rig, script: str, *, has_dind: bool) -> float:
    """Make the calls of one job and return their seconds, less the script's."""
    name = f"by-hand-{uuid.uuid4().hex[:8]}"
    start = monotonic()
    with contextlib.ExitStack() as made:
        client.images.pull(_IMAGE)
        network = client.networks.create(name)
        made.callback(network.remove)
        builds = client.volumes.create(name)
        made.callback(builds.remove)
        certificates = client.volumes.create(f"{name}-certs")
        made.callback(certificates.remove)
        mounts = [Mount("/builds", name), Mount("/certs/client", f"{name}-certs")]
        if has_dind:
            client.images.pull(_DIND_IMAGE)
            made.callback(_remove, _dind(client, rig, name, mounts))
        helper = _idle(client, rig.helper_image, name, mounts)
        made.callback(_remove, helper)
        build = _idle(client, _IMAGE, name, mounts)
        made.callback(_remove, build)
        for _ in range(_HELPER_CALLS):
            helper.exec_run(["bash", "-c", "true"])
        status, output = build.exec_run(
            ["sh", "-ec", script],
            environment={
                "DOCKER_HOST": "tcp://docker:2376",
                "DOCKER_TLS_VERIFY": "1",
                "DOCKER_CERT_PATH": "/certs/client",
            },
        )
    took = monotonic() - start
    log = output.decode(errors="replace") if isinstance(output, bytes) else ""
    if status != 0:
        raise SystemExit(f"benchmarks/job_time.py: the job by hand has failed:\n{log}")
    return took - script_seconds(log)


def _idle(client: docker.DockerClient, image: str, network: str, mounts: list[Mount]) -> Container:
    """Start a container that waits for execs."""
    return client.containers.run(
        image, ["sleep", "3600"], entrypoint="", network=network, mounts=mounts, detach=True
    )


def _dind(client: docker.DockerClient, rig: Rig, network: str, mounts: list[Mount]) -> Container:
    endpoint = client.api.create_endpoint_config(aliases=["docker"])
    container = client.containers.create(
        _DIND_IMAGE,
        network=network,
        networking_config={network: endpoint},
        mounts=mounts,
        volumes=["/etc/docker/certs.d:/etc/docker/certs.d:ro"],
        privileged=True,
        runtime=rig.runtime,
    )
    container.start()
    return container


def _remove(container: Container) -> None:
    container.remove(force=True, v=True)
