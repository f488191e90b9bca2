"""Tells a registry that is down from one that refuses, by the engine's words."""

import re

from executor.engine import failures
from executor.errors import ExecutorError, ImageUnavailable, PullInterrupted, RegistryDown

_DOWN = (
    ": eof",
    "broken pipe",
    "context deadline exceeded",
    "error parsing http 429",
    "error parsing http 5",
    "internal server error",
    "network is unreachable",
    "no route to host",
    "server misbehaving",
    "unexpected http status: 5",
)
"""What else than a transient failure shows a registry that does not serve."""
_DISTRUSTED = ("x509", "does not look like a tls handshake", "gave http response to https")
"""A registry that is up, and that the engine does not talk to: somebody has to look at that."""
ENDED = "unexpected EOF: the engine ended the pull early"
"""For an engine that stops, or that quotes more than anybody reads: the registry is not known to be down."""
_QUOTED = re.compile(r'"(?:[^"\\]|\\.?)*"?', re.DOTALL)
"""What Go quotes: quotes in it stand behind a backslash; a message that is cut has no end of them."""


def pull_failure(message: str) -> ExecutorError:
    """Return the error for a pull that failed, in the engine's words alone.

    A registry is down if it cannot be reached, or answers that it does not serve now.  In doubt it is
    not: one that refuses has decided who gets an image.  One that limits the rate (429) has not.
    What stands in quotes counts less: addresses, and what the registry has sent.
    """
    error = failures.pull_failure(message)
    if not isinstance(error, PullInterrupted | ImageUnavailable):
        return error
    words = _QUOTED.sub("", message.lower())
    transient, denied = failures.is_transient(words), failures.is_denial(words)
    if denied:
        return error if transient else ImageUnavailable(str(error))
    if message == ENDED or any(each in words for each in _DISTRUSTED):
        return error
    if transient or any(each in words for each in _DOWN):
        return RegistryDown(str(error))
    return error
