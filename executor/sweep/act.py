"""Removes what a look judged so: the stages that live end first, the payload goes last."""

import _thread
import time
from typing import NamedTuple

from executor.engine.docker import Engine
from executor.engine.removal import Objects, Removal
from executor.log import AdministratorLog
from executor.names import JobNames
from executor.sweep.jobs import put_together
from executor.sweep.look import JobLook, Look
from executor.sweep.options import Options
from executor.sweep.state import Memory, remember
from executor.sweep.verdict import DEAD, Verdict
from executor.tasks import Task

TERM_SECONDS = 5.0
"""How long a stage that outlived its gitlab-runner has to end by itself."""

_TRIES = 3
"""How often in a row what cannot be removed is tried."""

_PROVED = frozenset(map(str, DEAD))


class Done(NamedTuple):
    """What became of one job."""

    key: str
    job_id: str
    reason: str
    """Why it was removed: the judgement's."""
    containers: int = 0
    networks: int = 0
    volumes: int = 0
    directories: int = 0
    ghost: str = ""
    """What became of the job in GitLab: `ended`, `over`, `unanswered` or `unusable`."""
    left: tuple[str, ...] = ()
    """What stayed and why."""

    def facts(self) -> dict[str, object]:
        """Return it as the log and the state file have it, without what is empty."""
        named = {**self._asdict(), "left": "; ".join(self.left)}
        return {"job": named.pop("key"), **{name: each for name, each in named.items() if each}}


class Outcome(NamedTuple):
    """What became of all jobs that were to be removed."""

    done: tuple[Done, ...]
    memory: Memory


def act(engine: Engine, look: Look, options: Options) -> Outcome:
    """Remove what is left of each job whose verdict says so; raises nothing of the engine's.

    Several jobs at a time: the gitlab-runner that died may have had many.
    """
    chosen = [each for each in look.jobs if each.judgement.verdict is Verdict.REMOVE]
    memory, saving = look.memory, _thread.allocate_lock()
    waiting = iter(chosen)
    done: list[Done] = []

    def work() -> None:
        while True:
            with saving:
                job = next(waiting, None)
            if job is None:
                return
            one = _Job(engine, job, options, memory, saving)
            done.append(one.removed())

    for worker in [Task(work) for _ in range(min(len(chosen), options.jobs_at_once))]:
        worker.result()
    return Outcome(tuple(done), memory)


class _Job:
    """One job in the removal."""

    def __init__(
        self,
        engine: Engine,
        job: JobLook,
        options: Options,
        memory: Memory,
        saving: _thread.LockType,
    ) -> None:
        self._engine = engine
        self._job = job
        self._found = job.found
        self._options = options
        self._memory = memory
        self._saving = saving

    def removed(self) -> Done:
        """Remove the job's objects and directories; note it in the log."""
        started = time.monotonic()
        found = self._found
        done = Done(found.key, found.job_id, self._job.judgement.reason)
        if self._is_stuck():
            return done._replace(left=("it could not be removed before, and is tried again later",))
        if not self._stages_ended():
            done = done._replace(left=("a stage of the job does not end",))
        else:
            ghost = Task(self._end_ghost)
            done = self._with_objects(done)
            done = self._with_directories(done, *ghost.result())
        facts = done.facts()
        # `job_id` is the sweeping job's in each line of its log.
        facts.pop("job_id", None)
        if done.left:
            facts["stays"] = len(done.left)
        self._options.log.done("job swept", started, **facts)
        return done

    def _is_stuck(self) -> bool:
        tried = self._tries()
        last = self._memory.stuck.get(self._found.key, 0.0)
        return tried >= _TRIES and self._memory.now - last < self._options.again_seconds

    def _tries(self) -> float:
        """Return how often it was tried in a row to remove what is there, and nothing of it went."""
        key = self._found.key
        is_less = len(self._found.things) < self._memory.had.get(key, 0.0)
        return 0.0 if is_less else self._memory.tries.get(key, 0.0)

    def _stages_ended(self) -> bool:
        """End the stages that live, and tell whether none is left."""
        if not self._job.evidence.stages:
            return True
        from executor.sweep.processes import end_stages  # noqa: PLC0415 (rarely needed)

        key, ended = self._found.key, self._memory.ended
        was_told = key in ended
        told_before = self._memory.now - ended.setdefault(key, self._memory.now)
        self._save()
        seconds = max(0.0, TERM_SECONDS - told_before)
        return end_stages(self._found.temp_dirs, seconds, terminate=not was_told)

    def _end_ghost(self) -> tuple[str, str]:
        """End the job in GitLab; return what became of it, and why its payload has to stay."""
        found, options = self._found, self._options
        is_over = self._job.evidence.past_deadline or self._job.judgement.reason not in _PROVED
        if not options.end_ghosts or is_over or not found.directories:
            return "", ""
        from executor.sweep.ghosts import end_left  # noqa: PLC0415 (only where somebody died)

        kind = why = ""
        for directory in found.directories:
            outcome = end_left(
                directory,
                environ=options.environ,
                log=options.log,
                patience_seconds=options.patience_seconds,
                own=options.own_temp_dir,
            )
            kind, why = outcome.ghost.value, outcome.reason
            if kind in {"ended", "over"}:
                return kind, ""
        return kind, why

    def _with_objects(self, done: Done) -> Done:
        found = self._found
        if not found.things and not self._options.quiet_seconds:
            return done
        # Noted before it is tried: prepare may end in the middle.
        self._memory.tries[found.key] = self._tries() + 1
        self._memory.stuck[found.key] = self._memory.now
        self._memory.had[found.key] = float(len(found.things))
        self._save()
        removal = Removal(JobNames(found.key), AdministratorLog("sweep"))
        removal.patience_seconds = self._options.patience_seconds
        removal.quiet_seconds = self._options.quiet_seconds
        removal.refusal = self._refusal
        left = self._engine.remove_all(removal)
        if left:
            return done._replace(left=tuple(left))
        for known in (self._memory.tries, self._memory.stuck, self._memory.had):
            known.pop(found.key, None)
        return done._replace(
            containers=found.count("container"),
            networks=found.count("network"),
            volumes=found.count("volume"),
        )

    def _refusal(self, objects: Objects) -> str:
        """Return why what is there of the job now may not be removed, "" where it may."""
        for now in put_together(objects):
            if now.stranger:
                return f"{now.stranger} has the job's label and is not the job's"
            if self._job.judgement.reason in _PROVED:
                is_same = set(now.owners) <= set(self._found.owners)
            else:
                is_same = set(now.belongings) <= set(self._found.belongings)
            if not is_same:
                return "something has appeared that the job's owner did not have before"
        return ""

    def _with_directories(self, done: Done, ghost: str, why: str) -> Done:
        done = done._replace(ghost=ghost)
        # What gitlab-runner had not written to its end is no payload.
        is_needed = any(each.is_signed for each in self._found.directories)
        if ghost == "unanswered" or (ghost == "unusable" and is_needed):
            return done._replace(left=(*done.left, why))
        if done.left or not self._found.directories:
            return done  # what may still be needed to tell whose the objects are
        from executor.sweep.files import remove_left  # noqa: PLC0415 (only where somebody died)

        patience = self._options.patience_seconds
        stays = [
            (each, remove_left(each, patience_seconds=patience)) for each in self._found.directories
        ]
        left = tuple(f"{each.path}: {reason}" for each, reason in stays if reason)
        return done._replace(directories=len(stays) - len(left), left=(*done.left, *left))

    def _save(self) -> None:
        with self._saving:
            remember(self._options, self._memory)
