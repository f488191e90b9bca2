"""Jobs without gitlab-runner: the engine calls that any executor makes, and the embedded runner.

By hand, a job is: pull, network, a helper and a build container (and a dind), one exec for each
sub-stage, and all of it removed; one call after the other, as the plainest executor would.
"""

import contextlib
import json
import subprocess
import sys
import uuid
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

import docker
from docker.errors import DockerException
from docker.models.containers import Container
from docker.types import Mount

from benchmarks.jobs import Generation, MeasuredJob, script_seconds
from benchmarks.places import JobFailed, host_seconds
from benchmarks.results import Figures
from tests.rig.state import Rig

REPOSITORY = Path(__file__).resolve().parents[1]
_HELPER_CALLS = 3


def by_embedded_runner(
    rig: Rig, job: MeasuredJob, generation: Generation, settings: Path, project: Path
) -> Figures:
    """Run a job through the hooks without gitlab-runner; `wall` is what their calls took."""
    file = settings.with_name(f"{job.name}.yml")
    file.write_text(job.pipeline_text(rig, generation), encoding="utf-8")
    report = file.with_suffix(".json")
    command = [sys.executable, "-I", "-m", "executor", "local", "--file", str(file)]
    command += ["--hooks", str(REPOSITORY / "hooks"), "--settings", str(settings)]
    command += ["--listen", rig.address, "--report", str(report)]
    before = host_seconds()
    done = subprocess.run(command, cwd=project, check=False, capture_output=True, text=True)
    used = host_seconds() - before
    if done.returncode != 0:
        raise JobFailed(f"{done.stdout}{done.stderr}")
    (ended,) = json.loads(report.read_text(encoding="utf-8"))
    log = "\n".join(line.partition("job: ")[2] or line for line in done.stdout.splitlines())
    seconds = sum(float(call["seconds"]) for call in ended["calls"])
    return {"wall": seconds, "script": script_seconds(log), "host": used}


@dataclass(frozen=True, slots=True)
class Hand:
    """Makes the calls of a job to the engine."""

    client: docker.DockerClient
    rig: Rig
    generation: Generation

    def run(self, job: MeasuredJob) -> Figures:
        """Make the calls of one job; raise JobFailed."""
        try:
            return self._run(job)
        except DockerException as error:
            raise JobFailed(str(error)) from error

    def _run(self, job: MeasuredJob) -> Figures:
        script = "\n".join(job.pipeline(self.rig, self.generation).jobs[0].script)
        before, start = host_seconds(), monotonic()
        with contextlib.ExitStack() as made:
            build, helper = self._containers(made, has_dind=job.has_dind)
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
        took, used = monotonic() - start, host_seconds() - before
        log = output.decode(errors="replace") if isinstance(output, bytes) else ""
        if status != 0:
            raise JobFailed(log)
        return {"wall": took, "script": script_seconds(log), "host": used}

    def _containers(
        self, made: contextlib.ExitStack, *, has_dind: bool
    ) -> tuple[Container, Container]:
        """Pull and start everything; what is made is removed with the stack."""
        name = f"by-hand-{uuid.uuid4().hex[:8]}"
        self.client.images.pull(self.generation.client)
        network = self.client.networks.create(name)
        made.callback(network.remove)
        builds = self.client.volumes.create(name)
        made.callback(builds.remove)
        certificates = self.client.volumes.create(f"{name}-certs")
        made.callback(certificates.remove)
        mounts = [Mount("/builds", name), Mount("/certs/client", f"{name}-certs")]
        if has_dind:
            self.client.images.pull(self.generation.dind)
            made.callback(_remove, self._dind(name, mounts))
        self.client.images.pull(self.rig.helper_image)
        helper = self._idle(self.rig.helper_image, name, mounts)
        made.callback(_remove, helper)
        build = self._idle(self.generation.client, name, mounts)
        made.callback(_remove, build)
        return build, helper

    def _idle(self, image: str, network: str, mounts: list[Mount]) -> Container:
        """Start a container that waits for execs."""
        return self.client.containers.run(
            image, ["sleep", "3600"], entrypoint="", network=network, mounts=mounts, detach=True
        )

    def _dind(self, network: str, mounts: list[Mount]) -> Container:
        endpoint = self.client.api.create_endpoint_config(aliases=["docker"])
        container = self.client.containers.create(
            self.generation.dind,
            network=network,
            networking_config={network: endpoint},
            mounts=mounts,
            volumes=["/etc/docker/certs.d:/etc/docker/certs.d:ro"],
            privileged=True,
            runtime=self.rig.runtime,
        )
        container.start()
        return container


def _remove(container: Container) -> None:
    container.remove(force=True, v=True)
