"""The sample pipeline, run by `dind-executor local` with the rig's registry."""

import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

from tests.rig.git import PROJECT, create
from tests.rig.say import say
from tests.rig.state import Rig


def demo(rig: Rig, jobs: list[str]) -> int:
    """Run the pipeline, or some jobs of it, and return the command's exit code."""
    with tempfile.TemporaryDirectory(prefix="dind-executor-demo-") as directory:
        checkout = Path(directory) / "project"
        repository = Path(directory) / "project.git"
        create(repository, rig.project)
        subprocess.run(["git", "clone", "--quiet", str(repository), str(checkout)], check=True)
        command = [sys.executable, "-I", "-m", "executor", "local", *jobs, *_options(rig)]
        command += _variables(rig, Path(directory))
        say(f"Running the pipeline of {rig.project / '.gitlab-ci.yml'} ...")
        process = subprocess.Popen(command, cwd=checkout)
        while True:
            # The command gets the same Ctrl-C, and ends by itself when its jobs have.
            with suppress(KeyboardInterrupt):
                return process.wait()


def _options(rig: Rig) -> list[str]:
    return [
        *("--config", str(rig.registration)),
        *("--branch", "main"),
        *("--project-path", PROJECT),
        *("--listen", rig.address),
    ]


def _variables(rig: Rig, directory: Path) -> list[str]:
    """Return the variables as options; a password goes by a file, not by the process list."""
    options = []
    for key, value in rig.variables().items():
        if key.endswith("_PASSWORD"):
            secret = directory / key
            secret.touch(mode=0o600)
            secret.write_text(value, encoding="utf-8")
            options += ["--secret-variable", f"{key}=@{secret}"]
        else:
            options += ["--variable", f"{key}={value}"]
    return options
