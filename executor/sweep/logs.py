"""The files in which gitlab-runner keeps the logs of its jobs, where a dead one has left them.

gitlab-runner (17.9 to 19.4) makes `trace<number>` in its TMPDIR before all else of a job, has it open
as long as it has the job, and removes it last.  Nothing in it says whose it is.  So config notes those
that are open; of a gitlab-runner that dies before, the log is one that nobody has open any more.
"""

import os
import stat
from contextlib import suppress

from executor.quick_json import loads
from executor.runner import notes
from executor.sweep.files import LOG_NAME, note_in, opened
from executor.sweep.makers import JobLog, Unseen, are_in_control, held_by_others, logs_in, makers
from executor.sweep.options import Options

_MOST_KNOWN = 1_000
_SHORTEST = len("trace12345")
"""gitlab-runner's numbers are random, and of up to ten digits; a person's are short."""
_HEAD_BYTES = 256
_FIRST_WORDS = b"Running with gitlab-runner "
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def parse_known_logs(content: bytes) -> list[JobLog]:
    """Return the files of job logs that a note names; what is no such name is left out."""
    listed = loads(content or b"[]")
    return [
        JobLog(name, device, inode)
        for name, device, inode in (listed if isinstance(listed, list) else ())
        if isinstance(name, str) and LOG_NAME.fullmatch(name)
    ][:_MOST_KNOWN]


def remove_known_logs(directory: int, parent: int, uid: int) -> None:
    """Remove the job logs that a note says its gitlab-runner had open, where they still are these."""
    with suppress(OSError, ValueError, TypeError, RecursionError):
        for log in parse_known_logs(note_in(directory, notes.TRACES)):
            _remove(log, parent, uid)


def remove_stray_logs(options: Options, proc: str = "/proc") -> int:
    """Remove the job logs that no process has open; return how many there were.

    Only where all processes that might have one can be seen.
    """
    removed = 0
    for parent in options.parents:
        for uid in options.uids:
            with suppress(OSError, Unseen):
                removed += _remove_strays(parent, uid, proc)
    return removed


def _remove_strays(parent: str, uid: int, proc: str) -> int:
    """Remove a user's stray job logs; raises OSError, or Unseen where nothing can be told."""
    # Listed before anybody is looked at: whoever lives has had its log open since then.
    found = [each for each in logs_in(parent, uid) if len(each.name) >= _SHORTEST]
    if not found:
        return 0
    living = makers(parent, uid, proc)
    if not are_in_control(living):
        return 0
    held = {each.identity for one in living for each in found if each.identity in one.logs}
    held.update(each.identity for each in held_by_others(found, living, uid, proc))
    with opened(parent) as place:
        return sum(
            _looks_like_one(each, place) and _remove(each, place, uid)
            for each in found
            if each.identity not in held
        )


def _looks_like_one(log: JobLog, place: int) -> bool:
    """Tell whether a file is private, and empty as a log is for some seconds, or has its first line."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
    try:
        descriptor = os.open(log.name, flags, dir_fd=place)
        try:
            status = os.fstat(descriptor)
            head = os.read(descriptor, _HEAD_BYTES)
        finally:
            os.close(descriptor)
    except OSError:
        return False
    is_private = status.st_nlink == 1 and not status.st_mode & _OTHERS
    return is_private and (not head or _FIRST_WORDS in head)


def _remove(log: JobLog, parent: int, uid: int) -> bool:
    """Remove a job log, and tell whether it was there."""
    try:
        found = os.stat(log.name, dir_fd=parent, follow_symlinks=False)
        is_same = (found.st_dev, found.st_ino) == log.identity
        if not is_same or not stat.S_ISREG(found.st_mode) or found.st_uid != uid:
            return False
        os.unlink(log.name, dir_fd=parent)
    except (OSError, ValueError):
        return False
    return True
