"""What makes dind of a runner of the Docker executor, and what becomes of it."""

import tomllib

import pytest

from tests.commands.migrate.samples import migrated, read

# --- Docker-in-Docker ---------------------------------------------------------------------------


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


def test_variables_for_dind_may_go() -> None:
    """They stay harmless, but for one that asks for no TLS."""
    environment = ["DOCKER_TLS_CERTDIR=", "DOCKER_HOST=tcp://docker:2375", "A=a-secret"]

    said = "\n".join(migrated({}, environment=environment).notes)

    assert "asks for Docker without TLS" in said
    assert "environment DOCKER_HOST: you can remove it" in said
    assert "a-secret" not in said


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
