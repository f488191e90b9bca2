"""A sidecar as the engine shows it, once it has answered and ended."""

from tests.engine.stub import http

STARTED = "2026-01-01T12:00:00.123456789Z"


def ended(**state: object) -> bytes:
    """Return an inspected sidecar that does not run any more."""
    return http(200, {"State": {"Running": False, "StartedAt": STARTED, **state}})
