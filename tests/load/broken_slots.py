"""Jobs that break the sources that their slot keeps, and GitLab away: what the next jobs find.

`python -m tests.load.broken_slots` breaks a slot in each way of `WAYS`, `--only` in some of them, one
after the other: the third job after that must pass at the latest, and neither the sources of another slot
nor those of protected refs may change.  Jobs that hang and are cancelled (`--cancels`) change nothing.  Then
GitLab is away for `--away` jobs: no sources may be lost.
"""

import argparse
import contextlib
import itertools
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from pathlib import Path

import docker

from executor.local.pipeline.file import parse_pipeline
from tests.gitlab import leftovers, moods, runner, server, sources, trace
from tests.gitlab.jobs import Job
from tests.gitlab.moods import Mood
from tests.gitlab.pipelines import Pushed
from tests.gitlab.runner import Runner
from tests.gitlab.server import GitLab
from tests.rig import state
from tests.rig.paths import PROJECT_FILES
from tests.rig.state import Rig
from tests.stages.conftest import settings_text
from tests.web import Answer, Request

ENOUGH = 3
"""Which job after the break must pass at the latest."""
FRESH = "This job clones into a fresh volume."

HANG_SECONDS = 16
"""The timeout of jobs that may hang."""
_SECONDS = 600
_JOB_SECONDS = 300

FETCHES = "variables: {GIT_STRATEGY: fetch}"


@dataclass(frozen=True, slots=True)
class Way:
    """How a job breaks its sources, from the project's directory, as root."""

    commands: tuple[str, ...]
    hangs: bool = False
    """Whether fetching hangs then, until the job's timeout."""
    immutable: bool = False
    """Whether nobody may change the files then, so that the engine cannot remove them either."""


DEEP = (
    "p=$(printf 'd/%.0s' $(seq 1000)); for i in 1 2 3; do mkdir -p n/$p; [ ! -e m ] || mv m n/$p;"
    " mv n m; done"
)
"""Makes directories 3,000 deep, from paths that are short enough for the kernel."""

WAYS = {
    "a pipe as configuration": Way(("rm .git/config", "mkfifo .git/config"), hangs=True),
    "a pipe as HEAD": Way(("rm .git/HEAD", "mkfifo .git/HEAD"), hangs=True),
    "a program that hangs": Way(
        ("printf '[core]\\n\\tfsmonitor = sleep 1000;\\n' >>.git/config",), hangs=True
    ),
    "a hook that refuses each update": Way(
        (
            "mkdir -p .git/hooks",
            "printf '#!/bin/sh\\nexit 1\\n' >.git/hooks/reference-transaction",
            "chmod +x .git/hooks/reference-transaction",
        )
    ),
    "directories 3,000 deep": Way((DEEP,)),
    "damaged objects": Way(
        ("find .git/objects -type f | while read f; do chmod u+w $f; echo bad >$f; done",)
    ),
    "objects elsewhere": Way(
        ("rm -rf .git/objects/??", "echo /nowhere >.git/objects/info/alternates")
    ),
    "a loop of links": Way(("rm -rf .git", "ln -s .git .git")),
    "configuration that cannot be read": Way(
        ("printf '[include]\\n\\tpath = /proc/self/mem\\n[core\\n' >>.git/config",)
    ),
    "a damaged index": Way(("echo bad >.git/index",)),
    "a damaged list of shallow commits": Way(("echo bad >.git/shallow",)),
    "a directory as a lock": Way(("mkdir -p .git/index.lock/x",)),
    "a directory as a reference": Way(
        ("rm -rf .git/HEAD", "mkdir -p .git/HEAD/x", "chmod 000 .git/HEAD")
    ),
    "another server's address": Way(
        (
            "printf '[url \"http://127.0.0.1:1/\"]\\n\\tinsteadOf = http://\\n' >>.git/config",
            "sed -i 's/^/ /' .git/config",
        )
    ),
    "a file as the project": Way(("cd ..", "rm -rf project", "echo bad >project")),
    "a pipe as what lies above": Way(("cd /builds", "rm -rf group", "mkfifo group")),
    "what lies beside the project": Way(
        (
            "cd ../project.tmp && rm gitlab_runner_env && mkdir -p gitlab_runner_env/x",
            DEEP,
        )
    ),
    "files that nobody may change": Way(("true",), immutable=True),
}

MOODS: Mapping[str, Mood] = {
    "502": moods.broken(HTTPStatus.BAD_GATEWAY),
    "no answer": moods.refusing,
    "a login page": moods.login_page,
}


SILENCE = "silence"


@dataclass(frozen=True, slots=True)
class Broken:
    """What became of a slot whose sources were broken."""

    way: str
    states: tuple[str, ...]
    """How the jobs after that ended, up to the first that passed."""
    fresh: int
    """Which of them began with fresh sources, 0 for none."""
    seconds: float
    faults: tuple[str, ...]

    def __str__(self) -> str:
        """Return it in a line."""
        fresh = f"fresh sources in job {self.fresh}" if self.fresh else "git helped itself"
        faults = "".join(f"\n  FAULT: {each}" for each in self.faults)
        return f"{self.way:36} {', '.join(self.states):28} {fresh}, {self.seconds:.0f} s{faults}"


@dataclass(slots=True)
class Slots:
    """A project on a gitlab-runner of its own."""

    rig: Rig
    gitlab: GitLab
    runner: Runner
    pushed: Pushed
    state_dir: Path
    client: docker.APIClient
    jobs: list[Job] = field(default_factory=list)

    def run(
        self,
        *commands: str,
        protected: bool = False,
        seconds: int = _SECONDS,
    ) -> tuple[Job, str]:
        """Run a job that fetches to its end; return it and its log."""
        job = self.start(*commands, protected=protected, seconds=seconds)
        job.wait(_JOB_SECONDS)
        self.runner.wait_until_left(job.id)
        return job, trace.plain(job.trace)

    def start(
        self,
        *commands: str,
        protected: bool = False,
        seconds: int = _SECONDS,
    ) -> Job:
        """Put a job into the queue that fetches."""
        more: dict[str, object] = {}
        if protected:
            key = {"key": "one-protected", "policy": "pull", "paths": ["kept/"]}
            more["cache"] = [{**key, "untracked": False, "when": "on_success"}]
        text = f"{FETCHES}\njob:\n  image: alpine\n  script:\n"
        script = "".join(f"    - {_quoted(each)}\n" for each in commands or ("true",))
        pipeline = parse_pipeline(text + script, "test")
        pushed = replace(self.pushed, timeout_seconds=seconds)
        facts = pushed.facts(pipeline)
        (definition,) = pushed.jobs_of(pipeline, facts).values()
        job = pushed.start(definition, facts, more=more)
        self.jobs.append(job)
        return job

    def volumes(self) -> list[str]:
        """Return the volumes that the runner keeps."""
        short = self.gitlab.runner_token.removeprefix("glrt-")[:9]
        wanted = {"label": [f"com.gitlab.gitlab-runner.runner.id={short}"]}
        found = self.client.volumes(filters=wanted)["Volumes"] or ()
        return sorted(str(each["Name"]) for each in found)

    def _slots_own(self) -> list[str]:
        """Return the volumes of the slot in which one job after the other runs."""
        return [each for each in self.volumes() if "-concurrent-0-" in each and "prot" not in each]

    def _project(self, volume: str) -> Path:
        """Return where a volume's project lies on the engine's host."""
        return Path(self.client.inspect_volume(volume)["Mountpoint"]) / "group" / "project"

    def records(self) -> list[str]:
        """Return what is known of slots."""
        return sorted(each.read_text() for each in self.state_dir.glob("sources-*"))

    def seed(self) -> None:
        """Have sources of another slot and of protected refs, each with a mark in it."""
        mark = "echo mine >.git/mark"
        beside = [self.start(mark, "sleep 4"), self.start(mark, "sleep 4")]
        for job in beside:
            assert job.wait(_JOB_SECONDS).state == "success", trace.plain(job.trace)
            self.runner.wait_until_left(job.id)
        protected, log = self.run(mark, protected=True)
        assert protected.state == "success", log

    def break_in(self, name: str) -> Broken:
        """Break the sources in a way, and have jobs follow until one passes."""
        way, begun = WAYS[name], time.monotonic()
        breaking, log = self.run(*way.commands)
        before = set(self.volumes())
        faults = [] if breaking.state == "success" else [f"it was not broken: {log[-1500:]}"]
        states: list[str] = []
        fresh = 0
        places = [self._project(each) / ".git" for each in self._slots_own() if way.immutable]
        _change(places, "+i")
        while len(states) < ENOUGH and "success" not in states:
            job, log = self.run(
                "git --version 2>/dev/null || true", seconds=HANG_SECONDS if way.hangs else _SECONDS
            )
            states.append(job.state)
            fresh = fresh or (len(states) if FRESH in log else 0)
        _change(places, "-i")
        if states[-1] != "success":
            faults.append(f"job {len(states)} does not pass: {log[-2500:]}")
        faults += self._changed(before, way, fresh)
        return Broken(name, tuple(states), fresh, time.monotonic() - begun, tuple(faults))

    def _changed(self, before: set[str], way: Way, fresh: int) -> Iterator[str]:
        """Yield what is wrong with the volumes afterwards."""
        after = set(self.volumes())
        gone, come = before - after, after - before
        if (len(gone), len(come)) != (int(bool(fresh) and not way.immutable), int(bool(fresh))):
            yield f"gone: {sorted(gone)}, come: {sorted(come)}"
        for each in (each for each in gone if each.endswith("-protected")):
            yield f"of protected refs, and removed: {each}"

    def seeded_is_there(self) -> list[str]:
        """Return what is wrong with the sources of the other slot and of protected refs."""
        found = []
        here, there = self.start("cat .git/mark; sleep 4"), self.start("cat .git/mark; sleep 4")
        for job in (here, there):
            job.wait(_JOB_SECONDS)
            self.runner.wait_until_left(job.id)
        if b"\nmine" not in here.trace + there.trace:
            found.append("the other slot has lost its sources")
        job, log = self.run("cat .git/mark", protected=True)
        if "\nmine" not in log:
            found.append(f"protected refs have lost their sources: {log[-1000:]}")
        return found

    def cancelled(self, times: int) -> list[str]:
        """Cancel jobs that hang in broken sources; return what is wrong afterwards."""
        found = []
        broken, log = self.run(*WAYS["a pipe as configuration"].commands)
        assert broken.state == "success", log
        before = self.volumes(), self.records()
        for number in range(times):
            job = self.start()
            job.wait_for("Fetching changes", _JOB_SECONDS)
            job.force_cancel()
            job.wait(_JOB_SECONDS)
            self.runner.wait_until_left(job.id)
            print(f"job {number + 1} that was cancelled: {job.state}", flush=True)
            if (self.volumes(), self.records()) != before:
                found.append(f"a cancel counts: {self.volumes()}, {self.records()}")
        hung, _ = self.run(seconds=HANG_SECONDS)
        healed, log = self.run()
        if (hung.state, healed.state, FRESH in log) != ("failed", "success", True):
            found.append(f"the slot does not heal after cancels: {log[-1500:]}")
        return found

    def away(self, times: int) -> list[str]:
        """Run jobs while GitLab is away; return what is wrong afterwards."""
        seeded, log = self.run("echo kept >.git/kept")
        assert seeded.state == "success", log
        before, records, found = self.volumes(), self.records(), []
        released = threading.Event()
        names = {**MOODS, SILENCE: moods.slow(released)}
        for number, (name, mood) in zip(range(times), itertools.cycle(names.items()), strict=False):
            released.clear()
            self.gitlab.mood = _for_git(mood)
            try:
                job, log = self.run(seconds=HANG_SECONDS if name == SILENCE else _SECONDS)
            finally:
                self.gitlab.mood = _none
                released.set()
            print(f"job {number + 1} while GitLab is away ({name}): {job.state}", flush=True)
            if job.state != "failed" or FRESH in log:
                found.append(f"{name}: {log[-1500:]}")
        if (self.volumes(), self.records()) != (before, records):
            found.append(f"volumes and records before {before} {records},"
                         f" afterwards {self.volumes()} {self.records()}")  # fmt: skip
        back, log = self.run("cat .git/kept")
        if back.state != "success" or "\nkept" not in log:
            found.append(f"the sources are lost: {log[-1500:]}")
        return found


@contextlib.contextmanager
def slots(rig: Rig, directory: Path) -> Iterator[Slots]:
    """Have a gitlab-runner with two slots; afterwards nothing of its jobs may be left."""
    checkout = sources.commit(PROJECT_FILES, directory / "tree")
    state_dir = directory / "state"
    state_dir.mkdir()
    settings = directory / "settings.toml"
    changes: dict[str, dict[str, object]] = {
        "dind": {"mode": "service"},
        "sweep": {"state_dir": str(state_dir)},
    }
    settings.write_text(settings_text(rig, changes), encoding="utf-8")
    client = docker.APIClient(base_url=rig.engine_host, version="auto")
    with server.serving(directory / "repositories", rig.address) as gitlab:
        try:
            table, where = runner.custom(settings), directory / "runner"
            with runner.working(gitlab, table, where, concurrent=2) as started:
                made = Slots(rig, gitlab, started, Pushed(gitlab, checkout), state_dir, client)
                yield made
            assert leftovers.of_jobs(rig.engine_host, made.jobs) == []
        finally:
            leftovers.remove_lasting(rig.engine_host, gitlab.runner_token)
            client.close()


def _for_git(mood: Mood) -> Mood:
    """Return a mood that meets git alone: gitlab-runner goes on to hear of jobs."""

    def answer(request: Request) -> Answer | None:
        return None if request.path.startswith("/api/") else mood(request)

    return answer


def _none(_: Request) -> None:
    """Leave every request to GitLab."""


def _change(places: Sequence[Path], how: str) -> None:
    """Let nobody change what lies there, or everybody again, as root of the host."""
    for each in filter(Path.exists, places):
        subprocess.run(["chattr", "-R", "-f", how, str(each)], check=False)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def main(args: Sequence[str] | None = None) -> int:
    """Return 0, or 1 where a slot did not heal, or lost what it should not."""
    parser = argparse.ArgumentParser(prog="python -m tests.load.broken_slots")
    parser.add_argument("--only", nargs="*", choices=WAYS, default=list(WAYS), metavar="WAY")
    parser.add_argument("--away", type=int, default=20, help="jobs (default: %(default)s)")
    parser.add_argument("--cancels", type=int, default=2, help="jobs (default: %(default)s)")
    given = parser.parse_args(args)
    with tempfile.TemporaryDirectory() as directory, slots(state.load(), Path(directory)) as there:
        there.seed()
        faults: list[str] = []
        for name in given.only:
            broken = there.break_in(name)
            print(broken, flush=True)
            faults += broken.faults
        faults += there.cancelled(given.cancels) if given.cancels else []
        faults += there.seeded_is_there()
        faults += there.away(given.away) if given.away else []
    print(*faults, sep="\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
