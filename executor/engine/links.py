"""A symbolic link in a container that is made and has not started.

The engine writes through whatever is mounted, onto the host's own files too, and replaces what is
there: so it is asked first.
"""

import io
import tarfile
from binascii import a2b_base64

from executor.engine.api import Api
from executor.engine.wire import as_table, quote
from executor.notation.paths import overlap
from executor.quick_json import loads
from executor.spec import Link

_NOT_FOUND = 404
_IS_LINK = 1 << 27
"""Of the modes as the engine has them."""


def make_link(api: Api, container: str, link: Link) -> bool:
    """Make a link where nothing is, and nothing foreign is mounted; tell whether it stands.

    The directory may be a link itself, and so may the one above it where something is mounted.
    """
    directory, _, name = link.path.rpartition("/")
    real = _real(api, container, directory)
    # Of a link the engine tells where it leads in the end; of a directory not where it really is.
    if link.unless and real in {None, directory}:
        above = directory.rpartition("/")[0]
        if _real(api, container, above) not in {None, above}:
            return False
    if any(
        overlap(place, f"{path}/{name}")
        for place in link.unless
        for path in (directory, real)
        if path
    ):
        return False
    if real and _stat(api, container, f"{real}/{name}") is not None:
        return False
    path, entry = (real, name) if real else ("/", link.path[1:])
    request = f"/containers/{container}/archive?path={quote(path)}"
    archive = _archive(entry, link.target)
    return api.send("PUT", request, archive, content_type="application/x-tar").ok


def _real(api: Api, container: str, directory: str) -> str | None:
    """Return where a directory is, None where it is not there."""
    found = _stat(api, container, directory)
    if found is None:
        return None
    mode = found.get("mode")
    is_link = isinstance(mode, int) and mode & _IS_LINK
    return str(found.get("linkTarget") or "/") if is_link else directory


def _stat(api: Api, container: str, path: str) -> dict[str, object] | None:
    """Return what the engine says of a path in a container, None where it is not there.

    What it does not tell counts as being there: then nothing is made.
    """
    answer = api.send("HEAD", f"/containers/{container}/archive?path={quote(path)}")
    if answer.status == _NOT_FOUND:
        return None
    told = answer.headers.get("x-docker-container-path-stat", "")
    try:
        return as_table(loads(a2b_base64(told)))
    except (ValueError, RecursionError):
        return {}


def _archive(name: str, target: str) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        entry = tarfile.TarInfo(name)
        entry.type, entry.linkname, entry.mode = tarfile.SYMTYPE, target, 0o777
        archive.addfile(entry)
    return file.getvalue()
