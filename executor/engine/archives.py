"""An image made of an archive on the runner's host, of either kind that gitlab-runner knows."""

from collections.abc import Iterator
from pathlib import Path

from executor.engine.api import Api
from executor.engine.images import error_of, events, find_image
from executor.engine.streams import upload
from executor.engine.wire import Answer, quote
from executor.errors import ExecutorError
from executor.spec import ImageFacts

_PIECE_BYTES = 1 << 18
_IDLE_SECONDS = 300.0

# An exported root filesystem has lost it; gitlab-runner's own images begin so.
_ENTRYPOINT = 'ENTRYPOINT ["/usr/bin/dumb-init", "/entrypoint"]'


class LoadFailed(Exception):
    """Why an archive became no image."""


def load_image(api: Api, path: str, image: str) -> ImageFacts:
    """Make `image`, a name with a tag, of an archive, which is never whole in memory.

    A file `.tar.xz` is a root filesystem, as `docker export` writes it; any other an image, as
    `docker save` does.  Raises LoadFailed.
    """
    try:
        facts = _import(api, path, image) if path.endswith(".xz") else _load(api, path, image)
    except ExecutorError as error:
        raise LoadFailed(str(error)) from None
    if facts is None:
        raise LoadFailed("the engine did not load an image from it")
    return facts


def _import(api: Api, path: str, image: str) -> ImageFacts | None:
    # Unpacked here: the engine would call a program `xz`, which its host need not have.
    answer = _sent(
        api, f"/images/create?fromSrc=-&{_target(image)}&changes={quote(_ENTRYPOINT)}", path
    )
    _results(answer)
    return find_image(api, image)


def _load(api: Api, path: str, image: str) -> ImageFacts | None:
    for event in _results(_sent(api, "/images/load?quiet=1", path)):
        loaded, _, name = str(event.get("stream", "")).strip().partition(": ")
        if loaded in ("Loaded image", "Loaded image ID"):
            answer = api.post(f"/images/{quote(name, safe='')}/tag?{_target(image)}")
            if not answer.ok:
                raise LoadFailed(answer.message)
            return find_image(api, image)
    return None


def _sent(api: Api, request: str, path: str) -> Answer:
    return upload(api, request, _pieces(path), idle_seconds=_IDLE_SECONDS)


def _results(answer: Answer) -> list[dict[str, object]]:
    """Return what the engine tells; raises LoadFailed where that is an error."""
    if not answer.ok:
        raise LoadFailed(answer.message)
    try:
        found = list(events([answer.body]))
    except ValueError:
        raise LoadFailed("the engine's answer was cut off") from None
    for error in filter(None, map(error_of, found)):
        raise LoadFailed(error)
    return found


def _target(image: str) -> str:
    name, _, tag = image.rpartition(":")
    return f"repo={quote(name, safe='')}&tag={quote(tag, safe='')}"


def _pieces(path: str) -> Iterator[bytes]:
    """Yield what is in a file, unpacked if it is of the xz kind; raises LoadFailed."""
    try:
        import lzma  # noqa: PLC0415 (some builds of Python lack it)
    except ImportError:
        raise LoadFailed("this Python has no module lzma") from None
    try:
        with lzma.open(path) if path.endswith(".xz") else Path(path).open("rb") as file:
            while piece := file.read(_PIECE_BYTES):
                yield piece
    except (OSError, EOFError, lzma.LZMAError) as error:
        raise LoadFailed(getattr(error, "strerror", None) or str(error)) from None
