"""Jobs that go on, and what `dind-executor reap` does about them."""

import json
import subprocess
import sys
from pathlib import Path

import docker

from executor.local.pipeline.file import parse_pipeline
from tests.gitlab import leftovers
from tests.gitlab.jobs import Job
from tests.gitlab.pipelines import Pushed
from tests.rig.state import Rig

# A job in dind that goes on until it is let go.
GOES_ON = """
job:
  image: docker:20.10.16
  script:
    - docker run -d alpine sleep 1000
    - echo it goes on
    - {script}
"""
FOR_EVER = "sleep 1000"
UNTIL_LET_GO = "until test -e /tmp/go; do sleep 0.2; done; docker ps -q | grep -q ."


def settings(rig: Rig, directory: Path, **changes: str) -> Path:
    """Return the rig's settings with another memory of sweeps, and other values."""
    text = rig.settings.read_text()
    for old, new in changes.items():
        text = text.replace(old, new)
    state = directory / "state"
    state.mkdir(exist_ok=True)
    path = directory / "settings.toml"
    path.write_text(f'{text}\n[sweep]\nstate_dir = "{state}"\n')
    return path


def reap(path: Path, *args: str) -> tuple[int, list[dict[str, object]], dict[str, object]]:
    """Call the command; return its exit code, the line of each job, and the summary."""
    done = subprocess.run(
        [sys.executable, "-I", "-m", "executor", "reap", "--json", f"--settings={path}", *args],
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert lines, done.stderr
    return done.returncode, lines[:-1], lines[-1]


def started(pushed: Pushed, script: str) -> Job:
    """Start a job in dind that goes on as a script says, and return when it does."""
    text = GOES_ON.replace("{script}", script)
    return pushed.start_only(parse_pipeline(text, "test"))


def let_go(rig: Rig, job: Job) -> None:
    """Have a job that waits for a file go on to its end."""
    client = docker.APIClient(base_url=rig.engine_host, version="auto")
    try:
        name = f"dind-executor-{leftovers.key_of(job)}-build"
        made = client.exec_create(name, ["touch", "/tmp/go"])
        client.exec_start(made["Id"])
    finally:
        client.close()
