"""What a stage starts from: where the engine is."""

import json
from pathlib import Path

import pytest

from executor.reading import known_secrets, read_basics
from executor.runner.environ import RunnerEnv
from tests.builders import TOKEN, a_payload

NOTHING: dict[str, str] = {}
RUNNERS = {
    "DOCKER_HOST": "tcp://runners:2376",
    "DOCKER_CERT_PATH": "/runners/certs",
    "DOCKER_TLS_VERIFY": "1",
}
OTHERS = {key: value for key, value in RUNNERS.items() if key != "DOCKER_HOST"}
KEYS = 'tls_cert_path = "/own/certs"\ntls_verify = true\n'


@pytest.mark.parametrize(
    ("keys", "environ", "expected"),
    [
        ("", NOTHING, ("unix:///var/run/docker.sock", "", False)),
        ("", RUNNERS, ("tcp://runners:2376", "/runners/certs", True)),
        ("", {"DOCKER_HOST": "tcp://runners:2375"}, ("tcp://runners:2375", "", False)),
        ("", OTHERS, ("unix:///var/run/docker.sock", "", False)),
        (KEYS, RUNNERS, ("tcp://runners:2376", "/runners/certs", True)),
        ('host = "tcp://own:2375"', RUNNERS, ("tcp://own:2375", "", False)),
        (f'host = "tcp://own:2376"\n{KEYS}', RUNNERS, ("tcp://own:2376", "/own/certs", True)),
    ],
)
def test_where_the_engine_is(
    tmp_path: Path, keys: str, environ: dict[str, str], expected: tuple[str, str, bool]
) -> None:
    """Address, certificates and verification are all the settings', or all the environment's."""
    settings, payload = tmp_path / "settings.toml", tmp_path / "response.json"
    settings.write_text(f"[docker]\n{keys}", encoding="utf-8")
    payload.write_text(json.dumps(a_payload()), encoding="utf-8")
    env = RunnerEnv({"JOB_RESPONSE_FILE": str(payload), **environ})

    context = read_basics(env, ["--settings", str(settings)]).context

    assert (context.host, context.tls_dir, context.tls_verify) == expected


def test_the_secrets_of_an_error_are_known_without_a_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stage that failed does not wait for a credential helper to say so."""
    asked = tmp_path / "asked"
    helper = tmp_path / "docker-credential-store"
    helper.write_text(f"#!/bin/sh\ntouch {asked}\necho '{{}}'\n")
    helper.chmod(0o755)
    (tmp_path / ".docker").mkdir()
    config = {"auths": {"r.local": {"auth": "dTpwYXNzd29yZDE="}}, "credsStore": "store"}
    (tmp_path / ".docker/config.json").write_text(json.dumps(config))
    response = tmp_path / "response.json"
    response.write_text(json.dumps(a_payload()))
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    environ = {"JOB_RESPONSE_FILE": str(response), "HOME": str(tmp_path)}

    assert {TOKEN, "password1"} <= set(known_secrets(RunnerEnv(environ)))
    assert not asked.exists()
