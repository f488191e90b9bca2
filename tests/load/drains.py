"""A host with a real systemd is drained while a job runs, and takes jobs again.

`python -m tests.load.drains` makes the host of `tests.load.first_job`: systemd as PID 1 in a privileged
container, gitlab-runner as its package leaves it, dind-executor installed from this checkout and
registered. Then it does what docs/fleet.md says of a drain, and looks at systemd and GitLab after each
step: a job that runs ends well, the next one waits, gitlab-runner is not started again by systemd, and is
by `undrain`, or by a reboot.
"""

import argparse
import json
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from executor.local.pipeline.file import parse_pipeline
from tests.gitlab import leftovers, reaping, server, sources, trace
from tests.gitlab.jobs import Job
from tests.gitlab.pipelines import Pushed
from tests.gitlab.server import GitLab
from tests.load.first_job import Host, bare, booted, checkout, install, register, root, wait_for
from tests.rig import state
from tests.rig.paths import PROJECT_FILES
from tests.rig.state import Rig

_SECONDS = 600
_WAITS = """
job:
  image: alpine
  script: [echo it goes on, 'until test -e /tmp/go; do sleep 0.5; done']
"""
_DROP_IN = "/run/systemd/system/gitlab-runner.service.d/zz-dind-executor-drain.conf"
_SHOWN = ("ActiveState", "KillMode", "KillSignal", "Restart", "TimeoutStopUSec")
DRAINED = {"Restart": "no", "KillMode": "mixed", "KillSignal": "3", "TimeoutStopUSec": "infinity"}


class Drained:
    """A host with a registered gitlab-runner."""

    def __init__(self, rig: Rig, host: Host, gitlab: GitLab, directory: Path) -> None:
        self.rig, self.host, self.gitlab = rig, host, gitlab
        self.pushed = Pushed(gitlab, sources.commit(PROJECT_FILES, directory / "tree"))

    def start(self) -> Job:
        """Put a job into the queue that goes on until it is let go."""
        return self.pushed.start_only(parse_pipeline(_WAITS, "test"))

    def end(self, job: Job) -> None:
        """Let a job end, and see that it ends well."""
        job.wait_for("\nit goes on", _SECONDS)
        reaping.let_go(self.rig, job)
        assert job.wait(_SECONDS).state == "success", trace.plain(job.trace)

    def fleet(self, command: str, code: int = 0) -> list[dict[str, object]]:
        """Call the command; return what it says."""
        said = self.host.run(f"dind-executor fleet {command} --json", codes=(code,))
        lines = [line for line in said.splitlines() if line.startswith("{")]
        return [json.loads(line) for line in lines] or [{"text": said}]

    def shown(self) -> dict[str, str]:
        """Return what systemd says of gitlab-runner."""
        said = self.host.run(f"systemctl show -p {','.join(_SHOWN)} gitlab-runner")
        return dict(line.partition("=")[::2] for line in said.splitlines())

    def has_drop_in(self) -> bool:
        return "yes" in self.host.run(f"test -e {_DROP_IN} && echo yes || echo no")


@contextmanager
def drained(rig: Rig, suite: str, directory: Path, ignored: str) -> Iterator[Drained]:
    """Have a host until the end of the block."""
    tar = root(suite, has_python=True)
    with (
        server.serving(directory / "repositories", rig.address) as gitlab,
        booted(rig, tar) as host,
    ):
        try:
            bare(host, rig)
            token = gitlab.registry.add_user({"create_runner"}, groups={7})
            host.write("/root/access-token", token)
            source = checkout(directory)
            host.put(source, f"/root/{source.name}")
            install(host, source)
            register(host, gitlab, *(["--ignore", ignored] if ignored else []))
            yield Drained(rig, host, gitlab, directory)
        except BaseException:
            print(host.run("journalctl --no-pager --lines 60 -u gitlab-runner || true"))
            raise
        finally:
            for row in gitlab.registry.rows.values():
                leftovers.remove_lasting(rig.engine_host, row.token)


def try_all(it: Drained) -> None:
    """Do it, step by step; raises AssertionError."""
    usual = it.shown()
    assert (usual["ActiveState"], usual["Restart"]) == ("active", "always"), usual
    first = it.start()
    first.wait_for("\nit goes on", _SECONDS)

    (would,) = it.fleet("drain")
    assert would["state"] == "would"
    assert f"job {first.id} " in str(would["jobs"]), would
    assert it.shown() == usual
    it.fleet("drain --yes")
    assert it.shown() == {**usual, **DRAINED, "ActiveState": "deactivating"}
    second = it.start()
    (refused,) = it.fleet("undrain --yes", 1)
    assert "still waits for its jobs" in str(refused["text"])
    *_, left, over = it.fleet("drain --yes --wait --timeout 7", 124)
    assert f"job {first.id} " in str(left["jobs"]), left
    assert over["state"] == "timeout"
    assert (first.state, second.state) == ("running", "pending")
    print("While its job ran, the drained host took no other, and was not undrained.", flush=True)

    ended = threading.Timer(3, lambda: reaping.let_go(it.rig, first))
    ended.start()
    waited = it.fleet("drain --yes --wait")
    ended.join()
    assert waited[-1]["state"] == "drained"
    assert first.wait(_SECONDS).state == "success", trace.plain(first.trace)
    assert leftovers.of_jobs(it.rig.engine_host, [first]) == []
    # What systemd will start again is `activating` until then.
    assert it.shown()["ActiveState"] == "inactive"
    assert second.state == "pending"
    print("Its job ended well, and gitlab-runner with it; systemd left it so.", flush=True)

    it.fleet("undrain --yes")
    assert it.shown() == usual
    assert not it.has_drop_in()
    it.end(second)
    print("After undrain it took the next job, and the unit is as it was.", flush=True)


def try_rebooting(it: Drained) -> None:
    """A reboot has a drained host take jobs again."""
    it.fleet("drain --yes --wait")
    assert it.has_drop_in()
    it.host.restart()
    wait_for(lambda: it.shown()["ActiveState"] == "active")
    assert not it.has_drop_in()
    it.end(it.start())
    print("A reboot had the drained host take jobs again.", flush=True)
    log = it.host.run("cat /var/log/dind-executor-fleet.jsonl")
    noted = [json.loads(line) for line in log.splitlines()]
    assert [(each["action"], each["state"]) for each in noted] == [
        (action, how) for action in ("drain", "undrain", "drain") for how in ("begun", "done")
    ], log
    print("Each change is in the log, before and after it.", flush=True)


def main() -> int:
    """Run as the arguments say."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--suite", default="bookworm", help="of Debian (default: %(default)s)")
    parser.add_argument("--ignore", default="", help="checks of doctor that do not count")
    given = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as name,
        drained(state.load(), given.suite, Path(name), given.ignore) as it,
    ):
        try_all(it)
        try_rebooting(it)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
