"""What becomes of the volumes of a runner of the Docker executor."""

import tomllib

import pytest

from tests.commands.migrate.samples import migrated


def test_volumes_for_dind_go() -> None:
    """Certificates and the host's socket; the others are kept or named as they are."""
    migration = migrated(
        {"volumes": ["/certs/client", "/var/run/docker.sock:/var/run/docker.sock:ro"]}
    )

    assert "docker" not in tomllib.loads(migration.settings)
    assert any("certificates for each job" in each for each in migration.notes)
    assert any("controls the host" in each for each in migration.notes)


@pytest.mark.parametrize("volume", ["/var/lib/docker", "data:/var/lib/docker:rw"])
def test_data_for_dind_goes(volume: str) -> None:
    """The sidecar has a data directory of its own; what else there is stays."""
    migration = migrated({"volumes": ["/cache", volume]})

    assert tomllib.loads(migration.settings)["docker"]["volumes"] == ["/cache"]
    assert any("Each sidecar has its own images" in each for each in migration.notes)


@pytest.mark.parametrize(
    "volume",
    [
        "/run/docker.sock:/run/docker.sock",
        "/var/run/docker.sock:/elsewhere.sock:ro",
        "/run/podman/podman.sock:/var/run/docker.sock:ro",
        "/var/run:/var/run",
        "/run/:/host/run:ro",
        "/run/user/7:/run/user/7",
        "/srv/engine.sock:/run/docker.sock/",
    ],
)
def test_a_socket_goes_however_it_is_written(volume: str) -> None:
    """What leads to a daemon of the host is not carried over, and the note says what to do."""
    host = "unix:///var/run/user/7/docker.sock"
    migration = migrated({"volumes": ["/cache", volume], "host": host})

    assert tomllib.loads(migration.settings)["docker"]["volumes"] == ["/cache"]
    (said,) = [each for each in migration.notes if "controls the host" in each]
    assert said.startswith(f"[runners.docker] volumes {volume!r}: not carried over.")
    assert "pass images on through a registry" in said


@pytest.mark.parametrize("volume", ["/srv/run:/var/lib/run", "/run/dbus:/run/dbus", "run:/srv/run"])
def test_other_volumes_stay(volume: str) -> None:
    """A directory without a daemon's socket is the jobs' own."""
    migration = migrated({"volumes": [volume]})

    assert tomllib.loads(migration.settings)["docker"]["volumes"] == [volume]
    assert [each for each in migration.notes if "volumes" in each] == []


def test_the_whole_host_is_the_administrators_decision() -> None:
    """It is there for more than the socket, so it stays until somebody has decided."""
    migration = migrated({"volumes": ["/:/host:ro"]})

    assert tomllib.loads(migration.settings)["docker"]["volumes"] == ["/:/host:ro"]
    assert any(
        each.startswith("[runners.docker] volumes '/:/host:ro': decide") for each in migration.notes
    )


@pytest.mark.parametrize("volume", ["/tls/client", "certs:/tls/client", "/srv/tls:/tls:ro"])
def test_certificates_go_from_the_directory_that_jobs_know(volume: str) -> None:
    """DOCKER_TLS_CERTDIR names it, and the sidecar's own are there."""
    migration = migrated({"volumes": [volume]}, environment=["DOCKER_TLS_CERTDIR=/tls"])

    assert "docker" not in tomllib.loads(migration.settings)
    assert any(f"volumes {volume!r}: not carried over" in each for each in migration.notes)
