"""Where the keys of a runner lead its jobs' Docker clients."""

import pytest

from executor.commands.migrate.reach import (
    ELSEWHERE,
    LOST,
    NOWHERE,
    SIDECAR,
    WRONG_PORT,
    is_socket,
    reach_of,
    shows_socket,
)
from executor.notation.volumes import parse_volume


@pytest.mark.parametrize(
    ("host", "docker", "leads", "elsewhere"),
    [
        ("tcp://docker:2376", {}, SIDECAR, False),
        ("tcp://docker:2374", {}, WRONG_PORT, False),
        ("unix:///x", {}, NOWHERE, False),
        ("tcp://dind:2375", {"network_mode": "ci"}, LOST, True),
        ("tcp://far.example.com:2375", {"network_mode": "ci"}, ELSEWHERE, True),
        ("tcp://$WHERE:2375", {"network_mode": "ci"}, ELSEWHERE, True),
    ],
)
def test_where_a_host_leads(
    host: str,
    docker: dict[str, object],
    leads: str,
    elsewhere: bool,  # noqa: FBT001
) -> None:
    """The port counts as well as the name, and so does the network of the jobs."""
    reach = reach_of({"DOCKER_HOST": host}, docker, {"docker"})

    assert (reach.leads, reach.builds_elsewhere) == (leads, elsewhere)


def test_a_runner_that_says_nothing() -> None:
    """Its jobs reach the sidecar with TLS."""
    reach = reach_of({}, {"volumes": ["not a volume"]}, {"docker"})

    assert (reach.leads, reach.builds_elsewhere) == ("", False)
    assert reach.way is not None
    assert reach.way.tls is True


def test_a_socket_is_told_from_a_directory_around_it() -> None:
    """A directory beyond /run has other uses."""
    entry, whole = parse_volume("/var/run:/x"), parse_volume("/:/host")

    assert (is_socket(entry, {}), shows_socket(entry, {})) == (True, True)
    assert (is_socket(whole, {}), shows_socket(whole, {})) == (False, True)
    assert is_socket(parse_volume("/srv:/srv"), {}) is False
    assert shows_socket(parse_volume("/srv:/srv"), {"host": "unix:///srv/e.sock"}) is True
