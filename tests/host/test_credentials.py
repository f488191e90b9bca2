"""The runner user's docker configuration and helpers, with real files and real programs."""

import os
from pathlib import Path

import pytest

from executor.host import credentials as host_credentials
from executor.host.credentials import read_host_config, run_credential_helper
from executor.notation.docker_config import ConfigFile, HelperFailed


def a_helper(directory: Path, name: str, script: str) -> None:
    program = directory / f"docker-credential-{name}"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


@pytest.fixture
def helpers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a directory at the head of PATH."""
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    return tmp_path


def test_the_file_in_the_home_directory_is_read(tmp_path: Path) -> None:
    """~/.docker/config.json comes before ~/.dockercfg."""
    (tmp_path / ".docker").mkdir()
    (tmp_path / ".docker/config.json").write_text("new")
    (tmp_path / ".dockercfg").write_text("old")

    assert read_host_config({"HOME": str(tmp_path)}) == ConfigFile(
        f"{tmp_path}/.docker/config.json", "new"
    )


def test_the_oldest_file_is_read_where_there_is_no_other(tmp_path: Path) -> None:
    """A client before 1.7 wrote ~/.dockercfg."""
    (tmp_path / ".dockercfg").write_text("old")

    assert read_host_config({"HOME": str(tmp_path)}) == ConfigFile(f"{tmp_path}/.dockercfg", "old")


def test_docker_config_names_another_directory(tmp_path: Path) -> None:
    """$DOCKER_CONFIG stands in for ~/.docker, as for the docker client."""
    for directory in ("home/.docker", "other"):
        (tmp_path / directory).mkdir(parents=True)
        (tmp_path / directory / "config.json").write_text(directory)

    environ = {"HOME": f"{tmp_path}/home", "DOCKER_CONFIG": f"{tmp_path}/other"}

    assert read_host_config(environ) == ConfigFile(f"{tmp_path}/other/config.json", "other")


@pytest.mark.parametrize(
    "environ", [{}, {"HOME": ""}, {"HOME": "/nonexistent"}, {"HOME": "/dev/null"}]
)
def test_no_file_is_no_configuration(environ: dict[str, str]) -> None:
    """A runner without a docker configuration is an ordinary thing."""
    assert read_host_config(environ) is None


def test_a_file_that_cannot_be_read_is_a_problem(tmp_path: Path) -> None:
    """A file that is there and cannot be read is not passed over in silence."""
    (tmp_path / ".docker/config.json").mkdir(parents=True)

    assert read_host_config({"HOME": str(tmp_path)}) == ConfigFile(
        f"{tmp_path}/.docker/config.json", problem="it cannot be read: Is a directory"
    )


def test_a_file_that_is_not_text_is_a_problem(tmp_path: Path) -> None:
    """A binary file gets a sentence, not a traceback."""
    (tmp_path / ".dockercfg").write_bytes(b"\xff\xfe")

    assert read_host_config({"HOME": str(tmp_path)}) == ConfigFile(
        f"{tmp_path}/.dockercfg", problem="it is not UTF-8 text"
    )


def test_a_helper_gets_its_verb_and_its_input(helpers: Path) -> None:
    """The server is written to the helper's standard input, and its answer returned."""
    a_helper(helpers, "echo", 'echo "$1 $(cat)"')

    assert run_credential_helper("docker-credential-echo", "get", "a.local") == "get a.local\n"


def test_a_helper_does_not_see_the_jobs_variables(
    helpers: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A helper belongs to the administrator and works with the runner's environment alone."""
    monkeypatch.setenv("CUSTOM_ENV_AWS_PROFILE", "job")
    monkeypatch.setenv("AWS_PROFILE", "operator")
    a_helper(helpers, "env", 'echo "$AWS_PROFILE$CUSTOM_ENV_AWS_PROFILE"')

    assert run_credential_helper("docker-credential-env", "get", "") == "operator\n"


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        ("echo hunter2; echo hunter2 >&2; exit 3", "get ended with exit status 3"),
        ("kill -9 $$", "get ended with exit status -9"),
        ("printf '\\377\\376'", "get printed something other than UTF-8 text"),
    ],
)
def test_a_helper_that_fails_says_how_and_not_what(
    helpers: Path, script: str, sentence: str
) -> None:
    """What a failing helper prints is not repeated: it may be the secret."""
    a_helper(helpers, "bad", script)

    with pytest.raises(HelperFailed) as caught:
        run_credential_helper("docker-credential-bad", "get", "")

    assert str(caught.value) == f"docker-credential-bad {sentence}"


def test_a_helper_that_hangs_is_given_up(helpers: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A helper that waits for somebody to type a passphrase does not hold up the job."""
    monkeypatch.setattr(host_credentials, "TIMEOUT_SECONDS", 0.2)
    a_helper(helpers, "slow", "exec sleep 600")

    with pytest.raises(
        HelperFailed, match=("docker-credential-slow get took longer than 0\\.2 seconds")
    ):
        run_credential_helper("docker-credential-slow", "get", "")


def test_a_helper_that_is_not_there_is_named() -> None:
    """The sentence says where the program was looked for."""
    with pytest.raises(
        HelperFailed, match="docker-credential-absent is not on the PATH of gitlab-runner"
    ):
        run_credential_helper("docker-credential-absent", "get", "")


def test_a_helper_that_may_not_be_run_is_named(helpers: Path) -> None:
    """A helper that is broken as a program gets the system's words."""
    (helpers / "docker-credential-flat").write_text("no program\n")
    (helpers / "docker-credential-flat").chmod(0o755)

    with pytest.raises(HelperFailed, match="docker-credential-flat cannot be started: Exec format"):
        run_credential_helper("docker-credential-flat", "get", "")


@pytest.mark.parametrize(
    "ends",
    ["echo 'SIGQUIT: quit' >&2; exit 2", "kill -QUIT $$; sleep 5"],
    ids=["as Go programs", "as others"],
)
def test_a_helper_that_a_graceful_stop_ends_is_run_once_more(helpers: Path, ends: str) -> None:
    """The second call answers; a third one is not made where that ends in the same way."""
    once = f"{helpers}/once"
    a_helper(helpers, "stopped", f"[ -e {once} ] || {{ : >{once}; {ends}; }}; echo answer")
    a_helper(helpers, "always", f"echo called >>{helpers}/calls; {ends}")

    assert run_credential_helper("docker-credential-stopped", "get", "") == "answer\n"
    with pytest.raises(HelperFailed):
        run_credential_helper("docker-credential-always", "get", "")
    assert (helpers / "calls").read_text() == "called\n" * 2
