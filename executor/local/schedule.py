"""Runs a pipeline: every job as soon as those it waits for have passed."""

import threading
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace

from executor.local.pipeline.order import Planned
from executor.local.project.assignment import Assignment, Dependency, PipelineFacts, assign
from executor.local.project.variables import Variable
from executor.local.runner.colours import YELLOW
from executor.local.runner.directories import Slot
from executor.local.runner.job import Job
from executor.local.runner.job_log import JobLog, Masker, Terminal
from executor.local.runner.outcome import Outcome, Result, is_worth_retrying
from executor.local.runner.registration import Registration
from executor.local.runner.slots import Slots
from executor.local.server.artifact_store import ArtifactStore


@dataclass(frozen=True, slots=True)
class Runner:
    """Who runs the jobs: the registration and how this runner names itself."""

    registration: Registration
    token: str
    version: str
    slots: Slots


@dataclass(frozen=True, slots=True)
class _Try:
    """One try of a job, in one of the runner's places."""

    planned: Planned
    number: int
    slot: int
    assignment: Assignment
    job: Job
    log: JobLog


class Schedule:
    """One run of a pipeline; a signal handler may call it off."""

    def __init__(
        self,
        plan: tuple[Planned, ...],
        facts: PipelineFacts,
        runner: Runner,
        *,
        store: ArtifactStore,
        terminal: Terminal,
    ) -> None:
        self._plan = plan
        self._facts = facts
        self._runner = runner
        self._store = store
        self._terminal = terminal
        # Job ids follow the pipeline's, which no other run on this host has.
        self._next_id = facts.pipeline_id + 1
        self._ids: dict[str, int] = {}
        # Every try in the order of its end; the last of a job is what became of it.
        self._outcomes: list[Outcome] = []
        self._ended: dict[str, Outcome] = {}
        # The jobs for failures, when there were none.
        self._idle: set[str] = set()
        self._running: dict[Future[Outcome], _Try] = {}
        # A handler may interrupt this very thread while it holds the lock.
        self._lock = threading.RLock()
        self._jobs: list[Job] = []
        self._calls = 0

    def call_off(self) -> str:
        """Cancel the jobs, the second time abort them; return what is being done."""
        with self._lock:
            self._calls += 1
            running, first = tuple(self._jobs), self._calls == 1
        for job in running:
            if first:
                job.cancel()
            else:
                job.abort()
        if first:
            return "canceling the jobs; press Ctrl-C or send the signal again to abort them"
        return "aborting the jobs; only cleanup still runs"

    def run(self) -> tuple[Outcome, ...]:
        """Run everything and tell how it ended, in the order of the stages."""
        waiting = list(self._plan)
        with ThreadPoolExecutor(max(1, len(waiting))) as pool:
            while True:
                waiting = self._start_what_can(waiting, pool)
                if not self._running:
                    break
                done, _ = wait(self._running, return_when=FIRST_COMPLETED)
                for future in done:
                    self._finish(future, pool)
        places = {planned.definition.name: place for place, planned in enumerate(self._plan)}
        return tuple(sorted(self._outcomes, key=lambda outcome: places[outcome.name]))

    def _start_what_can(self, waiting: list[Planned], pool: ThreadPoolExecutor) -> list[Planned]:
        """Start the jobs whose time has come; return those that still wait."""
        left = []
        for planned in waiting:
            before = [self._ended.get(name) for name in planned.waits_for]
            if self._calls:
                self._give_up(planned, Result.CANCELED)
                continue
            blocked = any(self._blocks(outcome) for outcome in before if outcome is not None)
            when = planned.definition.when
            if blocked and when not in ("always", "on_failure"):
                self._give_up(planned, Result.SKIPPED)
            elif None in before:
                left.append(planned)
            elif when == "on_failure" and not blocked and planned.waits_for:
                self._idle.add(planned.definition.name)
                self._take_note(
                    Outcome(planned.definition.name, Result.SKIPPED, is_allowed_to_fail=True)
                )
            else:
                self._start(planned, 1, self._runner.slots.take(), pool)
        # What was given up may have been waited for by a job that comes earlier in the file.
        return left if len(left) == len(waiting) else self._start_what_can(left, pool)

    def _give_up(self, planned: Planned, result: Result) -> None:
        job = planned.definition
        self._take_note(Outcome(job.name, result, job.allow_failure))

    def _start(self, planned: Planned, number: int, slot: int, pool: ThreadPoolExecutor) -> None:
        definition = planned.definition
        job_id, self._next_id = self._next_id, self._next_id + 1
        assignment = assign(
            definition,
            self._facts,
            job_id=job_id,
            token=self._store.admit(job_id),
            dependencies=self._dependencies(planned),
            reported=self._reported(planned),
        )
        self._ids[definition.name] = job_id
        log = self._log(planned, assignment)
        slot_of_job = Slot(self._runner.token, slot, self._runner.version)
        job = Job(assignment, self._runner.registration, slot_of_job, log)
        with self._lock:
            is_called_off = self._calls > 0
            if not is_called_off:
                self._jobs.append(job)
        if is_called_off:
            self._runner.slots.give_back(slot)
            self._give_up(planned, Result.CANCELED)
            return
        self._running[pool.submit(job.run)] = _Try(planned, number, slot, assignment, job, log)

    def _finish(self, future: Future[Outcome], pool: ThreadPoolExecutor) -> None:
        current = self._running.pop(future)
        outcome = future.result()
        with self._lock:
            self._jobs.remove(current.job)
        self._store.dismiss(current.assignment.id)
        retry = current.planned.definition.retry
        if current.number > retry.limit or self._calls or not is_worth_retrying(retry, outcome):
            self._runner.slots.give_back(current.slot)
            self._take_note(outcome)
            return
        self._outcomes.append(replace(outcome, is_retried=True))
        said = f"Retrying the job ({current.number} of {retry.limit})..."
        current.log.say(said, colour=YELLOW)
        self._start(current.planned, current.number + 1, current.slot, pool)

    def _take_note(self, outcome: Outcome) -> None:
        self._outcomes.append(outcome)
        self._ended[outcome.name] = outcome

    def _dependencies(self, planned: Planned) -> tuple[Dependency, ...]:
        """Return the jobs that left artifacts for this one."""
        found = (
            (self._ids[name], name, self._store.of(self._ids[name]))
            for name in planned.artifacts_from
            if name in self._ids
        )
        return tuple(
            Dependency(job_id, name, "artifacts.zip", stored.size)
            for job_id, name, stored in found
            if stored is not None
        )

    def _reported(self, planned: Planned) -> tuple[Variable, ...]:
        """Return the variables that jobs left for this one."""
        ids = [self._ids[name] for name in planned.artifacts_from if name in self._ids]
        return tuple(
            Variable(key, value) for job_id in ids for key, value in self._store.reported_by(job_id)
        )

    def _log(self, planned: Planned, assignment: Assignment) -> JobLog:
        name = planned.definition.name
        prefix = ""
        if planned.beside:
            names = [item.definition.name for item in self._plan]
            names = [item for item in names if item == name or item in planned.beside]
            width = max(map(len, names))
            prefix = self._terminal.prefix(name, width=width, index=names.index(name))
        secrets = [variable.value for variable in assignment.variables if variable.masked]
        return JobLog(self._terminal, Masker([*secrets, assignment.token]), prefix)

    def _blocks(self, outcome: Outcome) -> bool:
        if outcome.name in self._idle:
            return False
        return outcome.stops_pipeline or outcome.result is Result.SKIPPED
