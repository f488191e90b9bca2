"""Whether a directory that no note signs is of a job that goes on: seen by what gitlab-runners have open.

A gitlab-runner has a log open for each of its jobs (`makers`).  Where a stage of a signed directory runs
for each of these logs, no job is left that an unsigned directory could be of: its gitlab-runner is gone.
This is what the kernel says at one moment.  No clock is read, which may step, and nothing is old enough.
"""

import os
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress

from executor.host.owner import boot_id, lives, pid_namespace, read_process
from executor.notation.owner import Owner, parse_belonging
from executor.sweep.files import LeftDirectory, look_at, names_in, opened
from executor.sweep.makers import Unseen, are_in_control, held_by_others, logs_in, makers, open_logs
from executor.sweep.processes import find_stages
from executor.sweep.unsigned import is_still_unsigned
from executor.sweep.verdict import Life

_MOST_ANCESTORS = 64


def lives_of_makers(
    left: Iterable[LeftDirectory], own: str = "", proc: str = "/proc"
) -> dict[str, Life]:
    """Return by path what is known of the gitlab-runner that made an unsigned directory.

    GONE is proof.  IDLE is proof as well if it is so once more: nobody has a job whose directory this
    could be, as far as a gitlab-runner keeps its logs there.  `own` is the directory of the job that
    looks, if it is one's.
    """
    lives: dict[str, Life] = {}
    groups: dict[tuple[str, int], list[LeftDirectory]] = {}
    for each in left:
        groups.setdefault((each.parent, each.uid), []).append(each)
    for (parent, uid), some in groups.items():
        try:
            life = _life_of_maker(parent, uid, own, proc)
        except (OSError, Unseen):
            life = Life.UNKNOWN
        for each in some:
            # One that has got its note meanwhile is of a job that lives.
            lives[each.path] = life if is_still_unsigned(each) else Life.UNKNOWN
    return lives


def _life_of_maker(parent: str, uid: int, own: str, proc: str) -> Life:
    """Return GONE or IDLE where no living gitlab-runner has a job without a signed directory there.

    Raises Unseen or OSError where that cannot be told.
    """
    logs = logs_in(parent, uid)
    signed = _signed(parent, uid, proc)
    if _has_more_logs(signed.values(), proc):
        return Life.UNKNOWN
    # A job goes on while the logs are looked at if a stage of it runs before as well as after, and it
    # has its directory still, which gitlab-runner removes before it closes the log.
    before = _at_work(signed, own, proc)
    living = makers(parent, uid, proc)
    after = _at_work(_signed(parent, uid, proc), own, proc)
    for maker in living:
        jobs = [
            path
            for path, owner in signed.items()
            if (owner.pid, owner.started) == (maker.pid, maker.started)
            and _is_below(maker.pid, before.get(path, ()), proc)
            and _is_below(maker.pid, after.get(path, ()), proc)
        ]
        if len(jobs) != len(maker.logs):
            return Life.UNKNOWN
    if held_by_others(logs, living, uid, proc):
        return Life.UNKNOWN
    return Life.GONE if are_in_control(living) else Life.IDLE


def _signed(parent: str, uid: int, proc: str) -> dict[str, Owner]:
    """Return the directories whose notes name processes of this boot, as their stages call them."""
    found: dict[str, Owner] = {}
    boot, namespace = boot_id(proc), pid_namespace("self", proc)
    with opened(parent) as place:
        for name in names_in(place)[0]:
            with suppress(OSError, ValueError, RecursionError):
                said = parse_belonging(look_at(parent, name, place, (uid,)).facts)
                owner = said.owner if said else None
                if said and owner and (owner.boot, owner.namespace) == (boot, namespace):
                    found[said.temp_dir] = owner
    return found


def _has_more_logs(owners: Collection[Owner], proc: str) -> bool:
    """Tell whether a gitlab-runner has more logs open than signed directories: a job has just begun.

    That is so most often, and soon seen.
    """
    return any(len(_logs_of(each, proc)) > count for each, count in Counter(owners).items())


def _logs_of(owner: Owner, proc: str) -> Collection[object]:
    """Return the logs that an owner has open, if it lives and may be looked at."""
    try:
        return open_logs(owner.pid, proc) if lives(owner.pid, owner.started, proc) else ()
    except OSError:
        return ()


def _at_work(signed: Iterable[str], own: str, proc: str) -> dict[str, tuple[int, ...]]:
    """Return by directory the processes of its stages; this one counts for its own."""
    found = find_stages(signed, proc)
    if own in signed:
        found[own] = (os.getpid(), *found.get(own, ()))
    return found


def _is_below(ancestor: int, pids: Iterable[int], proc: str) -> bool:
    """Tell whether one of some processes comes from another one: it waits for its stages."""
    return any(ancestor in _ancestors(pid, proc) for pid in pids)


def _ancestors(pid: int, proc: str) -> Iterator[int]:
    for _ in range(_MOST_ANCESTORS):
        process = read_process(pid, proc)
        if process is None or process.parent <= 0:
            return
        pid = process.parent
        yield pid
