"""Reads the private authorities that builds in dind trust, on the runner host."""

from executor.errors import SettingsError
from executor.files import read_regular

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
        text = read_regular(path, _MOST_BYTES).decode("ascii", "replace")
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


def _certificates(text: str) -> str:
    lines: list[str] = []
    inside = False
    for line in map(str.strip, text.splitlines()):
        inside = inside or line == _BEGIN
        if inside:
            lines.append(line)
        inside = inside and line != _END
    return "" if inside else "".join(f"{line}\n" for line in lines)
