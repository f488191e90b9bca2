"""What a stage starts from: where the engine is."""

import json
import time
from pathlib import Path

import pytest

from executor.notation.owner import Owner
from executor.reading import Basics, known_secrets, read_basics
from executor.runner import notes
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


OWNER = Owner("m", "b", "1", 2, 3, local=True)
OTHER = OWNER._replace(pid=4)


def basics(directory: Path, **payload: object) -> Basics:
    """Return what a stage reads of a job whose temporary directory this is."""
    (directory / "settings.toml").write_text("")
    (directory / "response.json").write_text(json.dumps(a_payload(**payload)))
    environ = {"JOB_RESPONSE_FILE": str(directory / "response.json"), "TMPDIR": str(directory)}
    return read_basics(RunnerEnv(environ), ["--settings", str(directory / "settings.toml")])


@pytest.fixture
def owners(monkeypatch: pytest.MonkeyPatch) -> list[Owner | None]:
    """Return the owners that are found one after the other: no test is run by a gitlab-runner."""
    given: list[Owner | None] = []
    monkeypatch.setattr("executor.reading.find_owner", lambda *, local: (given.pop(0), local)[0])
    return given


def test_who_a_job_belongs_to(tmp_path: Path, owners: list[Owner | None]) -> None:
    """Its deadline is hours after its timeout, and every stage reads the same key."""
    owners.append(OWNER)
    before = time.time()

    found = basics(tmp_path, runner_info={"timeout": 600})

    belonging = found.belonging
    assert belonging.deadline
    assert before + 600 + 3600 < belonging.deadline < time.time() + 600 + 24 * 3600
    assert belonging._replace(deadline=None) == (
        found.names.key,
        "4711",
        "42",
        OWNER,
        "",
        str(tmp_path),
        None,
        "https://gitlab.example.com",
    )


def test_what_config_noted_counts(tmp_path: Path, owners: list[Owner | None]) -> None:
    """gitlab-runner may be gone when prepare begins: its number is nobody's then, or another's."""
    owners += [OWNER]
    noted = basics(tmp_path).belonging
    notes.leave(str(tmp_path), notes.OWNER, noted.note())

    assert basics(tmp_path).belonging.owner == OWNER


def test_a_note_of_another_job_does_not_count(tmp_path: Path, owners: list[Owner | None]) -> None:
    """A person who tries a hook may have left it in a directory that many use."""
    owners += [OWNER, OTHER]
    noted = basics(tmp_path, id=1).belonging
    notes.leave(str(tmp_path), notes.OWNER, noted.note())

    assert basics(tmp_path).belonging.owner == OTHER


def test_a_job_without_a_repository_is_told_apart_by_its_runner(
    tmp_path: Path, owners: list[Owner | None]
) -> None:
    """gitlab-runner's own job has one id and one token on every host."""
    owners += [OWNER, OWNER, OTHER, None, OWNER, OTHER]
    without = {"token": "boot-verify", "git_info": {}}
    first, again, other, unknown = (basics(tmp_path, **without).names.key for _ in range(4))
    usual = {basics(tmp_path).names.key for _ in range(2)}

    assert first == again
    assert len({first, other, unknown}) == 3
    assert len(usual) == 1
    assert all(key.startswith("4711-") for key in (first, other, unknown))


def test_a_job_without_a_repository_keeps_its_key(
    tmp_path: Path, owners: list[Owner | None]
) -> None:
    """cleanup finds what prepare made, also where gitlab-runner is gone by then."""
    owners += [OWNER]
    first = basics(tmp_path, git_info={}).belonging
    notes.leave(str(tmp_path), notes.OWNER, first.note())

    assert basics(tmp_path, git_info={}).names.key == first.key


@pytest.mark.parametrize(
    ("host", "local"), [("unix:///run/docker.sock", True), ("tcp://127.0.0.1:2375", False)]
)
def test_an_engine_is_local_where_it_has_a_socket_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: str, *, local: bool
) -> None:
    """Whoever reaches it by TCP may be on another machine, whatever the address says."""
    monkeypatch.setattr("executor.reading.find_owner", lambda *, local: OWNER._replace(local=local))
    (tmp_path / "settings.toml").write_text(f'docker.host = "{host}"')
    (tmp_path / "response.json").write_text(json.dumps(a_payload()))
    env = RunnerEnv({"JOB_RESPONSE_FILE": str(tmp_path / "response.json")})

    owner = read_basics(env, ["--settings", str(tmp_path / "settings.toml")]).belonging.owner

    assert owner
    assert owner.local is local
