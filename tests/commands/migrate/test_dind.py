"""The sidecar's privileges, runtime and limits, from a runner of the Docker executor."""

import pytest

from tests.commands.migrate.samples import migrated, read


@pytest.mark.parametrize(
    ("docker", "privileged", "runtime", "named"),
    [
        ({"privileged": True}, True, "", False),
        ({}, True, "", True),
        ({"services_privileged": True}, True, "", False),
        ({"privileged": True, "services_privileged": False}, True, "", True),
        ({"runtime": "sysbox-runc"}, False, "sysbox-runc", False),
        ({"runtime": "kata", "privileged": True}, True, "kata", False),
        ({"runtime": "nvidia", "gpus": "all", "privileged": False}, True, "", True),
        ({"runtime": "nvidia", "privileged": True, "services_privileged": False}, True, "", True),
        ({"runtime": "sysbox-runc", "services_privileged": True}, False, "sysbox-runc", False),
    ],
)
def test_the_sidecars_privileges(
    docker: dict[str, object],
    privileged: bool,  # noqa: FBT001
    runtime: str,
    named: bool,  # noqa: FBT001
) -> None:
    """The sidecar has those of dind; where dind could not run, the note says that now it can."""
    migration = migrated(docker)

    settings = read(migration)
    assert (settings.dind.privileged, settings.dind.runtime) == (privileged, runtime)
    assert settings.docker.containers.privileged is False
    assert any("jobs had no Docker-in-Docker" in each for each in migration.notes) is named


def test_a_runtime_that_the_sidecar_does_not_get() -> None:
    """Services without privileges could run in it, and dind cannot."""
    migration = migrated({"runtime": "nvidia", "gpus": "all"})

    assert read(migration).docker.containers.runtime == "nvidia"
    (said,) = [each for each in migration.notes if "[runners.docker] runtime:" in each]
    assert "not for the sidecar: Docker-in-Docker needs privileges in nvidia" in said


@pytest.mark.parametrize("wrong", ["yes", [], {"a": 1}, 1])
@pytest.mark.parametrize("key", ["privileged", "services_privileged"])
def test_privileges_that_cannot_be_read(key: str, wrong: object) -> None:
    """Nothing is said of what they were."""
    migration = migrated({key: wrong})

    assert migration.refused is True
    assert [each for each in migration.notes if "it was off" in each] == []


@pytest.mark.parametrize(
    ("docker", "runner", "named"),
    [
        ({"volumes": ["/run/docker.sock:/run/docker.sock"]}, {}, True),
        ({"network_mode": "ci"}, {"environment": ["DOCKER_HOST=tcp://dind:2375"]}, True),
        ({"privileged": True}, {"environment": ["DOCKER_HOST=tcp://docker:2375"]}, False),
        ({}, {}, False),
    ],
)
def test_a_limit_that_bounded_no_build_is_named(
    docker: dict[str, object],
    runner: dict[str, object],
    named: bool,  # noqa: FBT001
) -> None:
    """A dind service was bounded before as the sidecar is now; another daemon was not."""
    migration = migrated({**docker, "service_memory": "1g", "memory": "2g"}, **runner)

    said = [each for each in migration.notes if "it also limits the sidecar" in each]
    assert len(said) == int(named)
    assert all("set `[dind] memory`" in each for each in said)
