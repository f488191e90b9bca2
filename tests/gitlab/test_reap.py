"""`dind-executor reap` on a real engine, after a real gitlab-runner has died."""

import json
import signal
from pathlib import Path

import pytest

from executor.local.pipeline.file import parse_pipeline
from executor.local.project.checkout import Checkout
from tests.gitlab import deaths, leftovers, runner, second_host, trace
from tests.gitlab.pipelines import Pushed
from tests.gitlab.reaping import FOR_EVER, UNTIL_LET_GO, let_go, reap, settings, started
from tests.gitlab.server import GitLab
from tests.patience import LONGEST_SECONDS
from tests.rig.state import Rig


@pytest.mark.parametrize("stages", [True, False], ids=["with its stages", "alone"])
def test_one_call_removes_what_a_killed_runner_left(
    rig: Rig,
    pushed: Pushed,
    another_gitlab: GitLab,
    checkout: Checkout,
    tmp_path: Path,
    *,
    stages: bool,
) -> None:
    """Nothing of the dead one's job stays, GitLab hears of its end, and a living job goes on.

    A stage that outlived its gitlab-runner ends first.
    """
    path = settings(rig, tmp_path)
    living = started(pushed, UNTIL_LET_GO)
    with runner.working(another_gitlab, runner.custom(path), tmp_path / "runner") as its_runner:
        dead = started(Pushed(another_gitlab, checkout), FOR_EVER)
        dead.wait_for("\nit goes on")
        living.wait_for("\nit goes on")
        deaths.kill(its_runner, stages=stages)
    before = sorted(leftovers.of_jobs(rig.engine_host, [living]))

    code, rows, _ = reap(path, "--yes", "--job", leftovers.key_of(dead))

    assert code == 0, rows
    assert leftovers.of_jobs(rig.engine_host, [dead]) == []
    assert deaths.of_session(its_runner.process.pid) == []
    assert sorted(leftovers.of_jobs(rig.engine_host, [living])) == before
    assert (dead.wait().state, dead.failure_reason) == ("failed", "runner_system_failure")
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
        its_runner.process.wait(LONGEST_SECONDS)
        # As systemd does with what is left in the unit.
        deaths.kill(its_runner)

    code, rows, _ = reap(path, "--yes", "--job", leftovers.key_of(job))

    assert code == 0, rows
    assert leftovers.of_jobs(rig.engine_host, [job]) == []


def test_a_runner_with_a_tmp_of_its_own(
    rig: Rig, another_gitlab: GitLab, checkout: Checkout, tmp_path: Path
) -> None:
    """Its directories are seen as it sees them: it is left alone while it lives, and not afterwards."""
    path, private = settings(rig, tmp_path), tmp_path / "private"
    private.mkdir()
    mounts = 'mount -t tmpfs tmpfs "$1" && shift && exec "$@"'
    with runner.working(
        another_gitlab,
        runner.custom(path),
        tmp_path / "runner",
        environment={"TMPDIR": str(private)},
        within=("unshare", "--mount", "sh", "-c", mounts, "sh", str(private)),
    ) as its_runner:
        job = started(Pushed(another_gitlab, checkout), FOR_EVER)
        job.wait_for("\nit goes on")
        key = ("--yes", "--job", leftovers.key_of(job))
        _, (lives,), _ = reap(path, *key)
        deaths.kill(its_runner)

    code, _, _ = reap(path, *key)

    assert list(private.iterdir()) == []
    assert (lives["verdict"], lives["reason"], lives["directories"]) == ("keep", "owner-alive", 1)
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
        job = started(Pushed(another_gitlab, checkout), FOR_EVER)
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
