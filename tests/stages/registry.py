"""Images that only these tests need, and a registry that a test may break."""

import base64
import json
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from contextlib import closing
from pathlib import Path

from docker.models.images import Image

from tests.rig.state import Rig, User
from tests.stages.witness import Witness, eventually

_LONGEST_SECONDS = 20.0


def push(witness: Witness, image: Image, name: str, user: User | None = None) -> None:
    """Put an image of the engine into a registry, and take the tag away from the engine."""
    repository, _, tag = name.rpartition(":")
    image.tag(repository, tag)
    login = {"username": user.name, "password": user.password} if user else None
    try:
        for event in witness.client.images.push(
            repository, tag, auth_config=login, stream=True, decode=True
        ):
            assert "errorDetail" not in event, f"{name}: {event}"
    finally:
        witness.client.images.remove(name, noprune=True)


def variant(witness: Witness, base: str, word: str) -> Image:
    """Return the image `base` with GENERATION=`word` in its environment; the caller removes it."""
    container = witness.client.containers.create(base)
    try:
        return container.commit(changes=[f"ENV GENERATION={word}"])
    finally:
        container.remove()


def tag_of(rig: Rig, user: User, repository: str, tag: str) -> str | None:
    """Return the digest that the GitLab registry has for a tag, asked without any engine."""
    url = f"https://{rig.gitlab}/v2/{repository}/manifests/{tag}"
    token = base64.b64encode(f"{user.name}:{user.password}".encode()).decode()
    accepted = "application/vnd.docker.distribution.manifest.v2+json"
    headers = {"Authorization": f"Basic {token}", "Accept": accepted}
    context = ssl.create_default_context(cafile=str(rig.ca))
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
    )
    try:
        with opener.open(urllib.request.Request(url, headers=headers), timeout=10) as answer:
            return str(answer.headers["Docker-Content-Digest"])
    except urllib.error.HTTPError as error:
        error.close()
        return None


class OwnRegistry:
    """A registry on loopback, which engines reach without TLS; it may be down."""

    def __init__(self, directory: Path) -> None:
        with closing(socket.socket()) as probe:
            probe.bind(("127.0.0.1", 0))
            self.host = f"127.0.0.1:{probe.getsockname()[1]}"
        self._storage = directory / "registry"
        self._configuration = directory / "registry.json"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers."""
        configuration = {
            "version": 0.1,
            "storage": {"filesystem": {"rootdirectory": str(self._storage)}},
            "http": {"addr": self.host},
        }
        self._configuration.write_text(json.dumps(configuration), encoding="utf-8")
        self._process = subprocess.Popen(
            ["docker-registry", "serve", str(self._configuration)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        eventually(self._answers, f"the registry on {self.host} answers")

    def stop(self) -> None:
        """End it; one that does not run is fine."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(_LONGEST_SECONDS)
            self._process = None

    def lose_layers(self) -> int:
        """Remove the biggest blob, which no manifest or configuration is; return its size."""
        blobs = sorted(self._storage.rglob("blobs/**/data"), key=lambda each: each.stat().st_size)
        size = blobs[-1].stat().st_size
        blobs[-1].unlink()
        return size

    def _answers(self) -> bool:
        host, _, port = self.host.partition(":")
        try:
            socket.create_connection((host, int(port)), 5).close()
        except OSError:
            return False
        return True
