"""The verbs that prepare and cleanup use on a Docker Engine, 20.10 to 29.

Order: `connect`, pulls, network and volumes, containers.  Every verb may be repeated: what is left
over from an earlier attempt under the same name is replaced.  Everything carries the job's label
from the moment it exists, so that cleanup finds it.
"""

import json
import random
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from urllib.parse import quote

from executor.engine import failures
from executor.engine.api import Api
from executor.engine.container_request import container_request, sent_to
from executor.engine.handover import StartedKeeper
from executor.engine.keeper import sent_files
from executor.engine.wire import Answer
from executor.errors import EngineRefused, EngineUnavailable, ImageUnavailable
from executor.spec import ContainerSpec, ImageFacts, Pull, VolumeSpec

_NEWEST_API = (1, 47)
"""The newest version of the API whose answers we know; 29 still serves it."""
_OLDEST_API = (1, 41)
"""Docker 20.10."""

_PULL_ATTEMPTS = 3
_PULL_IDLE_SECONDS = 300.0
_KEEPER_SECONDS = 120.0
_RECEIVE_SECONDS = 30.0

_NOT_FOUND = 404
_CONFLICT = 409

Say = Callable[[str], None]
"""Takes a sentence for the job log."""


class Engine:
    """A Docker Engine that answers."""

    def __init__(self, api: Api) -> None:
        """Use `api`; nothing is asked yet."""
        self.api = api
        self.version = ""
        self.architecture = ""
        self._api_version: tuple[int, ...] = _OLDEST_API

    def connect(self) -> None:
        """Agree on a version of the API.

        Raises EngineUnavailable where nothing answers or the engine is too old or too new.
        """
        answer = self.api.get("/version", timeout=30)
        found = _table(answer.json()) if answer.ok else {}
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
        """Pull an image and return what came, by digest, so that a tag that moves cannot matter.

        A transient failure is tried three times in all.  Raises ImageUnavailable or
        PullInterrupted; a stale image that is there changes nothing.
        """
        for attempt in range(1, _PULL_ATTEMPTS + 1):
            digest, message = self._pull_once(pull, registry_auth)
            if not message:
                return self._pulled(pull, digest)
            if attempt < _PULL_ATTEMPTS and failures.is_transient(message):
                say(
                    f'WARNING: Failed to pull image "{pull.image}" (attempt #{attempt}), retrying:'
                    f" {message}"
                )
                time.sleep(random.uniform(2, 4) * attempt)  # noqa: S311 (spreads retries)
                continue
            raise failures.pull_failure(pull.image, message)
        raise AssertionError("unreachable")

    def image(self, name: str) -> ImageFacts | None:
        """Return what the engine knows of an image, or None where it has none of that name."""
        answer = self.api.get(f"/images/{quote(name, safe='')}/json")
        if answer.status == _NOT_FOUND:
            return None
        if not answer.ok:
            raise EngineRefused(
                f'The Docker Engine cannot show the image "{name}": {answer.message}.',
                answer.status,
            )
        return _image_facts(_table(answer.json()), name)

    def ensure_volume(self, spec: VolumeSpec) -> None:
        """Create a volume, or keep the one that is there."""
        answer = self.api.post("/volumes/create", {"Name": spec.name, "Labels": spec.labels})
        if not answer.ok:
            raise failures.volume_failure(spec.name, answer.status, answer.message)

    def create(self, spec: ContainerSpec, image: ImageFacts) -> object:
        """Create a container from what was pulled; return what the engine was asked for."""
        request = container_request(spec, image, self._api_version)
        self.create_as(spec, request)
        return request

    def create_as(self, spec: ContainerSpec, request: object) -> None:
        """Create a container by a request; one of the same name is replaced."""
        platform = f"&platform={quote(spec.platform)}" if spec.platform else ""
        path = f"/containers/create?name={spec.name}{platform}"
        answer = self.api.post(path, request)
        if answer.status == _CONFLICT:
            self.api.delete(f"/containers/{spec.name}?force=1&v=1")
            answer = self.api.post(path, request)
        self._check(spec, answer)

    def start(self, spec: ContainerSpec) -> StartedKeeper | None:
        """Start a container and send it its files; return the keeper of one that runs scripts."""
        if not spec.receives:
            self._check(spec, self.api.post(f"/containers/{spec.name}/start"))
            return None
        streams = "stdin=1&stdout=1&stderr=1" if spec.runs_scripts else "stdin=1"
        answer, reader = self.api.hijack(f"/containers/{spec.name}/attach?stream=1&{streams}")
        self._check(spec, answer)
        try:
            self._check(spec, self.api.post(f"/containers/{spec.name}/start"))
        except BaseException:
            reader.socket.close()
            raise
        # A container that has ended already shows at the reading end, or to whoever needs it.
        with suppress(OSError):
            reader.socket.sendall(sent_files(sent_to(spec)))
        if spec.runs_scripts:
            return StartedKeeper(spec, reader, _KEEPER_SECONDS)
        reader.finish(_RECEIVE_SECONDS)
        return None

    def _check(self, spec: ContainerSpec, answer: Answer) -> None:
        if answer.ok or answer.status == 101:  # noqa: PLR2004
            return
        told = (spec.name, spec.image, answer.status, answer.message)
        raise failures.create_failure(*told, runs_scripts=spec.runs_scripts)

    def _pull_once(self, pull: Pull, registry_auth: str) -> tuple[str, str]:
        """Return the digest that came and "", or "" and why none came."""
        platform = f"&platform={quote(pull.platform)}" if pull.platform else ""
        # Without a tag the engine takes a digest for one, but an image without either as all tags.
        path = f"/images/create?fromImage={quote(pull.image, safe='')}{platform}"
        headers = {"X-Registry-Auth": registry_auth} if registry_auth else {}
        digest = ""
        try:
            status, pieces = self.api.stream(path, headers, idle_seconds=_PULL_IDLE_SECONDS)
            for event in _events(pieces):
                detail = _table(event.get("errorDetail")).get("message") or event.get("error")
                if detail or (status >= 400 and event.get("message")):  # noqa: PLR2004
                    return "", str(detail or event["message"])
                text = str(event.get("status", ""))
                if text.startswith("Digest: "):
                    digest = text.removeprefix("Digest: ").strip()
        except OSError as error:
            return "", f"i/o timeout: the registry was silent ({error})"
        except ValueError:
            return "", "unexpected EOF: the engine broke off the pull"
        return (digest, "") if status < 400 else ("", f"HTTP status {status}")  # noqa: PLR2004

    def _pulled(self, pull: Pull, digest: str) -> ImageFacts:
        name = _by_digest(pull.image, digest)
        facts = self.image(name) or self.image(pull.image)
        if facts is None:
            raise ImageUnavailable(
                f'The image "{pull.image}" was pulled and is gone: something removed it (a prune on'
                " the host?)."
            )
        return facts


def _image_facts(found: dict[str, object], name: str) -> ImageFacts:
    config = _table(found.get("Config"))
    digests = found.get("RepoDigests")
    known = [str(each) for each in digests] if isinstance(digests, list) else []
    wanted = name if "@" in name else ""
    return ImageFacts(
        id=str(found.get("Id", "")),
        entrypoint=_strings(config.get("Entrypoint")),
        command=_strings(config.get("Cmd")),
        ports=tuple(_table(config.get("ExposedPorts"))),
        volumes=tuple(_table(config.get("Volumes"))),
        environment=_strings(config.get("Env")),
        digest=wanted if wanted in known else next(iter(known), ""),
    )


def _by_digest(image: str, digest: str) -> str:
    """Return `name@digest`, the one reference that a later push cannot move."""
    if not digest:
        return image
    name = image.partition("@")[0]
    head, slash, last = name.rpartition("/")
    return f"{head}{slash}{last.partition(':')[0]}@{digest}"


def _events(pieces: Iterator[bytes]) -> Iterator[dict[str, object]]:
    """Yield the JSON objects of a stream that has one on each line."""
    pending = b""
    for piece in pieces:
        *lines, pending = (pending + piece).split(b"\n")
        yield from (_table(json.loads(line)) for line in lines if line.strip())
    if pending.strip():
        yield _table(json.loads(pending))


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".") if part.isdigit()) or (0,)


def _text(version: tuple[int, ...]) -> str:
    return ".".join(str(part) for part in version)


def _table(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}


def _strings(value: object) -> tuple[str, ...]:
    return tuple(str(each) for each in value) if isinstance(value, list) else ()
