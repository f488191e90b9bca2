"""The scripts that move artifacts, run by a real shell."""

import shutil
from pathlib import Path

import pytest

from executor.local.pipeline.model import Artifacts
from executor.local.project.assignment import Dependency
from executor.local.runner import artifact_script
from tests.local.samples import an_assignment
from tests.local.unit.runner.scripts import a_context, run


@pytest.mark.parametrize(
    ("write", "action"),
    [
        (artifact_script.upload_artifacts_on_success, "Uploading artifacts"),
        (artifact_script.download_artifacts, "Artifacts downloading"),
    ],
)
def test_without_a_gitlab_runner_artifacts_are_said_to_be_lost(
    tmp_path: Path, write: object, action: str
) -> None:
    """The sub-stage passes, as gitlab-runner's own scripts do."""
    assignment = an_assignment(
        artifacts=Artifacts(paths=("out",)),
        dependencies=(Dependency(1, "early", "artifacts.zip", 1),),
    )
    assert callable(write)
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("bash", "mkdir", "touch"):
        (tools / name).symlink_to(str(shutil.which(name)))
    done = run(write(a_context(tmp_path, assignment)), PATH=str(tools))
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"Missing gitlab-runner. {action} is disabled.\n"
