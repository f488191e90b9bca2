"""Images, put into a registry over its HTTP API: no engine is needed to build one."""

import base64
import hashlib
import http.client
import json
import platform
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from tests.rig.layers import Layer
from tests.rig.say import RigError

_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
_CONFIG = "application/vnd.docker.container.image.v1+json"
_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"
# Every layer is kept here once; the images' repositories borrow it.
LAYERS = "rig/layers"


class Registry:
    """A connection to one registry."""

    def __init__(self, host: str, ca: Path, login: tuple[str, str] | None = None) -> None:
        context = ssl.create_default_context(cafile=str(ca))
        self._connection = http.client.HTTPSConnection(host, context=context, timeout=300)
        self._headers: dict[str, str] = {}
        if login is not None:
            token = base64.b64encode(":".join(login).encode()).decode()
            self._headers["Authorization"] = f"Basic {token}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _: TracebackType | None,
    ) -> None:
        self._connection.close()

    def has_image(self, repository: str, tag: str) -> bool:
        """Return whether the registry holds this tag."""
        return self._ask("HEAD", f"/v2/{repository}/manifests/{tag}").status == 200

    def put_layer(self, layer: Layer, content: IO[bytes]) -> None:
        """Ensure that the layer is there for the images."""
        if not self._has_blob(LAYERS, layer.digest):
            self._upload(LAYERS, layer.digest, content, layer.size)

    def put_image(
        self, repository: str, tag: str, layers: Sequence[Layer], config: Mapping[str, object]
    ) -> None:
        """Ensure that the tag names this image; its layers are there already."""
        for layer in layers:
            if not self._has_blob(repository, layer.digest):
                self._borrow(repository, layer.digest)
        described = json.dumps(_described(layers, config), sort_keys=True).encode()
        digest = f"sha256:{hashlib.sha256(described).hexdigest()}"
        if not self._has_blob(repository, digest):
            self._upload(repository, digest, described, len(described))
        manifest = {
            "schemaVersion": 2,
            "mediaType": _MANIFEST,
            "config": {"mediaType": _CONFIG, "size": len(described), "digest": digest},
            "layers": [
                {"mediaType": _LAYER, "size": layer.size, "digest": layer.digest}
                for layer in layers
            ],
        }
        path = f"/v2/{repository}/manifests/{tag}"
        body = json.dumps(manifest, indent=3).encode()
        self._expect(201, self._ask("PUT", path, body, {"Content-Type": _MANIFEST}), path)

    def _has_blob(self, repository: str, digest: str) -> bool:
        return self._ask("HEAD", f"/v2/{repository}/blobs/{digest}").status == 200

    def _borrow(self, repository: str, digest: str) -> None:
        path = f"/v2/{repository}/blobs/uploads/?mount={digest}&from={LAYERS}"
        self._expect(201, self._ask("POST", path), path)

    def _upload(self, repository: str, digest: str, content: bytes | IO[bytes], size: int) -> None:
        path = f"/v2/{repository}/blobs/uploads/"
        answer = self._expect(202, self._ask("POST", path), path)
        # The address of the upload is absolute; the connection is to its host already.
        place = "/" + answer.headers["Location"].split("/", 3)[3]
        place += ("&" if "?" in place else "?") + f"digest={digest}"
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(size)}
        self._expect(201, self._ask("PUT", place, content, headers), path)

    def _ask(
        self,
        method: str,
        path: str,
        body: bytes | IO[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> "_Answer":
        accept = {"Accept": _MANIFEST} if "/manifests/" in path and method != "PUT" else {}
        self._connection.request(method, path, body, {**self._headers, **accept, **(headers or {})})
        response = self._connection.getresponse()
        return _Answer(response.status, response.headers, response.read())

    def _expect(self, status: int, answer: "_Answer", path: str) -> "_Answer":
        if answer.status != status:
            text = answer.body.decode(errors="replace").strip()
            message = (
                f"The registry {self._connection.host} answers {answer.status} to {path}: {text}"
            )
            raise RigError(message)
        return answer


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes


def _described(layers: Sequence[Layer], config: Mapping[str, object]) -> dict[str, object]:
    # A fixed date: the same layers give the same image, and the same digest.
    created = "2024-01-01T00:00:00Z"
    return {
        "architecture": _architecture(),
        "os": "linux",
        "created": created,
        "config": dict(config),
        "rootfs": {"type": "layers", "diff_ids": [layer.diff_id for layer in layers]},
        "history": [{"created": created, "created_by": "tests/rig"} for _ in layers],
    }


def _architecture() -> str:
    """Return this machine's architecture in Docker's words."""
    return {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
