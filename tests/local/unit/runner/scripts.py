"""Scripts of the sub-stages, and shells that run them."""

import os
import subprocess
from pathlib import Path

from executor.local.project.assignment import Assignment
from executor.local.runner.directories import Directories, Slot
from executor.local.runner.job_variables import all_variables
from executor.local.runner.registration import Registration
from executor.local.runner.script import ScriptContext
from tests.local.samples import REGISTRATION, SLOT


def a_context(
    directory: Path,
    assignment: Assignment,
    registration: Registration = REGISTRATION,
    slot: Slot = SLOT,
) -> ScriptContext:
    project = directory / "builds" / "project"
    project.mkdir(parents=True, exist_ok=True)
    where = Directories(str(directory / "builds"), str(directory / "cache"), str(project))
    variables = all_variables(assignment, registration, slot, where=where)
    return ScriptContext(
        assignment=assignment,
        registration=registration,
        variables=variables,
        where=where,
        shell="bash",
    )


def run(text: str, shell: str = "bash", **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a script as the run hook does: from stdin."""
    return subprocess.run(
        shell.split(),
        input=text,
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), **environment},
    )
