"""One look: what is there of each job, what is seen of its owner, and what follows.  Changes nothing."""

import time
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from executor.engine.docker import Engine
from executor.errors import EngineRefused
from executor.names import TEMP_DIR_LABEL
from executor.sweep.evidence import View
from executor.sweep.jobs import Found, put_together
from executor.sweep.options import Options
from executor.sweep.state import Memory
from executor.sweep.verdict import (
    GONE_SECONDS,
    Directories,
    Evidence,
    Judgement,
    Life,
    Verdict,
    Word,
    judge,
)

if TYPE_CHECKING:
    from executor.engine.removal import Objects


class JobLook(NamedTuple):
    """What was found of a job, what is known of it, and what follows."""

    found: Found
    evidence: Evidence
    judgement: Judgement

    def told(self, word: Word, over_seconds: float = 0.0, *, expired: bool = False) -> "JobLook":
        """Return this with what GitLab says of the job; see `verdict.judge` for `expired`."""
        evidence = self.evidence._replace(word=word, over_seconds=over_seconds)
        return self._replace(evidence=evidence, judgement=judge(evidence, expired=expired))


class Look(NamedTuple):
    """What was seen of all jobs on an engine."""

    jobs: tuple[JobLook, ...]
    memory: Memory
    """With what this look saw."""
    has_stray_logs: bool = False
    """Whether there seem to be more job logs than jobs."""

    def of(self, jobs: Iterable[JobLook]) -> "Look":
        """Return the same look with other jobs: some of them, or judged again."""
        return self._replace(jobs=tuple(jobs))


def look(engine: Engine, options: Options, memory: Memory, view: View | None = None) -> Look:
    """Look at everything of every job.

    Raises EngineUnavailable or EngineRefused where the engine does not list one kind of objects:
    then nothing is known of any job.
    """
    listed = engine.belongings()
    seen = view or view_of(engine)
    # What objects name need not be read, unless it is to be removed: a host has many jobs.
    named = _named(listed) if options.by == "prepare" else frozenset()
    jobs, strays = _first_looks(listed, seen, memory, options, named)
    if named and any(each.judgement.verdict is Verdict.REMOVE for each in jobs):
        jobs, strays = _first_looks(listed, seen, memory, options, frozenset())
    jobs = _with_stages(jobs, seen, options)
    keys = {each.found.key for each in jobs}
    gone = {each.found.key for each in jobs if each.evidence.directories is Directories.GONE}
    kept = Memory(
        memory.now,
        {key: at for key, at in memory.gone.items() if key in gone},
        *({key: at for key, at in each.items() if key in keys} for each in memory[2:]),
    )
    return Look(tuple(jobs), kept, strays)


def _first_looks(
    listed: "Objects", view: View, memory: Memory, options: Options, named: frozenset[str]
) -> tuple[list[JobLook], bool]:
    """Judge each job, without a look into the directories that its objects name, if so wanted.

    Also tells whether there are more job logs than directories of jobs.
    """
    from executor.sweep.files import look_into  # noqa: PLC0415

    places = [
        look_into(parent, options.own_temp_dir, options.uids, named) for parent in options.parents
    ]
    found = [each for some, _ in places for each in some]
    unsigned = [each for each in found if not each.is_signed]
    if unsigned:
        # What an object names is of that object's job, and goes when nothing names it any more.
        named = _named(listed)
        unsigned = [each for each in unsigned if each.path not in named]
    directories = [each for each in found if each.is_signed or each in unsigned]
    lives: dict[str, Life] = {}
    if unsigned:
        from executor.sweep.orphans import lives_of_makers  # noqa: PLC0415 (rarely needed)

        lives = lives_of_makers(unsigned, options.own_temp_dir, view.proc)
    now = time.time()
    jobs = put_together(listed, directories)
    # A prepare that outlived its gitlab-runner does not sweep under its own feet.
    others = [
        each
        for each in jobs
        if options.own_temp_dir not in each.temp_dirs and each.key != options.own_key
    ]
    looks = [_first_look(each, view, memory, now, lives) for each in others]
    return looks, any(more for _, more in places)


def _named(listed: "Objects") -> frozenset[str]:
    """Return the temporary directories that objects name."""
    labels = (each.get("Labels") for _, each in listed)
    return frozenset(
        str(each[TEMP_DIR_LABEL])
        for each in labels
        if isinstance(each, dict) and TEMP_DIR_LABEL in each
    )


def view_of(engine: Engine) -> View:
    """Return where this process stands as to an engine; nothing is asked yet."""
    return View(
        local=engine.local,
        engine_host=lambda: _host(engine),
        container=lambda identity: _witness(engine, identity),
    )


def _host(engine: Engine) -> tuple[str, str]:
    told = engine.survey()
    return told.engine_name, told.engine_kernel


def _witness(engine: Engine, identity: str) -> dict[str, object] | None:
    """Return what the engine says of a container, None where there is none; raises EngineRefused.

    A proxy before the engine may show its list, and hide what it says of each one.
    """
    found = engine.inspect(identity, strict=True)
    if not found and any(each.get("Id") == identity for each in engine.running_with()):
        raise EngineRefused(f"The Docker Engine lists {identity} and does not show it.")
    return found or None


def _first_look(
    found: Found, view: View, memory: Memory, now: float, unsigned: Mapping[str, Life]
) -> JobLook:
    """Judge a job by its owners, and by its directories where an owner lives.

    `unsigned` says what is known of the gitlab-runners of directories that name none.
    """
    lives = tuple(view.life_of(owner, container) for owner, container in found.owners)
    if Life.REBOOTED in lives and (found.created or 0.0) > now - memory.now:
        # Not of an earlier boot, so of another host: a clone of this one may reach the engine by a
        # socket that is forwarded.
        lives = tuple(Life.UNKNOWN if each is Life.REBOOTED else each for each in lives)
    lives += _lives_of_unsigned(found, memory, unsigned)
    deadline = found.deadline
    evidence = Evidence(
        lives,
        stranger=found.stranger,
        past_deadline=deadline is not None and deadline < now,
    )
    if Life.ALIVE in lives:
        seen = _directories_seen(found, lives, view)
        gone_seconds = memory.seconds_gone(found.key) if seen is Directories.GONE else 0.0
        evidence = evidence._replace(directories=seen, gone_seconds=gone_seconds)
    return JobLook(found, evidence, judge(evidence))


def _lives_of_unsigned(
    found: Found, memory: Memory, unsigned: Mapping[str, Life]
) -> tuple[Life, ...]:
    """Return what is known of the gitlab-runners of a job's unsigned directories, one each."""
    lives = tuple(unsigned[each.path] for each in found.directories if not each.is_signed)
    if Life.IDLE in lives and memory.seconds_idle(found.key) >= GONE_SECONDS:
        lives = tuple(Life.GONE if each is Life.IDLE else each for each in lives)
    return lives


def _directories_seen(found: Found, lives: tuple[Life, ...], view: View) -> Directories:
    """Return whether a living owner has a directory of the job, one that no object names among them.

    A second attempt of prepare may have made nothing yet, while the first one's network stands.
    """
    if found.directories:
        return Directories.THERE
    owner = next(
        owner
        for (owner, _), life in zip(found.owners, lives, strict=False)
        if life is Life.ALIVE and owner
    )
    seen = view.directories_of(owner, found.temp_dirs)
    if seen is not Directories.GONE:
        return seen
    from executor.sweep.attempts import directories_elsewhere  # noqa: PLC0415 (rarely needed)

    return directories_elsewhere(found, owner, view.proc)


def _with_stages(jobs: list[JobLook], view: View, options: Options) -> list[JobLook]:
    """Return the jobs, judged again with the stages that live, where anything might be removed."""
    asked = [each for each in jobs if _depends_on_stages(each, options)]
    if not asked:
        return jobs
    from executor.sweep.processes import find_stages  # noqa: PLC0415 (rarely needed)

    living = find_stages({path for each in asked for path in each.found.temp_dirs}, view.proc)
    return [_judged_again(each, living) if each in asked else each for each in jobs]


def _depends_on_stages(job: JobLook, options: Options) -> bool:
    verdict = job.judgement.verdict
    return verdict is Verdict.REMOVE or (verdict is Verdict.UNDECIDED and options.by != "prepare")


def _judged_again(job: JobLook, living: dict[str, tuple[int, ...]]) -> JobLook:
    stages = sum(len(living.get(path, ())) for path in job.found.temp_dirs)
    evidence = job.evidence._replace(stages=stages)
    return job._replace(evidence=evidence, judgement=judge(evidence))
