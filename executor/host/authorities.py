"""Reads the private authorities that builds in dind trust, on the runner host."""

import os
import stat

from executor.errors import SettingsError

_MOST_BYTES = 1024 * 1024
_BEGIN, _END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"


def read_authorities(path: str) -> bytes:
    """Return the certificates in a file, and nothing else of it; no path, no certificates.

    A key that somebody has put beside them stays on the host.  Raises SettingsError for a file
    that cannot be read or has no certificate.
    """
    if not path:
        return b""
    try:
        text = _read(path)
    except OSError as error:
        raise SettingsError(
            f"The private authorities in {path} cannot be read: {error.strerror or error}. Correct"
            " `[dind] authorities_in_builds`."
        ) from None
    found = _certificates(text)
    if not found:
        raise SettingsError(
            f"{path} has no certificate in PEM form, which begins with {_BEGIN}. Correct the file,"
            " or `[dind] authorities_in_builds`."
        )
    return found.encode("ascii", "replace")


def _read(path: str) -> str:
    """Return a regular file's text; whatever else stands there is not waited for."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb") as file:  # noqa: PTH123 (pathlib is slow to import)
        known = os.fstat(descriptor)
        if not stat.S_ISREG(known.st_mode):
            raise OSError("it is not a regular file")
        if known.st_size > _MOST_BYTES:
            raise OSError("it is larger than 1 MiB")
        return file.read(_MOST_BYTES).decode("ascii", "replace")


def _certificates(text: str) -> str:
    lines: list[str] = []
    inside = False
    for line in map(str.strip, text.splitlines()):
        inside = inside or line == _BEGIN
        if inside:
            lines.append(line)
        inside = inside and line != _END
    return "" if inside else "".join(f"{line}\n" for line in lines)
