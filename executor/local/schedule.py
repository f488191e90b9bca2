"""Runs a pipeline: the stages in order, the jobs of one stage in parallel."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from executor.local.artifact_store import ArtifactStore
from executor.local.environment import Slot
from executor.local.job import Job
from executor.local.outcome import Outcome, Result
from executor.local.output import JobLog, Masker, Terminal
from executor.local.pipeline import JobDefinition
from executor.local.registration import Registration
from executor.local.request import Dependency, JobRequest, PipelineFacts, job_request


@dataclass(frozen=True, slots=True)
class Runner:
    """Who runs the jobs: the registration and how this runner names itself."""

    registration: Registration
    token: str
    version: str


class Schedule:
    """One run of a pipeline; a signal handler may call it off."""

    def __init__(
        self,
        stages: tuple[tuple[JobDefinition, ...], ...],
        facts: PipelineFacts,
        runner: Runner,
        *,
        store: ArtifactStore,
        terminal: Terminal,
    ) -> None:
        self._stages = stages
        self._facts = facts
        self._runner = runner
        self._store = store
        self._terminal = terminal
        # Job ids follow the pipeline's, which no other run on this host has.
        self._next_id = facts.pipeline_id + 1
        self._earlier: list[tuple[int, str]] = []
        # A handler may interrupt this very thread while it holds the lock.
        self._lock = threading.RLock()
        self._running: list[Job] = []
        self._calls = 0

    def call_off(self) -> str:
        """Cancel the jobs, the second time abort them; return what is being done."""
        with self._lock:
            self._calls += 1
            running, first = tuple(self._running), self._calls == 1
        for job in running:
            if first:
                job.cancel()
            else:
                job.abort()
        return "canceling the jobs; once more to abort" if first else "aborting, only cleanup runs"

    def run(self) -> tuple[Outcome, ...]:
        """Run everything and tell how it ended."""
        outcomes: list[Outcome] = []
        stopped: Result | None = None
        for jobs in self._stages:
            if self._calls and stopped is None:
                stopped = Result.CANCELED
            if stopped is not None:
                outcomes += [Outcome(job.name, stopped, job.allow_failure) for job in jobs]
                continue
            done = self._run_stage(jobs)
            outcomes += done
            if any(outcome.stops_pipeline for outcome in done):
                stopped = Result.CANCELED if self._calls else Result.SKIPPED
        return tuple(outcomes)

    def _run_stage(self, definitions: tuple[JobDefinition, ...]) -> list[Outcome]:
        dependencies = self._dependencies()
        requests = []
        for definition in definitions:
            job_id, self._next_id = self._next_id, self._next_id + 1
            requests.append(
                job_request(
                    definition,
                    self._facts,
                    job_id=job_id,
                    token=self._store.admit(job_id),
                    dependencies=dependencies,
                )
            )
        jobs = [self._job(request, index, requests) for index, request in enumerate(requests)]
        with self._lock:
            self._running = jobs
            is_called_off = self._calls > 0
        if is_called_off:
            return [Outcome(job.name, Result.CANCELED, job.allow_failure) for job in definitions]
        with ThreadPoolExecutor(len(jobs)) as pool:
            outcomes = [future.result() for future in [pool.submit(job.run) for job in jobs]]
        with self._lock:
            self._running = []
        for request in requests:
            self._store.dismiss(request.id)
            self._earlier.append((request.id, request.definition.name))
        return outcomes

    def _dependencies(self) -> tuple[Dependency, ...]:
        """Return the jobs of earlier stages that left artifacts."""
        found = ((job_id, name, self._store.of(job_id)) for job_id, name in self._earlier)
        return tuple(
            Dependency(job_id, name, "artifacts.zip", stored.size)
            for job_id, name, stored in found
            if stored is not None
        )

    def _job(self, request: JobRequest, index: int, siblings: list[JobRequest]) -> Job:
        names = [sibling.definition.name for sibling in siblings]
        prefix = (
            self._terminal.prefix(names[index], width=max(map(len, names)), index=index)
            if len(names) > 1
            else ""
        )
        secrets = [variable.value for variable in request.variables if variable.masked]
        log = JobLog(self._terminal, Masker([*secrets, request.token]), prefix)
        slot = Slot(self._runner.token, index, self._runner.version)
        return Job(request, self._runner.registration, slot, log)
