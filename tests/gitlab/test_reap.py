"""`dind-executor reap` on a real engine, after a real gitlab-runner has died."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import docker

from executor.local.pipeline.file import parse_pipeline
from executor.local.project.checkout import Checkout
from tests.gitlab import deaths, leftovers, runner, second_host, trace
from tests.gitlab.jobs import Job
from tests.gitlab.pipelines import Pushed
from tests.gitlab.server import GitLab
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
_FOR_EVER = "sleep 1000"


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


def test_one_call_removes_what_a_killed_runner_left(
    rig: Rig, pushed: Pushed, another_gitlab: GitLab, checkout: Checkout, tmp_path: Path
) -> None:
    """Nothing of the dead one's job stays, GitLab hears of its end, and a living job goes on."""
    path = settings(rig, tmp_path)
    living = started(pushed, "until test -e /tmp/go; do sleep 0.2; done; docker ps -q | grep -q .")
    with runner.working(another_gitlab, runner.custom(path), tmp_path / "runner") as its_runner:
        dead = started(Pushed(another_gitlab, checkout), _FOR_EVER)
        dead.wait_for("\nit goes on")
        living.wait_for("\nit goes on")
        deaths.kill(its_runner)
    before = sorted(leftovers.of_jobs(rig.engine_host, [living]))

    code, _, _ = reap(path, "--yes", "--job", leftovers.key_of(dead))

    assert code == 0
    assert leftovers.of_jobs(rig.engine_host, [dead]) == []
    assert sorted(leftovers.of_jobs(rig.engine_host, [living])) == before
    assert (dead.wait(10).state, dead.failure_reason) == ("failed", "runner_system_failure")
    assert "ended before the job did" in trace.lines(dead.trace)[-1]
    let_go(rig, living)
    assert living.wait().state == "success"


def test_what_does_not_fit_into_the_shutdown_timeout(
    rig: Rig, another_gitlab: GitLab, checkout: Checkout, tmp_path: Path
) -> None:
    """A gitlab-runner that gives up its cleanups leaves them to the sweep."""
    path = settings(rig, tmp_path)
    table = runner.custom(path)
    deaf = "trap '' TERM; for i in $(seq 600); do sleep 1; done"
    with runner.working(
        another_gitlab, table, tmp_path / "runner", shutdown_timeout=1
    ) as its_runner:
        job = started(Pushed(another_gitlab, checkout), deaf)
        job.wait_for("\nit goes on")
        its_runner.process.send_signal(signal.SIGTERM)
        its_runner.process.wait(60)
        # As systemd does with what is left in the unit.
        deaths.kill(its_runner)

    code, _, _ = reap(path, "--yes", "--job", leftovers.key_of(job))

    assert code == 0
    assert leftovers.of_jobs(rig.engine_host, [job]) == []


def test_a_host_by_tcp_is_judged_by_gitlabs_word(
    rig: Rig, pushed: Pushed, another_gitlab: GitLab, checkout: Checkout, tmp_path: Path
) -> None:
    """Nothing proves here that it is dead: what it left stays until GitLab says twice that it is over."""
    path = settings(rig, tmp_path)
    token = tmp_path / "token"
    token.write_text(another_gitlab.administrators_token)
    token.chmod(0o600)
    asking = (f"--gitlab-url={another_gitlab.url}", f"--gitlab-token-file={token}")
    with (
        second_host.running(rig, tmp_path / "host") as host,
        runner.working(
            another_gitlab,
            runner.custom(there(rig, host, tmp_path)),
            tmp_path / "runner",
            environment={"TMPDIR": str(host.temporary)},
            within=host.within,
        ) as its_runner,
    ):
        job = started(Pushed(another_gitlab, checkout), _FOR_EVER)
        job.wait_for("\nit goes on")
        key = ("--job", leftovers.key_of(job))
        left = sorted(leftovers.of_jobs(rig.engine_host, [job]))
        # While it lives, GitLab says so.
        assert reap(path, "--yes", *key, *asking)[1][0]["reason"] == "gitlab-running"
        deaths.kill(its_runner)

    # A job on this host: its prepare sweeps.
    other = pushed.start_only(parse_pipeline("job: {image: alpine, script: [':']}", "test"))
    assert other.wait().state == "success"
    assert sorted(leftovers.of_jobs(rig.engine_host, [job])) == left
    _, (row,), _ = reap(path, "--yes", *key)
    assert (row["verdict"], row["reason"]) == ("undecided", "owner-unknown")
    # GitLab has given the job up, as it does after an hour.
    job.update(state="failed", failure_reason="stuck_or_timeout_failure", exit_code=0, checksum="")
    code, (row,), _ = reap(path, *key, *asking)
    assert (code, row["verdict"]) == (1, "undecided")
    a_minute_later(tmp_path / "state")
    assert sorted(leftovers.of_jobs(rig.engine_host, [job])) == left

    code, (row,), _ = reap(path, "--yes", *key, *asking)

    assert (code, row["reason"], row["removed"]) == (0, "gitlab-over", True)
    assert leftovers.of_jobs(rig.engine_host, [job]) == []


def there(rig: Rig, host: second_host.SecondHost, directory: Path) -> Path:
    """Return settings for dind-executor on another host."""
    path = directory / "there.toml"
    path.write_text(rig.settings.read_text().replace(rig.engine_host, host.engine_host))
    return path


def a_minute_later(state: Path) -> None:
    """Have what a sweep remembers be a minute older."""
    (path,) = state.glob("sweep-*.json")
    left = json.loads(path.read_text())
    memory = left["memory"]
    memory["over"] = {key: at - 60 for key, at in memory["over"].items()}
    path.write_text(json.dumps(left))
