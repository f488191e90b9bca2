"""Images of a Docker Engine: what it has, and what it pulls."""

import random
import time
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from executor.dataclass import replace
from executor.engine import failures
from executor.engine.api import Api
from executor.engine.registries import ENDED, pull_failure
from executor.engine.streams import stream
from executor.engine.transfers import Transfer
from executor.engine.wire import as_table, quote
from executor.errors import (
    EngineRefused,
    EngineUnavailable,
    ImageUnavailable,
    PullInterrupted,
    UnusableImage,
)
from executor.excerpts import excerpt
from executor.notation.platforms import fits
from executor.quick_json import loads
from executor.spec import ImageFacts, Pull
from executor.tasks import Task

Say = Callable[[str], None]
"""Takes a sentence for the job log."""

_ATTEMPTS = 3
_IDLE_SECONDS = 300.0
_NOT_FOUND = 404
_NEWER = "Status: Downloaded newer image"
"""What a pull ends with that changed what the name stands for."""
_LONGEST_EVENT = 1024 * 1024
"""In bytes.  An engine may quote a whole answer of a registry that an author names."""
_MOST_WORDS = 16 * 1024
"""How much of that is looked at, in characters."""
_LARGEST_IMAGE = 4 * 1024 * 1024
"""How long what the engine says of an image may be, in bytes: its author chooses that too."""


class _Came(NamedTuple):
    """What an attempt to pull has brought."""

    digest: str = ""
    """"" where the engine names none."""
    is_new: bool = False
    """Whether it was not there before."""
    moved: int | None = None
    """How many bytes came; None where the engine does not say."""
    failure: str = ""
    """Why nothing came."""


def pull_image(
    api: Api, pull: Pull, registry_auth: str, say: Say, architecture: str = ""
) -> ImageFacts:
    """Pull an image and return what came, by digest, so that a tag that moves cannot matter.

    A transient failure is tried three times in all.  Raises ImageUnavailable or PullInterrupted;
    a stale image that is there changes nothing.  `architecture` is the engine's own.
    """
    before = Task(lambda: _id_of(api, pull.image))
    came = _pull_patiently(api, pull, registry_auth, say)
    facts = _pulled(api, pull, came.digest, architecture)
    if not is_for(facts, pull.platform or architecture):
        # Another job pulled the image for another platform meanwhile, or there is no other.
        came = _pull_patiently(api, pull, registry_auth, say)
        facts = _pulled(api, pull, came.digest, architecture)
    facts = replace(facts, moved=came.moved)
    if came.is_new:
        facts = replace(facts, instead_of=before.result())
    if not is_for(facts, pull.platform) and facts.id == came.digest:
        # The containerd image store has one id for all platforms of a list, shows the engine's own,
        # and makes containers of the one that came.
        return replace(facts, system="", architecture="")
    if not is_for(facts, pull.platform):
        raise ImageUnavailable(
            f'The image "{pull.image}" is here for {facts.system}/{facts.architecture}, not'
            f" for {pull.platform}. Use the digest of the image for that platform, or a tag"
        )
    return facts


def find_image(api: Api, name: str) -> ImageFacts | None:
    """Return what the engine knows of an image, or None where it has none of that name."""
    answer = api.get(f"/images/{quote(name, safe='')}/json")
    if answer.status == _NOT_FOUND:
        return None
    if not answer.ok:
        raise EngineRefused(
            (
                f'The Docker Engine cannot inspect the image "{name}": {answer.message}. Check the'
                " Docker Engine's log."
            ),
            answer.status,
        )
    if len(answer.body) > _LARGEST_IMAGE:
        raise UnusableImage(
            f'The configuration of the image "{name}" is larger than {_LARGEST_IMAGE // 1024**2} MiB.'
            " Use another image, or build it with fewer ports, labels, variables and layers."
        )
    return _image_facts(as_table(answer.json()), name)


def is_for(facts: ImageFacts, platform: str) -> bool:
    """Tell whether an image is for a platform; one that does not say what it is for is for any."""
    if not platform or not facts.architecture:
        return True
    return fits(platform, facts.system, facts.architecture)


def _id_of(api: Api, name: str) -> str | None:
    """Return the id of an image, "" where the engine has none of the name, None where it does not say.

    Asked while the registry is: where the pull is done first, the image is its own predecessor.
    """
    try:
        answer = api.get(f"/images/{quote(name, safe='')}/json")
        found = as_table(answer.json()) if answer.ok else {}
    except EngineUnavailable:
        return None
    return "" if answer.status == _NOT_FOUND else str(found.get("Id") or "") or None


def _pull_patiently(api: Api, pull: Pull, registry_auth: str, say: Say) -> _Came:
    """Pull with some attempts, and return what came with the last one."""
    for attempt in range(1, _ATTEMPTS + 1):
        came = _pull_once(api, pull, registry_auth)
        if not came.failure:
            return came
        if attempt == _ATTEMPTS or not failures.is_transient(came.failure):
            raise pull_failure(came.failure)
        say(
            f'WARNING: Failed to pull image "{pull.image}" (attempt #{attempt}), retrying:'
            f" {came.failure}"
        )
        time.sleep(random.uniform(2, 4) * attempt)  # noqa: S311 (spreads retries)
    raise AssertionError("unreachable")


def _pull_once(api: Api, pull: Pull, registry_auth: str) -> _Came:
    """Return what came, or why nothing did."""
    platform = f"&platform={quote(pull.platform)}" if pull.platform else ""
    # Without a tag the engine takes a digest for one, but an image without either as all tags.
    path = f"/images/create?fromImage={quote(pull.image, safe='')}{platform}"
    headers = {"X-Registry-Auth": registry_auth} if registry_auth else {}
    digest, is_new, transfer = "", False, Transfer()
    try:
        status, pieces = stream(api, path, headers, idle_seconds=_IDLE_SECONDS)
        for event in events(pieces):
            detail = error_of(event)
            if detail or (status >= 400 and event.get("message")):  # noqa: PLR2004
                return _Came(failure=detail or excerpt(str(event["message"]), _MOST_WORDS))
            transfer.take(event)
            text = str(event.get("status", ""))
            if text.startswith("Digest: "):
                digest = text.removeprefix("Digest: ").strip()
            is_new = is_new or text.startswith(_NEWER)
    except OSError as error:
        return _Came(failure=f"i/o timeout: the registry did not answer ({error})")
    except ValueError:
        return _Came(failure=ENDED)
    if status >= 400:  # noqa: PLR2004
        return _Came(failure=f"HTTP status {status}")
    return _Came(digest, is_new, transfer.moved)


def _pulled(api: Api, pull: Pull, digest: str, architecture: str) -> ImageFacts:
    """Return what a digest stands for on the engine.

    That may be the image for another platform: the digest is that of the list of all, and an
    engine keeps it for the first that came.  Then the tag stands for the last one.
    """
    by_digest = find_image(api, _by_digest(pull.image, digest))
    if by_digest and is_for(by_digest, pull.platform or architecture):
        return by_digest
    facts = find_image(api, pull.image) or by_digest
    if facts is None:
        raise PullInterrupted(
            f'The image "{pull.image}" was pulled, but something removed it (a prune on the'
            " host?). Retry the job"
        )
    return facts


def _image_facts(found: dict[str, object], name: str) -> ImageFacts:
    config = as_table(found.get("Config"))
    digests = found.get("RepoDigests")
    known = [str(each) for each in digests] if isinstance(digests, list) else []
    wanted = name if "@" in name else ""
    return ImageFacts(
        id=str(found.get("Id", "")),
        entrypoint=_strings(config.get("Entrypoint")),
        command=_strings(config.get("Cmd")),
        ports=tuple(as_table(config.get("ExposedPorts"))),
        volumes=tuple(as_table(config.get("Volumes"))),
        environment=_strings(config.get("Env")),
        user=str(config.get("User") or ""),
        digest=wanted if wanted in known else next(iter(known), ""),
        system=str(found.get("Os", "")),
        architecture=str(found.get("Architecture", "")),
    )


def _by_digest(image: str, digest: str) -> str:
    """Return `name@digest`, the one reference that a later push cannot move."""
    if not digest:
        return image
    name = image.partition("@")[0]
    head, slash, last = name.rpartition("/")
    return f"{head}{slash}{last.partition(':')[0]}@{digest}"


def events(pieces: Iterable[bytes]) -> Iterator[dict[str, object]]:
    """Yield the JSON objects of a stream that has one on each line; ValueError where it has not."""
    pending = b""
    for piece in pieces:
        *lines, pending = (pending + piece).split(b"\n")
        if len(pending) > _LONGEST_EVENT:
            raise ValueError("an event without an end")
        yield from (_event(line) for line in lines if line.strip())
    if pending.strip():
        yield _event(pending)


def _event(line: bytes) -> dict[str, object]:
    try:
        return as_table(loads(line))
    except RecursionError:
        raise ValueError("an event that is nested too deeply") from None


def error_of(event: dict[str, object]) -> str:
    """Return what an event of a stream says has gone wrong, "" where nothing has."""
    told = as_table(event.get("errorDetail")).get("message") or event.get("error") or ""
    return excerpt(str(told), _MOST_WORDS)


def _strings(value: object) -> tuple[str, ...]:
    return tuple(str(each) for each in value) if isinstance(value, list) else ()
