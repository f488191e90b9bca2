"""Whether GitLab has what a job fetches; tests/gitlab and tests/load ask a real git."""

import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from pytest_mock import MockerFixture

from executor.engine.api import Api
from executor.engine.docker import Engine
from executor.errors import Cancelled, ContainerLost
from executor.runner.environ import RunnerEnv
from executor.scripts import gitlab_answers as module
from executor.scripts.attempts import Place
from executor.scripts.gitlab_answers import gitlab_answers, remote_of, wanted_refs
from executor.shell import given
from executor.shell import program as text_of
from tests.builders import TOKEN, a_job

URL = f"https://gitlab-ci-token:{TOKEN}@gitlab.example.com/g/p.git"
JOB = a_job(git_info={"repo_url": URL, "refspecs": ["+refs/heads/main:refs/remotes/origin/main"]})

Ask = Callable[..., tuple[bool, str]]
"""Asks where the script ends so; returns the answer, and the script."""


@pytest.fixture
def ask(mocker: MockerFixture) -> Ask:
    """Return what asks in a container that answers as a test wants."""

    def call(answer: int | Exception = 0, **values: str) -> tuple[bool, str]:
        ran: list[str] = []

        def run_script(_: Engine, container: str, script: bytes, *, sink: object) -> int:
            assert container == "job-helper"
            assert sink is not None
            ran.append(script.decode())
            if isinstance(answer, Exception):
                raise answer
            return answer

        mocker.patch.object(module, "run_script", side_effect=run_script)
        env = RunnerEnv({f"CUSTOM_ENV_{key}": value for key, value in values.items()})
        place = Place(Engine(Api("unix:///none")), env, "job-helper", helps=True)
        found = gitlab_answers(place, JOB, b"git fetch")
        return found, ran[0]

    return call


@pytest.mark.parametrize(
    ("answer", "found"), [(0, True), (1, False), (ContainerLost("gone", begun=True), False)]
)
def test_what_the_container_says(ask: Ask, answer: int | Exception, *, found: bool) -> None:
    """Without an answer, GitLab counts as away."""
    assert ask(answer)[0] is found


def test_a_job_that_is_ended_meanwhile(ask: Ask) -> None:
    """The end of the stage goes on to whom it concerns."""
    with pytest.raises(Cancelled):
        ask(Cancelled("gitlab-runner ended the stage"))


def test_git_gets_what_the_jobs_own_git_gets(ask: Ask) -> None:
    """The way to GitLab and its authority are the job's; other variables do not matter."""
    _, script = ask(HTTPS_PROXY="http://proxy:3128", CI_SERVER_TLS_CA_FILE="PEM", OTHER="x1y2z3")

    assert "HTTPS_PROXY=http://proxy:3128" in script
    assert "_ca='PEM'" in script
    assert "x1y2z3" not in script
    assert "refs/heads/main" in script


def test_the_address_without_credentials() -> None:
    """The token is the password."""
    assert remote_of(JOB, b"") == (
        "https://gitlab.example.com/g/p.git",
        "gitlab-ci-token",
        TOKEN,
    )


def test_a_clone_url_of_the_runner_counts() -> None:
    """Only gitlab-runner's script says where its job fetches from."""
    script = f"git remote add origin http://gitlab-ci-token:{TOKEN}@gitlab:8080/g/p.git".encode()

    assert remote_of(JOB, script)[0] == "http://gitlab:8080/g/p.git"


def test_the_refs_by_their_full_names() -> None:
    """What has a star, or is a commit, is not asked for."""
    refspecs = (
        "+refs/pipelines/7:refs/pipelines/7",
        "refs/heads/main:refs/remotes/origin/main",
        "+refs/heads/*:refs/remotes/origin/*",
        "0123456789abcdef:refs/heads/x",
    )
    assert wanted_refs(refspecs) == ["refs/pipelines/7", "refs/heads/main"]


@pytest.fixture
def program(tmp_path: Path) -> Callable[..., int]:
    """Return what runs the program itself with a `git` of the test's, and tells its status."""

    def call(git: str, refs: str = "", seconds: str = "30") -> int:
        (tmp_path / "git").write_text(f"#!/bin/sh\n{git}\n")
        (tmp_path / "git").chmod(0o755)
        variables = given(
            _d=str(tmp_path),
            _elsewhere="/none",
            _url="https://gitlab.example.com/g/p.git",
            _user="gitlab-ci-token",
            _password="s3cret-token",
            _refs=refs,
            _environment="https_proxy=http://proxy",
            _ca="PEM",
            _cert="",
            _key="",
            _seconds=seconds,
        )
        script = (variables + text_of("ask_gitlab")).encode()
        path = f"{tmp_path}:/usr/bin:/bin"
        done = subprocess.run(
            ["sh"], input=script, env={"PATH": path}, capture_output=True, check=False, timeout=60
        )
        assert done.stdout == b""
        return done.returncode

    return call


LISTS = "printf '0123\\trefs/heads/main\\n4567\\trefs/heads/main2\\n'"


def test_each_ref_must_be_there(program: Callable[..., int]) -> None:
    """A ref that was removed meanwhile fails each fetch, and no sources are at fault."""
    assert program(LISTS) == 0
    assert program(LISTS, "refs/heads/main\nrefs/heads/main2") == 0
    assert program(LISTS, "refs/heads/main\nrefs/heads/mai") == 1
    assert program(f"{LISTS}; exit 128", "refs/heads/main") == 1


def test_silence_is_no_answer(program: Callable[..., int]) -> None:
    """A git that says nothing is ended."""
    assert program("exec sleep 50", seconds="0.1") == 1


def test_nobody_is_ended_after_an_answer(program: Callable[..., int], tmp_path: Path) -> None:
    """What waits to end git goes with it: the container's next script may have its number."""
    clock = tmp_path / "sleep"
    clock.write_text(f'#!/bin/sh\necho "$PPID" >{tmp_path}/clock\nexec /bin/sleep 50\n')
    clock.chmod(0o755)

    begun = f"until [ -s {tmp_path}/clock ]; do /bin/sleep 0.1; done"
    assert program(f"{begun}; {LISTS}") == 0

    assert not is_alive(int((tmp_path / "clock").read_text()))


def is_alive(pid: int) -> bool:
    """Wait for a moment for a process to end; tell whether it goes on."""
    for _ in range(100):
        stat = Path(f"/proc/{pid}/stat")
        if not stat.exists() or stat.read_text().rpartition(") ")[2][0] == "Z":
            return False
        time.sleep(0.1)
    return True


def test_no_argument_holds_the_token(program: Callable[..., int], tmp_path: Path) -> None:
    """git is given the proxy, the authority and the token by its environment."""
    told = tmp_path / "told"
    assert program(f'echo "$*" >{told}; env >>{told}') == 0

    arguments, _, environment = told.read_text().partition("\n")
    assert "s3cret-token" not in arguments
    for each in ("https_proxy=http://proxy", "GIT_TERMINAL_PROMPT=0", "GIT_SSL_CAINFO="):
        assert each in environment
