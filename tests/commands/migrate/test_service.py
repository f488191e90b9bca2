"""What becomes of the dind service of a runner of the Docker executor."""

import tomllib

import pytest

from executor.commands.migrate.service import names_of_sidecar
from tests.commands.migrate.samples import migrated, read


def test_a_dind_service_becomes_the_sidecar() -> None:
    """Its arguments become keys where there are some."""
    command = [
        "dockerd",
        "--registry-mirror",
        "https://a",
        "--insecure-registry=b:5000",
        "--tls=false",
    ]
    command += ["--mtu=1400", "--host=tcp://0.0.0.0:2375", "--debug"]
    service = {"name": "docker:28-dind", "alias": "docker", "command": command}

    migration = migrated({"services": [service], "privileged": True})

    assert tomllib.loads(migration.settings) == {
        "docker": {"network_mtu": 1400},
        "dind": {
            "image": "docker:28-dind",
            "registry_mirrors": ["https://a"],
            "insecure_registries": ["b:5000"],
            "command": ["--debug"],
        },
    }
    said = "\n".join(migration.notes)
    for word in ("privileged", "it becomes `[dind] image`", "--tls", "--host", "--mtu"):
        assert word in said


@pytest.mark.parametrize(
    "more",
    [
        {"alias": "docker engine"},
        {"environment": ["HTTPS_PROXY=http://proxy"]},
        {"entrypoint": ["sh", "-c"]},
        {"command": ["sh", "-c", "dockerd"]},
    ],
)
def test_a_dind_service_with_more_stays_a_service(more: dict[str, object]) -> None:
    """What `[dind]` has no key for is kept; it is the sidecar all the same."""
    service = {"name": "docker:28-dind", **more}

    migration = migrated({"services": [service]})

    assert tomllib.loads(migration.settings)["docker"]["services"] == [service]
    assert any("It is the job's sidecar" in each for each in migration.notes)


def test_a_service_key_of_another_executor_is_named() -> None:
    """`suspend_data_path` is for Kubernetes."""
    migration = migrated({"services": [{"name": "redis:7", "suspend_data_path": "/x"}]})

    assert tomllib.loads(migration.settings)["docker"]["services"] == [{"name": "redis:7"}]
    assert any("suspend_data_path" in each for each in migration.notes)


def test_what_a_dind_service_loses_is_named() -> None:
    """The note says what the sidecar has no use for, and what of its certificates goes."""
    environment = ["DOCKER_TLS_CERTDIR=", "DOCKER_HOST=tcp://0.0.0.0:2375"]
    service = {"name": "docker:28-dind", "environment": environment, "pull_policy": "never"}

    migration = migrated({"services": [service], "privileged": True})

    assert tomllib.loads(migration.settings) == {"dind": {"image": "docker:28-dind"}}
    said = [each.partition("services]] ")[2] for each in migration.notes]
    assert any(
        each.startswith("environment DOCKER_TLS_CERTDIR: not carried over. Empty, it")
        for each in said
    )
    assert any(each.startswith("environment DOCKER_HOST: not carried over") for each in said)
    assert any(
        each.startswith("pull_policy: the Docker executor does not read it") for each in said
    )


def test_a_certificate_for_dind_goes_with_its_path() -> None:
    """The path alone would be an argument that dockerd does not know."""
    command = ["--debug", "--tlscacert", "/certs/ca.pem", "--tls", "--tlskey=/certs/key.pem"]
    service = {"name": "docker:28-dind", "command": command}

    migration = migrated({"services": [service], "privileged": True})

    assert read(migration).dind.command == ("--debug",)


def test_the_names_that_lead_to_the_sidecar() -> None:
    """`docker` always does, and so do the names of a dind service that stays one."""
    service = {"name": "registry.example.com/ci/docker:28-dind", "alias": "engine, d"}

    names = names_of_sidecar({"services": [service, {"name": "redis:7", "alias": "cache"}]})

    assert {"docker", "engine", "d", "registry.example.com-ci-docker"} <= names
    assert "cache" not in names
    assert names_of_sidecar({}) == {"docker"}
