"""The engine's words → our errors."""

import pytest

from executor.engine.failures import (
    advice,
    is_transient,
    network_failure,
    pull_failure,
    volume_failure,
    words_of,
)
from executor.engine.start_failures import create_failure
from executor.errors import (
    EngineRefused,
    ExecutorError,
    ImageUnavailable,
    PullInterrupted,
    ResourceExhausted,
)

DENIED = [
    "manifest for docker:nope not found: manifest unknown: manifest unknown",
    "pull access denied for x, repository does not exist or may require 'docker login'",
    "Error response from daemon: unauthorized: authentication required",
    'Head "https://registry/v2/a/manifests/1": unauthorized: HTTP Basic: Access denied',
    "no basic auth credentials",
    "denied: requested access to the resource is denied",
    "unauthorized: incorrect username or password",
    'failed to resolve reference "registry/a:1": registry/a:1: not found',
    "no matching manifest for linux/amd64 in the manifest list entries",
    "name unknown: repository name not known to registry",
    "unknown: Authentication is required",
    "error from registry: denied",
    "unexpected status from HEAD request to https://r/v2/a/manifests/1: 403 Forbidden",
    "error parsing HTTP 403 response body: invalid character '<': \"<html>\"",
    "received unexpected HTTP status: 403 Forbidden",
    "failed to fetch anonymous token: unexpected status from GET request to r: 401 Unauthorized",
    "unknown: The client does not have permission for manifest",
    "unknown: Wrong username was used",
    "unknown: Bad credentials",
    "unknown: current image with 3 vulnerabilities cannot be pulled due to configured policy in x",
]
UNREADABLE = [
    'media type "application/vnd.docker.distribution.manifest.v1+prettyjws" is no longer supported',
    "Docker Image Format v1 and Docker Image manifest version 2, schema 1 support is disabled",
    "unsupported manifest media type and no default available: application/vnd.x",
    "unsupported media type application/vnd.cncf.helm.config.v1+json",
    "mediaType in manifest should be 'application/vnd.docker.distribution.manifest.v2+json' not ''",
    "invalid rootfs in image configuration",
    "missing signature key",
]
"""What a registry gives, and no engine of today takes."""
TRANSIENT = [
    'Get "https://registry/v2/": dial tcp 10.0.0.1:443: connect: connection refused',
    'Get "https://registry/v2/": dial tcp: lookup registry: no such host',
    "net/http: TLS handshake timeout",
    "read tcp 1.2.3.4: i/o timeout",
    "net/http: request canceled (Client.Timeout exceeded while awaiting headers)",
    "read: connection reset by peer",
    "unexpected EOF",
    "received unexpected HTTP status: 502 Bad Gateway",
    "received unexpected HTTP status: 503 Service Unavailable",
    "unexpected status from HEAD request to https://r/v2/a: 504 Gateway Timeout",
    "toomanyrequests: You have reached your pull rate limit",
    "unexpected status code 429 Too Many Requests",
]
UNKNOWN = [
    "received unexpected HTTP status: 500 Internal Server Error",
    "",
    "something odd",
    "failed open: could not fetch content descriptor sha256:00 (x) from remote: not found",
]
FULL = "write /var/lib/docker/tmp/x: no space left on device"


@pytest.mark.parametrize("message", TRANSIENT)
def test_transient(message: str) -> None:
    """It may work a moment later, and it is nobody's mistake."""
    assert is_transient(message)
    assert type(pull_failure(message)) is PullInterrupted


@pytest.mark.parametrize("message", DENIED)
def test_the_registry_says_no(message: str) -> None:
    """Trying again changes nothing: the author's name, tag or login is wrong."""
    assert not is_transient(message)
    error = pull_failure(message)
    assert type(error) is ImageUnavailable
    assert "needs a login" in advice(error)


@pytest.mark.parametrize("message", UNREADABLE)
def test_an_image_that_no_engine_takes(message: str) -> None:
    """Only its author can do something about it, and no login helps."""
    assert not is_transient(message)
    error = pull_failure(message)
    assert type(error) is ImageUnavailable
    assert "build and push it again" in advice(error)


@pytest.mark.parametrize("message", UNKNOWN)
def test_what_nobody_knows_is_no_mistake_of_the_author(message: str) -> None:
    """It is not tried again by us, and prepare is."""
    assert not is_transient(message)
    assert type(pull_failure(message)) is PullInterrupted


@pytest.mark.parametrize(
    "error",
    [
        pull_failure(f"failed to register layer: {FULL}"),
        create_failure("c", "a:1", 500, FULL),
        volume_failure("v", 500, f"error creating: {FULL}"),
        create_failure("c", "a:1", 500, "mkdir /x: disk quota exceeded"),
    ],
)
def test_a_full_disk(error: ExecutorError) -> None:
    """A full disk is the host's fault, wherever it shows."""
    assert type(error) is ResourceExhausted
    assert "docker system prune" in str(error)


@pytest.mark.parametrize(
    "message",
    [
        "could not find an available, non-overlapping IPv4 address pool among the defaults",
        "all predefined address pools have been fully subnetted",
    ],
)
def test_no_subnet(message: str) -> None:
    """Many networks that nobody uses are the usual reason."""
    error = network_failure("job", 500, message)

    assert type(error) is ResourceExhausted
    assert "docker network prune" in str(error)


@pytest.mark.parametrize(
    "words",
    [
        "iptables v1.8.9 (nf_tables): Chain 'DOCKER-ISOLATION-STAGE-1' does not exist",
        "iptables: No chain/target/match by that name.",
        "iptables v1.6.1: Couldn't load target `DOCKER-FORWARD':No such file or directory",
    ],
)
def test_an_engine_whose_rules_are_gone(words: str) -> None:
    """Another engine or a firewall has removed them, and a check is for that."""
    error = network_failure("job", 500, f"unable to insert jump (iptables failed: {words}")

    assert isinstance(error, EngineRefused)
    assert "doctor --only isolation" in str(error)
    assert "Restart the engine" in str(error)


@pytest.mark.parametrize("error", [network_failure("n", 403, "no"), volume_failure("v", 500, "no")])
def test_other_refusals(error: ExecutorError) -> None:
    """The error keeps the engine's words."""
    assert type(error) is EngineRefused
    assert "could not be created: no." in str(error)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"message": "no such image"}', "no such image"),
        (b" page not found\n", "page not found"),
        (b'{"message": null}', "None"),
        (b'["an answer"]', ""),
        (b"\xff", "\ufffd"),
        (b"[" * 100_000, None),
        (b'{"message": "' + b"x" * 100_000 + b'"}', None),
    ],
)
def test_the_words_of_a_refusal(body: bytes, words: str | None) -> None:
    """They are taken from any answer, and never more of them than anybody reads."""
    found = words_of(body)

    assert len(found) <= 17_000
    assert words in (None, found)
