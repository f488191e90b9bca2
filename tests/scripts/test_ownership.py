"""Whose a project's files are; `tests/stages` has real users."""

from collections.abc import Callable
from pathlib import Path

import pytest
from pytest_mock import MockerFixture

from executor.engine.api import Api
from executor.engine.docker import Engine
from executor.errors import ContainerLost
from executor.runner import notes
from executor.scripts import ownership
from executor.scripts.ownership import give_sources

BUILD, HELPER = "dind-executor-1-ab-build", "dind-executor-1-ab-helper"
PROJECT = "/builds/group/project"

Give = Callable[..., list[tuple[str, str]]]
"""Gives the sources where `id` prints this; returns containers and scripts that ran."""


@pytest.fixture
def give(tmp_path: Path, mocker: MockerFixture) -> Give:
    """Return what gives the sources, with containers that answer as a test wants."""

    def call(printed: str, answer: int | Exception = 0) -> list[tuple[str, str]]:
        ran: list[tuple[str, str]] = []

        def run_script(
            _api: Api, container: str, script: bytes, *, sink: Callable[[int, bytes], None]
        ) -> int:
            ran.append((container, script.decode()))
            if container == BUILD:
                sink(1, printed.encode())
                return 0
            if isinstance(answer, Exception):
                raise answer
            sink(2, b"chown: no\n" if answer else b"")
            return answer

        mocker.patch.object(ownership, "run_script", side_effect=run_script)
        give_sources(Engine(Api("unix:///none")), BUILD, str(tmp_path), f"{PROJECT}.tmp")
        return ran

    return call


def test_the_user_of_the_scripts_gets_them(give: Give, capfd: pytest.CaptureFixture[str]) -> None:
    """The build container says who that is, the helper changes the owner of both directories."""
    asked, sources, temporary = give("whatever an entrypoint prints\n1000 1001\n")

    assert asked[0] == BUILD
    assert [sources[0], temporary[0]] == [HELPER, HELPER]
    for ran, directory in ((sources, PROJECT), (temporary, f"{PROJECT}.tmp")):
        assert "1000:1001" in ran[1]
        assert directory in ran[1]
    assert capfd.readouterr().out == (
        f'Changing ownership of files at "{PROJECT}" to 1000:1001\n'
        f'Changing ownership of files at "{PROJECT}.tmp" to 1000:1001\n'
    )


def test_it_is_done_once_in_a_job(give: Give, tmp_path: Path) -> None:
    """Later scripts find the note, and ask nobody."""
    assert len(give("1000 1000")) == 3
    assert notes.is_left(str(tmp_path), notes.OWNED)
    assert give("1000 1000") == []


def test_of_roots_there_is_nothing_to_change(give: Give) -> None:
    """The helper has made them as root."""
    assert [container for container, _ in give("0 0")] == [BUILD]


@pytest.mark.parametrize("printed", ["", "root root", "1000", "-1 0", "0; rm -rf / 0"])
def test_a_user_that_is_none(give: Give, capfd: pytest.CaptureFixture[str], printed: str) -> None:
    """Nothing that an image prints reaches a command but two numbers; the job goes on."""
    assert [container for container, _ in give(printed)] == [BUILD]
    assert capfd.readouterr().err.startswith("WARNING: ")


@pytest.mark.parametrize("answer", [1, ContainerLost("the helper is gone", begun=True)])
def test_a_change_that_fails(
    give: Give, capfd: pytest.CaptureFixture[str], answer: int | Exception
) -> None:
    """The job goes on with a warning that has the reason."""
    give("1000 1000", answer)

    reason = "chown: no" if answer == 1 else "the helper is gone"
    assert (
        capfd.readouterr().err.splitlines()
        == [
            (
                f"WARNING: The owner of the files could not be changed: {reason}. If the job's"
                " scripts cannot change them, unset FF_DISABLE_UMASK_FOR_DOCKER_EXECUTOR in"
                " the job."
            )
        ]
        * 2
    )


def test_without_a_project_directory_nothing_happens(tmp_path: Path) -> None:
    """A gitlab-runner that does not name it has no files to give away."""
    give_sources(Engine(Api("unix:///none")), BUILD, str(tmp_path), "")

    assert list(tmp_path.iterdir()) == []
