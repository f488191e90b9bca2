"""The verbs that prepare and cleanup use on a Docker Engine, 20.10 to 29.

Order: `connect`, pulls, network and volumes, containers.  Every verb may be repeated: what is left
over from an earlier attempt under the same name is replaced.  Everything carries the job's label
from the moment it exists, so that cleanup finds it.
"""

from urllib.parse import quote

from executor.engine import failures
from executor.engine.api import VOLUME_SECONDS, Api
from executor.engine.container_request import container_request
from executor.engine.handover import StartedKeeper, StartedReceiver
from executor.engine.images import Say, find_image, pull_image
from executor.engine.wire import Answer, as_table
from executor.errors import EngineUnavailable
from executor.names import removal_query
from executor.spec import ContainerSpec, ImageFacts, Pull, VolumeSpec

_NEWEST_API = (1, 47)
"""The newest version of the API whose answers we know; 29 still serves it."""
_OLDEST_API = (1, 41)
"""Docker 20.10."""

_HANDOVER_SECONDS = 120.0
"""How long a container may take to take what it is sent, and its entrypoint to hand over."""

_CONFLICT = 409


class Engine:
    """A Docker Engine that answers."""

    def __init__(self, api: Api) -> None:
        """Use `api`; nothing is asked yet."""
        self.api = api
        self.version = ""
        self.architecture = ""
        self._api_version: tuple[int, ...] = _OLDEST_API
        self._volumes: dict[str, VolumeSpec] = {}

    def connect(self) -> None:
        """Agree on a version of the API.

        Raises EngineUnavailable where nothing answers or the engine is too old or too new.
        """
        answer = self.api.get("/version", timeout=30)
        found = as_table(answer.json()) if answer.ok else {}
        self.version = str(found.get("Version", ""))
        self.architecture = str(found.get("Arch", ""))
        newest = _version(str(found.get("ApiVersion", "")))
        oldest = _version(str(found.get("MinAPIVersion", "")))
        if newest < _OLDEST_API or oldest > _NEWEST_API:
            raise EngineUnavailable(
                f"The Docker Engine {self.version or '(unknown)'} at {self.api.host} speaks API"
                f" {_text(oldest)} to {_text(newest)}; this executor needs one of"
                f" {_text(_OLDEST_API)} to {_text(_NEWEST_API)} (Docker 20.10 or later)."
            )
        self._api_version = min(newest, _NEWEST_API)
        self.api.use_version(_text(self._api_version))

    def pull(self, pull: Pull, registry_auth: str, say: Say) -> ImageFacts:
        """Pull an image and return what came; see `pulling.pull_image`."""
        return pull_image(self.api, pull, registry_auth, say, self.architecture)

    def image(self, name: str) -> ImageFacts | None:
        """Return what the engine knows of an image, or None where it has none of that name."""
        return find_image(self.api, name)

    def ensure_volume(self, spec: VolumeSpec) -> None:
        """Create a volume, or keep the one that is there."""
        self._volumes[spec.name] = spec
        request: dict[str, object] = {"Name": spec.name, "Labels": spec.labels}
        if spec.driver:
            request["Driver"] = spec.driver
        if spec.options:
            request["DriverOpts"] = spec.options
        answer = self.api.post("/volumes/create", request, timeout=VOLUME_SECONDS)
        if not answer.ok:
            raise failures.volume_failure(spec.name, answer.status, answer.message)

    def create(self, spec: ContainerSpec, image: ImageFacts) -> object:
        """Create a container from what was pulled; return what the engine was asked for."""
        request = container_request(spec, image, self._api_version, self._volumes)
        self.create_as(spec, request)
        return request

    def create_as(self, spec: ContainerSpec, request: object) -> None:
        """Create a container by a request; one of the same name is replaced."""
        platform = f"&platform={quote(spec.platform)}" if spec.platform else ""
        path = f"/containers/create?name={spec.name}{platform}"
        answer = self.api.post(path, request, timeout=VOLUME_SECONDS)
        if answer.status == _CONFLICT:
            old = f"/containers/{spec.name}?{removal_query(spec.labels)}"
            self.api.send("DELETE", old, timeout=VOLUME_SECONDS)
            answer = self.api.post(path, request, timeout=VOLUME_SECONDS)
        self._check(spec, answer)

    def start(self, spec: ContainerSpec) -> StartedKeeper | StartedReceiver | None:
        """Start a container; return what sends it its files, if it gets any."""
        if not spec.receives:
            self._start(spec)
            return None
        streams = "stdin=1&stdout=1&stderr=1" if spec.runs_scripts else "stdin=1"
        answer, reader = self.api.hijack(f"/containers/{spec.name}/attach?stream=1&{streams}")
        self._check(spec, answer)
        try:
            self._start(spec)
        except BaseException:
            reader.socket.close()
            raise
        if spec.runs_scripts:
            return StartedKeeper(spec, reader, _HANDOVER_SECONDS)
        return StartedReceiver(spec, reader, _HANDOVER_SECONDS)

    def _start(self, spec: ContainerSpec) -> None:
        path = f"/containers/{spec.name}/start"
        self._check(spec, self.api.post(path, timeout=VOLUME_SECONDS))

    def _check(self, spec: ContainerSpec, answer: Answer) -> None:
        if answer.ok or answer.status == 101:  # noqa: PLR2004
            return
        told = (spec.name, spec.image, answer.status, answer.message)
        raise failures.create_failure(*told, runs_scripts=spec.runs_scripts)


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".") if part.isdigit()) or (0,)


def _text(version: tuple[int, ...]) -> str:
    return ".".join(str(part) for part in version)
