"""What the engine says of a job, asked through the docker SDK, which dind-executor does not use."""

import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import docker
from docker.errors import DockerException, NotFound
from docker.models.containers import Container
from docker.tls import TLSConfig

from tests.patience import LONGEST_SECONDS
from tests.rig import engine
from tests.stages.request import JobRequest

LABEL = "dind-executor.job"
GITLAB = "com.gitlab.gitlab-runner"


class Witness:
    """Looks at one engine, and changes nothing that is a job's."""

    def __init__(self, host: str, tls_cert_path: Path | None = None) -> None:
        self._host = host
        tls: TLSConfig | bool = False
        if tls_cert_path:
            ca, *client = (str(tls_cert_path / f"{each}.pem") for each in ("ca", "cert", "key"))
            tls = TLSConfig(client_cert=(client[0], client[1]), ca_cert=ca, verify=True)
        self.client = docker.DockerClient(base_url=host, version="auto", timeout=120, tls=tls)

    def close(self) -> None:
        """End the connection."""
        self.client.close()

    def architecture(self, container: Container) -> str:
        """Return what the image is for that the container was made of."""
        image = self.client.images.get(container.attrs["Image"]).attrs
        # In the containerd image store an image has several, and the container names its own.
        own = container.attrs.get("ImageManifestDescriptor", {}).get("platform", {})
        return str(own.get("architecture") or image["Architecture"])

    def container(self, job_id: int, kind: str) -> Container:
        """Return the job's only container of this kind."""
        (found,) = self.containers(job_id, kind)
        return found

    def containers(self, job_id: int, kind: str | None = None) -> list[Container]:
        """Return the job's containers, or those of one kind."""
        labels = [f"dind-executor.job-id={job_id}"]
        labels += [f"dind-executor.type={kind}"] if kind else []
        # One may go while each is inspected.
        found: list[Container] = self.client.containers.list(
            all=True, filters={"label": labels}, ignore_removed=True
        )
        return found

    def log(self, job_id: int, kind: str) -> str:
        """Return what the job's container of this kind has printed."""
        return self.container(job_id, kind).logs().decode(errors="replace")

    def objects(self, job_id: int) -> list[str]:
        """Return everything of the job, found by its labels or by its name alone."""
        api = self.client.api
        listed = [
            *(("container", each["Names"][0], each) for each in api.containers(all=True)),
            *(("network", each["Name"], each) for each in api.networks()),
            *(("volume", each["Name"], each) for each in api.volumes()["Volumes"] or []),
        ]
        prefix = f"dind-executor-{job_id}-"
        return sorted(
            f"{kind} {name.lstrip('/')}"
            for kind, name, each in listed
            if name.lstrip("/").startswith(prefix)
            or (each.get("Labels") or {}).get("dind-executor.job-id") == str(job_id)
        )

    def networks(self, job_id: int) -> set[str]:
        """Return the ids of the networks that the job's containers are on."""
        return {
            str(each["NetworkID"])
            for container in self.containers(job_id)
            for each in container.attrs["NetworkSettings"]["Networks"].values()
        }

    def volumes(self, job_id: int) -> list[str]:
        """Return the volumes that the job's containers mount, those without a name included."""
        names = {
            mount["Name"]
            for container in self.containers(job_id)
            for mount in container.attrs["Mounts"]
            if mount["Type"] == "volume"
        }
        return sorted(names)

    def has_volume(self, name: str) -> bool:
        """Tell whether a volume exists."""
        try:
            self.client.volumes.get(name)
        except NotFound:
            return False
        return True

    def lasting_volumes(self, project_id: int) -> list[str]:
        """Return the volumes that a project's next job finds again."""
        labels = [f"{GITLAB}.project.id={project_id}", f"{GITLAB}.reusable=true"]
        filters = {"label": labels}
        return sorted(each.name for each in self.client.volumes.list(filters=filters))

    def layers(self) -> list[str]:
        """Return the volumes with kept layers that jobs of no project of their own have left."""
        labels = ["dind-executor.type=layers", f"{GITLAB}.project.id={JobRequest().project_id}"]
        return sorted(each.name for each in self.client.volumes.list(filters={"label": labels}))

    def remove_volume(self, name: str) -> None:
        """Remove a volume that belongs to no job."""
        self.client.volumes.get(name).remove()

    def inspected(self, job_id: int) -> str:
        """Return everything that the engine tells of the job's objects, as one text."""
        api = self.client.api
        filters = {"label": f"dind-executor.job-id={job_id}"}
        containers = [each.attrs for each in self.containers(job_id)]
        images = [self.client.images.get(each["Image"]).attrs for each in containers]
        networks = [api.inspect_network(each["Id"]) for each in api.networks(filters=filters)]
        volumes = api.volumes(filters=filters)["Volumes"]
        return json.dumps([containers, images, networks, volumes])

    def inside(self, container: Container, *command: str) -> str:
        """Return what a command prints in a container; fails the test where it fails."""
        code, output = container.exec_run(list(command))
        assert isinstance(output, bytes)
        text = output.decode(errors="replace")
        assert code == 0, f"{command} in {container.name}: {text}"
        return text

    @contextmanager
    def events(self, take: Callable[[str], None]) -> Iterator[None]:
        """Pass every event of the engine to `take`, as JSON, while the block runs."""
        with engine.connect(self._host) as client:
            stream = client.events()
            reader = threading.Thread(target=_read, args=(stream, take), daemon=True)
            reader.start()
            try:
                yield
            finally:
                stream.close()
                reader.join(LONGEST_SECONDS)


def _read(stream: Iterable[bytes | str], take: Callable[[str], None]) -> None:
    try:
        for event in stream:
            take(event if isinstance(event, str) else event.decode(errors="replace"))
    except (DockerException, OSError, ValueError):
        return


def eventually(condition: Callable[[], bool], what: str) -> None:
    """Wait until a condition holds; fails the test where it does not."""
    deadline = time.monotonic() + LONGEST_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"not so after {LONGEST_SECONDS:.0f} s: {what}"
        time.sleep(0.05)
