"""Images that only these tests need, and a registry that a test may break."""

import base64
import hashlib
import io
import json
import os
import socket
import subprocess
import tarfile
import urllib.error
import urllib.request
import weakref
from collections.abc import Sequence
from contextlib import suppress
from http.client import HTTPResponse
from pathlib import Path
from typing import IO

from docker.errors import ImageNotFound
from docker.models.images import Image

from tests.patience import LONGEST_SECONDS
from tests.rig.state import Rig, User
from tests.sockets import held_port
from tests.stages.witness import Witness, eventually
from tests.web import direct

_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"

# GitLab's image has the program under one name only, and an entrypoint with an init before it.
LIKE_GITLABS = """\
rm /usr/bin/gitlab-runner
printf '#!/bin/bash\\nsetsid "$@" <&0 &\\nwait $!\\n' >/usr/bin/dumb-init
printf '#!/bin/bash\\nset -eo pipefail\\nexec "$@"\\n' >/entrypoint
chmod 755 /usr/bin/dumb-init /entrypoint
"""


def layer_sizes(rig: Rig, name: str) -> list[int]:
    """Return how long the layers of an image are in the rig's registry."""
    host, _, rest = name.partition("/")
    repository, _, tag = rest.rpartition(":")
    request = urllib.request.Request(
        f"https://{host}/v2/{repository}/manifests/{tag}", headers={"Accept": _MANIFEST}
    )
    with direct(rig.ca).open(request, timeout=LONGEST_SECONDS) as answer:
        return [int(each["size"]) for each in json.load(answer)["layers"]]


class Images:
    """Images that tests make on the engine, and give names and places; all go at the end."""

    def __init__(self, witness: Witness) -> None:
        self._images = witness.client.images
        self._containers = witness.client.containers
        self._made: list[str] = []

    def known(self, name: str) -> Image:
        """Return an image of the rig's."""
        self._images.pull(name)
        return self._images.get(name)

    def variant(self, base: str, word: str, *changes: str) -> Image:
        """Return the image `base` with GENERATION=`word` in its environment, and other changes."""
        self.known(base)
        container = self._containers.create(base)
        try:
            image = container.commit(changes=[f"ENV GENERATION={word}", *changes])
        finally:
            container.remove()
        self._made.append(str(image.id))
        return image

    def changed(self, base: str, script: str, *changes: str) -> Image:
        """Return the image `base`, which has no entrypoint, after a script has run in it."""
        command = json.dumps(self.known(base).attrs["Config"].get("Cmd") or [])
        container = self._containers.create(base, ["sh", "-c", f"set -e\n{script}"])
        try:
            container.start()
            code = container.wait()["StatusCode"]
            assert code == 0, container.logs().decode(errors="replace")
            image = container.commit(changes=[f"CMD {command}", *changes])
        finally:
            container.remove(force=True)
        self._made.append(str(image.id))
        return image

    def fresh(self) -> Image:
        """Return an image with a layer that nothing else has, too big to come in one piece."""
        data = io.BytesIO()
        with tarfile.open(fileobj=data, mode="w") as tar:
            header = tarfile.TarInfo("noise")
            header.size = 1 << 20
            tar.addfile(header, io.BytesIO(os.urandom(header.size)))
        (image,) = self._images.load(_archive(data.getvalue()))
        self._made.append(str(image.id))
        return image

    def relabelled(self, base: str, architecture: str) -> Image:
        """Return the image `base` as one that says it is for another architecture."""
        saved = io.BytesIO(b"".join(self.known(base).save()))
        changed = io.BytesIO()
        with (
            tarfile.open(fileobj=saved) as old,
            tarfile.open(fileobj=changed, mode="w") as new,
        ):
            manifest = json.load(_member(old, "manifest.json"))
            for each in old:
                content = _member(old, each.name).read() if each.isreg() else b""
                if each.name == manifest[0]["Config"]:
                    config = {**json.loads(content), "architecture": architecture}
                    content = json.dumps({**config, "comment": "relabelled"}).encode()
                if each.name == "manifest.json":
                    content = json.dumps([{**manifest[0], "RepoTags": None}]).encode()
                each.size = len(content)
                if each.name != "repositories":
                    new.addfile(each, io.BytesIO(content))
        (image,) = self._images.load(changed.getvalue())
        self._made.append(str(image.id))
        return image

    def tag(self, image: Image, name: str) -> None:
        """Give an image of the engine a name."""
        image.tag(*name.rsplit(":", 1))
        self._made.append(name)

    def publish(self, image: Image, name: str, user: User | None = None) -> None:
        """Put an image into a registry under a name that the engine does not keep."""
        self.tag(image, name)
        login = {"username": user.name, "password": user.password} if user else None
        repository, _, tag = name.rpartition(":")
        for event in self._images.push(
            repository, tag, auth_config=login, stream=True, decode=True
        ):
            assert "errorDetail" not in event, f"{name}: {event}"
        self.forget(name)

    def expect(self, name: str) -> None:
        """Take charge of a name that something else will give to an image."""
        self._made.append(name)

    def forget(self, name: str) -> None:
        """Take a name, or an image by its id, from the engine; one that is gone is fine."""
        with suppress(ImageNotFound):
            self._images.remove(name, force=True)

    def remove_all(self) -> None:
        """Take everything from the engine that came by this."""
        for name in reversed(self._made):
            self.forget(name)


def _member(archive: tarfile.TarFile, name: str) -> IO[bytes]:
    member = archive.extractfile(name)
    assert member is not None
    return member


def _archive(layer: bytes) -> bytes:
    """Return an image of one layer in the form that `docker load` reads."""
    digest = f"sha256:{hashlib.sha256(layer).hexdigest()}"
    config = {
        "architecture": "amd64",
        "os": "linux",
        "config": {"Cmd": ["sh"]},
        "rootfs": {"type": "layers", "diff_ids": [digest]},
    }
    manifest = [{"Config": "config.json", "RepoTags": None, "Layers": ["layer.tar"]}]
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as tar:
        for name, content in (
            ("config.json", json.dumps(config).encode()),
            ("layer.tar", layer),
            ("manifest.json", json.dumps(manifest).encode()),
        ):
            header = tarfile.TarInfo(name)
            header.size = len(content)
            tar.addfile(header, io.BytesIO(content))
    return data.getvalue()


def tag_of(rig: Rig, user: User, repository: str, tag: str) -> str | None:
    """Return the digest that the GitLab registry has for a tag, asked without any engine."""
    url = f"https://{rig.gitlab}/v2/{repository}/manifests/{tag}"
    token = base64.b64encode(f"{user.name}:{user.password}".encode()).decode()
    headers = {"Authorization": f"Basic {token}", "Accept": _MANIFEST}
    try:
        with direct(rig.ca).open(
            urllib.request.Request(url, headers=headers), timeout=LONGEST_SECONDS
        ) as answer:
            return str(answer.headers["Docker-Content-Digest"])
    except urllib.error.HTTPError as error:
        error.close()
        return None


class OwnRegistry:
    """A registry on loopback, which engines reach without TLS; it may be down."""

    def __init__(self, directory: Path) -> None:
        held = held_port()
        self.host = f"127.0.0.1:{held.getsockname()[1]}"
        # Its port stays its own as long as somebody has it, whether it is up or down.
        weakref.finalize(self, held.close)
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

    def combine(self, repository: str, tag: str, architectures: Sequence[str]) -> None:
        """Give a tag to a list of the images that are tagged by their architectures."""
        entries = []
        for each in architectures:
            with self._ask(repository, each, {"Accept": _MANIFEST}) as answer:
                entry = {
                    "mediaType": _MANIFEST,
                    "size": len(answer.read()),
                    "digest": answer.headers["Docker-Content-Digest"],
                    "platform": {"os": "linux", "architecture": each},
                }
            entries.append(entry)
        content = {"schemaVersion": 2, "mediaType": _LIST, "manifests": entries}
        data = json.dumps(content).encode()
        self._ask(repository, tag, {"Content-Type": _LIST}, data).close()

    def _ask(
        self, repository: str, tag: str, headers: dict[str, str], data: bytes | None = None
    ) -> HTTPResponse:
        url = f"http://{self.host}/v2/{repository}/manifests/{tag}"
        request = urllib.request.Request(url, data, headers, method="PUT" if data else "GET")
        answer: HTTPResponse = direct().open(request, timeout=LONGEST_SECONDS)
        return answer

    def stop(self) -> None:
        """End it; one that does not run is fine."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(LONGEST_SECONDS)
            self._process = None

    def lose_biggest_layer(self) -> None:
        """Remove the biggest blob, which no manifest and no configuration is."""
        blobs = self._storage.rglob("blobs/sha256/*/*/data")
        max(blobs, key=lambda each: each.stat().st_size).unlink()

    def _answers(self) -> bool:
        host, _, port = self.host.partition(":")
        try:
            socket.create_connection((host, int(port)), 5).close()
        except OSError:
            return False
        return True
