"""Registries that are down, and registries that refuse, by the engine's words."""

import pytest

from executor.engine.registries import pull_failure
from executor.errors import ExecutorError, ImageUnavailable, PullInterrupted, RegistryDown

DOWN = [
    'Get "http://127.0.0.1:5/v2/": dial tcp 127.0.0.1:5: connect: connection refused',
    'Get "https://r.local/v2/": dial tcp: lookup r.local on 10.0.0.2:53: no such host',
    'Get "https://r.local/v2/": dial tcp: lookup r.local: Temporary failure in name resolution',
    'Get "https://r.local/v2/": dial tcp 10.0.0.1:443: connect: no route to host',
    'Get "https://r.local/v2/": net/http: TLS handshake timeout',
    'Get "https://r.local/v2/": context deadline exceeded (Client.Timeout exceeded)',
    'Get "https://r.local/v2/": EOF',
    "unexpected EOF",
    "read tcp 10.0.0.2:4->10.0.0.1:443: read: connection reset by peer",
    "received unexpected HTTP status: 503 Service Unavailable",
    "received unexpected HTTP status: 500 Internal Server Error",
    "received unexpected HTTP status: 521 ",
    "unexpected status from HEAD request to http://r:5/v2/a/manifests/1: 502 Bad Gateway",
    "error parsing HTTP 503 response body: invalid character '<': \"<html>denied: sorry</html>\"",
    'failed to do request: Head "https://r/v2/a/manifests/1": dial tcp 10.0.0.1:443: i/o timeout',
    'Head "https://r/v2/unauthorized/a/manifests/1": dial tcp 10.0.0.1:443: i/o timeout',
    "toomanyrequests: You have reached your pull rate limit",
    "unexpected status from GET request to https://r/v2/a/manifests/1: 429 Too Many Requests",
]
REFUSING = [
    "manifest unknown: manifest unknown",
    "pull access denied for x, repository does not exist or may require 'docker login'",
    'Head "https://registry/v2/a/manifests/1": unauthorized: HTTP Basic: Access denied',
    "no basic auth credentials",
    "denied: requested access to the resource is denied",
    "unexpected status from HEAD request to https://r/v2/a/manifests/1: 403 Forbidden",
    "error parsing HTTP 403 response body: invalid character '<': \"<html>Service Unavailable\"",
    'failed to resolve reference "r/a:1": r/a:1: not found',
    'error parsing HTTP 401 response body: unexpected end of JSON input: ""',
    "error parsing HTTP 404 response body: invalid character '<': \"<html>Bad Gateway\"",
]
NEITHER = [
    "x509: certificate signed by unknown authority",
    'Get "https://r:5/v2/": tls: first record does not look like a TLS handshake',
    "http: server gave HTTP response to HTTPS client",
    "denied: the token service says: dial tcp 10.0.0.1:443: i/o timeout",
    "could not fetch content descriptor sha256:0 from remote: not found",
    "filesystem layer verification failed for digest sha256:0",
    r"""error parsing HTTP 402 response body: '<': "<a title=\"bad gateway\" id=\"503\">Pay\"""",
    'error parsing HTTP 402 response body: "too many requests, cut',
    "unexpected EOF: the engine ended the pull early",
]
"""What no image of the host stands in for: somebody has to look at it."""


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        *((each, RegistryDown) for each in DOWN),
        *((each, ImageUnavailable) for each in REFUSING),
        *((each, PullInterrupted) for each in NEITHER),
    ],
)
def test_the_words_tell(message: str, expected: type[ExecutorError]) -> None:
    """A registry that is down is told apart by the words alone, which the error keeps."""
    error = pull_failure(message)

    assert type(error) is expected
    assert str(error) == message.strip().rstrip(".")
