"""The temporary directories in which jobs of a gitlab-runner that is gone have left their secrets.

gitlab-runner (17.9 to 19.4) makes `custom-executor<number>` in its TMPDIR for each attempt of
prepare, and removes it after cleanup: with the payload, the scripts, and the notes of our stages.
One that no note signs has not come to the end of config, as a rule (`unsigned`).
"""

import fcntl
import os
import re
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from itertools import islice
from typing import NamedTuple

from executor.names import OWNER_CONTAINER_LABEL, OWNER_LABEL, TEMP_DIR_LABEL
from executor.notation.owner import owner_text
from executor.quick_json import loads
from executor.runner import notes
from executor.sweep.descriptors import Refused, empty, open_directory, read_file

TYPE_CHECKING = False  # the name counts for checkers, and few sweeps read a payload
if TYPE_CHECKING:
    from executor.sweep.payload import LeftPayload

PAYLOAD = "response.json"

_NAME = re.compile(r"custom-executor[0-9]{1,20}")
LOG_NAME = re.compile(r"trace[0-9]{1,20}")
_MOST_LISTED = 20_000
"""How many names are looked at in a directory that others fill as well."""
_MOST_DIRECTORIES = 1_000
_MOST_NOTE_BYTES = 64 << 10
MOST_PAYLOAD_BYTES = 16 << 20
_PAUSE_SECONDS = 0.1


class LeftDirectory(NamedTuple):
    """A job's temporary directory that says whose it is."""

    parent: str
    name: str
    identity: tuple[int, int]
    """Its device and inode."""
    uid: int
    facts: Mapping[str, str]
    """What the note says of the job, by the names of the labels."""
    is_signed: bool = True
    """Whether the note names the gitlab-runner that made it; what it has of a job is known else."""

    @property
    def path(self) -> str:
        """Return where it is."""
        return f"{self.parent}/{self.name}"


def find_left(
    parent: str, own: str, uids: Collection[int], others: Collection[str] = ()
) -> list[LeftDirectory]:
    """Return the temporary directories of some users' jobs in a directory, without our own one.

    Those whose paths are among `others` are left out: most of them are of jobs that live.  What
    cannot be read is none of them.
    """
    return look_into(parent, own, uids, others)[0]


def look_into(
    parent: str, own: str, uids: Collection[int], others: Collection[str] = ()
) -> tuple[list[LeftDirectory], bool]:
    """Return what `find_left` does, and whether there are more job logs than directories of jobs.

    Each job that lives has one of both.
    """
    found: list[LeftDirectory] = []
    own_name = own.rpartition("/")[2]
    names: list[str] = []
    logs = 0
    with suppress(OSError), opened(parent) as directory:
        names, _, logs = names_in(directory)
        for name in names:
            if f"{parent}/{name}" in others or name == own_name:
                continue
            if len(found) < _MOST_DIRECTORIES:
                with suppress(OSError, ValueError, RecursionError):
                    found.append(_look_at(parent, name, directory, uids))
    return found, logs > len(names)


def _look_at(parent: str, name: str, within: int, uids: Collection[int]) -> LeftDirectory:
    """Return what a directory says of itself, or what its payload says; raises as `look_at`."""
    noted = None
    # Not there, or emptied by a host that lost its power.
    with suppress(FileNotFoundError, ValueError, RecursionError):
        noted = look_at(parent, name, within, uids)
        is_unknown = noted.facts.get(OWNER_LABEL) == owner_text(None)
        if not is_unknown or noted.facts.get(OWNER_CONTAINER_LABEL):
            return noted
    from executor.sweep.unsigned import look_without_note  # noqa: PLC0415 (rarely needed)

    return look_without_note(parent, name, within, uids, noted)


def read_payload(left: LeftDirectory) -> "LeftPayload":
    """Return what it takes to speak of the job to GitLab; raises UnusablePayload."""
    from executor.sweep.payload import (  # noqa: PLC0415 (only where somebody died)
        UnusablePayload,
        parse_left_payload,
    )

    try:
        with opened(left.parent) as parent, _same(left, parent) as directory:
            content = read_file(PAYLOAD, directory, MOST_PAYLOAD_BYTES)
            known = [note_in(directory, each) for each in (notes.AUTHORITIES, notes.SYSTEM_ID)]
    except OSError as error:
        raise UnusablePayload(error.strerror or str(error)) from None
    return parse_left_payload(content, *(each.decode("ascii", "ignore") for each in known))


@contextmanager
def claimed(left: LeftDirectory, patience_seconds: float = 0.0) -> Iterator[bool]:
    """Tell, until the end of the block, whether no other sweep works on this directory.

    One that does is waited for as long as there is patience.  Raises FileNotFoundError where the
    directory is gone, as a sweep that is done with it leaves it.
    """
    with ExitStack() as stack:
        try:
            parent = stack.enter_context(opened(left.parent))
            _claim(stack.enter_context(_same(left, parent)), patience_seconds)
            stack.enter_context(_same(left, parent))  # still, after the wait
        except FileNotFoundError:
            raise
        except OSError:
            is_ours = False
        else:
            is_ours = True
        yield is_ours


def remove_left(left: LeftDirectory, proc: str = "/proc", patience_seconds: float = 0.0) -> str:
    """Remove a directory, and the job logs that its gitlab-runner kept; return "" or why it stays.

    The caller has proved that its gitlab-runner is dead.  The note goes last, so that what an
    interrupted removal leaves can still be told.  Another sweep that works on it is waited for as
    long as there is patience.
    """
    from executor.sweep.logs import remove_known_logs  # noqa: PLC0415 (only where somebody died)
    from executor.sweep.processes import is_worked_in  # noqa: PLC0415

    try:
        with opened(left.parent) as parent:
            with _same(left, parent) as directory:
                _claim(directory, patience_seconds)
                if is_worked_in(left.path, left.identity, proc):
                    return "a process works in it"
                remove_known_logs(directory, parent, left.uid)
                stays = empty(directory, last=notes.OWNER, proc=proc)
            if stays:
                return "; ".join(stays[:3])
            os.rmdir(left.name, dir_fd=parent)
    except FileNotFoundError:
        return ""
    except BlockingIOError:
        return "another sweep works on it"
    except OSError as error:
        return error.strerror or str(error)
    return ""


def _claim(directory: int, patience_seconds: float) -> None:
    """Keep other sweeps away until the descriptor is closed; raises BlockingIOError."""
    deadline = time.monotonic() + patience_seconds
    while True:
        try:
            fcntl.flock(directory, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise
            time.sleep(_PAUSE_SECONDS)
        else:
            return


def look_at(parent: str, name: str, within: int, uids: Collection[int]) -> LeftDirectory:
    """Return what a directory says of itself; raises OSError, ValueError or RecursionError."""
    directory = open_directory(name, within, uids)
    try:
        found = os.fstat(directory)
        said = loads(read_file(notes.OWNER, directory, _MOST_NOTE_BYTES))
    finally:
        os.close(directory)
    if not isinstance(said, dict):
        raise Refused("its note is no JSON object")
    facts = {key: value for key, value in said.items() if isinstance(value, str)}
    # Its stages are found by this and ended, so a note speaks of its own directory and of no other.
    if facts.get(TEMP_DIR_LABEL, name).rpartition("/")[2] not in ("", name):
        raise Refused("its note is of another directory")
    return LeftDirectory(parent, name, (found.st_dev, found.st_ino), found.st_uid, facts)


def names_in(directory: int) -> tuple[list[str], bool, int]:
    """Return the names of jobs' directories there, whether these are all, and the number of job logs."""
    with os.scandir(directory) as listed:
        names = [each.name for each in islice(listed, _MOST_LISTED + 1)]
    jobs = sorted(each for each in names[:_MOST_LISTED] if _NAME.fullmatch(each))
    logs = sum(LOG_NAME.fullmatch(each) is not None for each in names)
    return jobs, len(names) <= _MOST_LISTED, logs


def note_in(directory: int, name: str) -> bytes:
    """Return what an optional note says."""
    try:
        return read_file(name, directory, _MOST_NOTE_BYTES)
    except FileNotFoundError:
        return b""


@contextmanager
def opened(parent: str) -> Iterator[int]:
    """Hold a directory open in which others have theirs; raises OSError."""
    descriptor = os.open(parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def _same(left: LeftDirectory, parent: int) -> Iterator[int]:
    """Open a directory again; raises FileNotFoundError where it is gone, or another one by now."""
    descriptor = open_directory(left.name, parent, (left.uid,))
    try:
        found = os.fstat(descriptor)
        if (found.st_dev, found.st_ino) != left.identity:
            raise FileNotFoundError(left.path)
        yield descriptor
    finally:
        os.close(descriptor)
