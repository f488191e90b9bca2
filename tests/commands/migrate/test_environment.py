"""What becomes of the environment of a runner of the Docker executor, where Docker reads it."""

import pytest

from tests.commands.migrate.samples import migrated


def test_variables_for_dind_may_go() -> None:
    """The empty directory decides about TLS, and the host follows from it."""
    environment = ["DOCKER_TLS_CERTDIR=", "DOCKER_HOST=tcp://docker:2375", "A=a-secret"]

    said = "\n".join(migrated({}, environment=environment).notes)

    assert "environment DOCKER_TLS_CERTDIR: keep it if jobs rely on plain TCP" in said
    assert "environment DOCKER_HOST: you can remove it" in said
    assert "a-secret" not in said


SERVICE = {"name": "docker:28-dind", "alias": "engine"}
HOST = [
    (["DOCKER_HOST=tcp://docker:2376"], {}, "you can remove it"),
    (["DOCKER_HOST=tcp://docker:2375"], {}, "keep it if jobs rely on plain TCP"),
    (["DOCKER_HOST=tcp://docker:2375", "DOCKER_TLS_CERTDIR=/certs"], {}, "does not listen on this"),
    (["DOCKER_HOST=tcp://docker:2376", "DOCKER_TLS_CERTDIR="], {}, "does not listen on this port"),
    (["DOCKER_HOST=tcp://engine:2376"], {"services": [SERVICE]}, "you can remove it"),
    (["DOCKER_HOST=tcp://engine:2376"], {}, "decide: with it, docker commands of all jobs go"),
    (["DOCKER_HOST=tcp://[::1]:2375"], {}, "remove it, because docker commands find no daemon"),
    (["DOCKER_HOST=unix:///run/docker.sock"], {}, "find no daemon on this socket"),
    (["DOCKER_HOST="], {}, "find no daemon on this socket"),
    (["DOCKER_HOST=tcp://dind:2375"], {"network_mode": "ci"}, "jobs do not join the network 'ci'"),
    (["DOCKER_HOST=tcp://dind:2375"], {"network_mode": "host"}, "decide: "),
    (
        ["DOCKER_HOST=tcp://dind:2375"],
        {"network_mode": "ci", "extra_hosts": ["dind:10.0.0.1"]},
        "decide: ",
    ),
    (["DOCKER_HOST=ssh://ci:a-secret@build.example.com"], {}, "go to 'build.example.com'"),
    (["DOCKER_HOST=tcp://docker:port"], {}, "decide: "),
]


@pytest.mark.parametrize(("environment", "docker", "sentence"), HOST)
def test_a_host_is_judged_by_where_it_leads(
    environment: list[str], docker: dict[str, object], sentence: str
) -> None:
    """Only what leads to the sidecar can be removed without a thought; one sentence says it."""
    migration = migrated(docker, environment=environment)

    (said,) = [each for each in migration.notes if "environment DOCKER_HOST: " in each]
    assert sentence in said
    assert "a-secret" not in said


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        (["DOCKER_TLS_CERTDIR=certs"], "DOCKER_TLS_CERTDIR: remove it, because no certificates"),
        (["DOCKER_TLS_CERTDIR=/certs/"], "DOCKER_TLS_CERTDIR: you can remove it"),
        (["DOCKER_TLS_CERTDIR=/tls"], "DOCKER_TLS_CERTDIR: keep it if jobs name this directory"),
        (["DOCKER_TLS_VERIFY=1"], "DOCKER_TLS_VERIFY: you can remove it"),
        (["DOCKER_TLS_VERIFY="], "DOCKER_TLS_VERIFY: remove it, because an empty value"),
        (
            ["DOCKER_TLS_VERIFY=1", "DOCKER_TLS_CERTDIR="],
            "DOCKER_TLS_VERIFY: remove it, because it asks for TLS",
        ),
        (["DOCKER_CERT_PATH=/certs/client"], "DOCKER_CERT_PATH: you can remove it"),
        (["DOCKER_CERT_PATH=/elsewhere"], "DOCKER_CERT_PATH: remove it, because the certificates"),
        (
            ["DOCKER_CERT_PATH=/elsewhere", "DOCKER_HOST=tcp://far.example.com:2376"],
            "DOCKER_CERT_PATH: decide: keep or remove it together with DOCKER_HOST",
        ),
    ],
)
def test_tls_is_judged_with_the_other_variables(environment: list[str], sentence: str) -> None:
    """What one variable does depends on the transport that all of them ask for."""
    said = migrated({}, environment=environment).notes

    assert [each for each in said if sentence in each] != []


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ('{"credHelpers": "a-secret"}', "credHelpers of DOCKER_AUTH_CONFIG is ignored"),
        ('{"credsStore": ["a-secret"]}', "credsStore of DOCKER_AUTH_CONFIG is ignored"),
        ("'{}'", "the quotes around it are part of the value"),
        ("{a-secret", "it is not JSON"),
        ('{"auths": {"r.example.com": {"auth": "a-secret"}}}', 'its "auth" is not user:password'),
    ],
)
def test_logins_that_cannot_be_used_are_named(value: str, sentence: str) -> None:
    """They are as wrong under the Docker executor, and no value of them is printed."""
    notes = migrated({}, environment=[f"DOCKER_AUTH_CONFIG={value}"]).notes

    (said,) = [each for each in notes if "DOCKER_AUTH_CONFIG" in each]
    assert sentence in said
    assert "a-secret" not in said


@pytest.mark.parametrize("value", ["", '{"credHelpers": {"r.example.com": "ecr-login"}}'])
def test_logins_that_can_be_used_need_no_word(value: str) -> None:
    """No helper is run to find out."""
    notes = migrated({}, environment=[f"DOCKER_AUTH_CONFIG={value}"]).notes

    assert [each for each in notes if "DOCKER_AUTH_CONFIG" in each] == []
