"""Many jobs that start at once, and somebody who takes each of them for one that was left.

`python -m tests.load.starts` looks at the directories of jobs that have just begun, all the time, as a
sweep does: a directory that no note signs yet, and a job log that no note names.  Their gitlab-runner
lives, so none may ever be taken for a dead one's.
"""

import argparse
import os
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from executor.local.pipeline.file import parse_pipeline
from executor.log import AdministratorLog
from executor.sweep.files import find_left
from executor.sweep.logs import remove_stray_logs
from executor.sweep.options import Options
from executor.sweep.orphans import lives_of_makers
from executor.sweep.verdict import Life
from tests.gitlab import leftovers, runner, server, sources
from tests.gitlab.jobs import FINAL_STATES
from tests.gitlab.pipelines import Pushed
from tests.hooks import HOOKS
from tests.rig import state
from tests.rig.paths import PROJECT_FILES
from tests.rig.state import Rig

_PIPELINE = "job: {image: alpine, script: [echo one]}"
_LATER = '#!/bin/sh\nsleep 0.2\nexec "{hooks}/config" "$@"\n'
"""A config that takes longer than it does, as on a busy host."""
_PAUSE_SECONDS = 0.005
_JOB_SECONDS = 60.0


@dataclass(slots=True)
class Seen:
    """What was seen of jobs that start."""

    states: Counter[str] = field(default_factory=Counter)
    """How the jobs ended."""
    lives: Counter[Life] = field(default_factory=Counter)
    """What was said of the gitlab-runners of directories without a note."""
    logs: int = 0
    """How many job logs were removed."""

    def wrong(self) -> list[str]:
        """Return what must not be."""
        said = {f"a living gitlab-runner is {life}": n for life, n in self.lives.items()}
        said.pop(f"a living gitlab-runner is {Life.UNKNOWN}", None)
        said |= {f"jobs ended {how}": n for how, n in self.states.items() if how != "success"}
        said |= {"job logs were removed": self.logs} if self.logs else {}
        return [f"{what}: {count}" for what, count in said.items()]


def starts(rig: Rig, directory: Path, *, jobs: int, concurrent: int) -> Seen:
    """Run jobs, and look at them as they start."""
    seen, is_over = Seen(), threading.Event()
    temp = directory / "tmp"
    temp.mkdir()
    settings = directory / "settings.toml"
    text = rig.settings.read_text(encoding="utf-8")
    settings.write_text(text.replace('mode = "always"', 'mode = "service"'), encoding="utf-8")
    registration = runner.custom(settings, _hooks(directory / "hooks"))
    checkout = sources.commit(PROJECT_FILES, directory / "tree")
    with server.serving(directory / "repositories", rig.address) as gitlab:
        watcher = threading.Thread(target=_watch, args=(temp, seen, is_over))
        watcher.start()
        try:
            pushed = Pushed(gitlab, checkout)
            seen.states = _work(pushed, registration, directory, jobs, concurrent)
        finally:
            is_over.set()
            watcher.join()
            leftovers.remove_lasting(rig.engine_host, gitlab.runner_token)
    return seen


def _hooks(directory: Path) -> Path:
    """Return hooks whose config takes its time."""
    directory.mkdir()
    for name in ("config", "prepare", "run", "cleanup"):
        hook = directory / name
        hook.write_text(f'#!/bin/sh\nexec "{HOOKS}/{name}" "$@"\n', encoding="utf-8")
        if name == "config":
            hook.write_text(_LATER.replace("{hooks}", str(HOOKS)), encoding="utf-8")
        hook.chmod(0o755)
    return directory


def _work(
    pushed: Pushed, registration: runner.Table, directory: Path, jobs: int, concurrent: int
) -> Counter[str]:
    """Return how jobs of one gitlab-runner end."""
    pipeline = parse_pipeline(_PIPELINE, "test")
    started = [pushed.start_only(pipeline) for _ in range(jobs)]
    until = time.monotonic() + _JOB_SECONDS * jobs
    environment = {"TMPDIR": str(directory / "tmp")}
    with runner.working(
        pushed.gitlab,
        registration,
        directory / "runner",
        concurrent=concurrent,
        environment=environment,
    ):
        while any(each.state not in FINAL_STATES for each in started):
            if time.monotonic() > until:
                raise TimeoutError(f"jobs do not end: {started}")
            time.sleep(0.1)
    return Counter(each.state for each in started)


def _watch(temp: Path, seen: Seen, is_over: threading.Event) -> None:
    """Look at everything in a directory as a sweep does, again and again."""
    uid = os.geteuid()
    log = AdministratorLog("reap")
    options = Options(log, "", "reap", parents=(str(temp),), uids=frozenset({uid}))
    while not is_over.wait(_PAUSE_SECONDS):
        left = [each for each in find_left(str(temp), "", {uid}) if not each.is_signed]
        seen.lives.update(lives_of_makers(left).values())
        seen.logs += remove_stray_logs(options)


def main(args: Sequence[str] | None = None) -> int:
    """Return 0, or 1 where a job that had just begun was taken for a dead one's."""
    parser = argparse.ArgumentParser(prog="python -m tests.load.starts")
    parser.add_argument("--jobs", type=int, default=80)
    parser.add_argument("--concurrent", type=int, default=8, help="jobs at a time")
    given = parser.parse_args(args)
    with tempfile.TemporaryDirectory(prefix="starts-") as directory:
        seen = starts(state.load(), Path(directory), jobs=given.jobs, concurrent=given.concurrent)
    print(f"{given.jobs} jobs; {sum(seen.lives.values())} looks at directories without a note")
    print(*seen.wrong(), sep="\n")
    return 1 if seen.wrong() or not seen.lives else 0


if __name__ == "__main__":
    sys.exit(main())
