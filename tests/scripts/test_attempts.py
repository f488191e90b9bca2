"""What one script leaves for the next, where its container ended by itself."""

from pathlib import Path

import pytest
from pytest_mock import MockerFixture

from executor.engine.api import Api
from executor.engine.docker import Engine
from executor.errors import ContainerLost
from executor.log import AdministratorLog
from executor.runner.environ import RunnerEnv
from executor.scripts import attempts
from executor.scripts.attempts import Place, attempt


@pytest.mark.parametrize(("helps", "notes"), [(False, ["dind-executor-restart"]), (True, [])])
def test_a_build_container_that_its_script_ended_starts_again(
    tmp_path: Path, mocker: MockerFixture, *, helps: bool, notes: list[str]
) -> None:
    """A helper is made anew when it is missed; the build container beside it stays as it is."""
    ended = ContainerLost("ended by its script", begun=True, exit_code=9)
    mocker.patch.object(attempts, "run_script", side_effect=ended)
    env = RunnerEnv({"TMPDIR": str(tmp_path)})
    place = Place(Engine(Api("unix:///none")), env, "job-build", helps=helps)

    code = attempt(place, "build_script", b"", AdministratorLog("run"), lambda: None)

    assert code == 9
    assert sorted(each.name for each in tmp_path.iterdir()) == notes
