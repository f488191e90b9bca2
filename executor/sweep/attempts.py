"""Whether a job whose known directories are gone has one that nothing at the engine names yet.

Each attempt of prepare has a directory of its own, and finds what an earlier one left under the names
of the job: while it pulls, the earlier one's network is all that there is, labels and all.
"""

import os
import stat

from executor.names import LABEL
from executor.notation.owner import Owner
from executor.quick_json import loads
from executor.sweep.descriptors import open_directory, read_file
from executor.sweep.files import MOST_PAYLOAD_BYTES, PAYLOAD, look_at, names_in, opened
from executor.sweep.jobs import Found
from executor.sweep.verdict import Directories


def directories_elsewhere(found: Found, owner: Owner, proc: str = "/proc") -> Directories:
    """Return whether a living owner has another directory of a job beside those that are named."""
    parents = {each.rpartition("/")[0] for each in found.temp_dirs}
    try:
        uid = os.stat(f"{proc}/{owner.pid}").st_uid  # noqa: PTH116 (pathlib costs 9 ms)
        seen = {_seen_in(f"{proc}/{owner.pid}/root{each}", found, uid) for each in parents}
    except OSError:
        return Directories.UNKNOWN
    return next(
        (each for each in (Directories.THERE, Directories.UNKNOWN) if each in seen),
        Directories.GONE,
    )


def _seen_in(parent: str, found: Found, uid: int) -> Directories:
    """Return whether a directory there may be the job's; raises OSError where nothing can be seen."""
    with opened(parent) as place:
        names, is_all, _ = names_in(place)
        seen = Directories.GONE if is_all else Directories.UNKNOWN
        for name in names:
            try:
                status = os.stat(name, dir_fd=place, follow_symlinks=False)
                if not stat.S_ISDIR(status.st_mode) or status.st_uid != uid:
                    continue
                if look_at(parent, name, place, (uid,)).facts.get(LABEL) == found.key:
                    return Directories.THERE
            except (OSError, ValueError, RecursionError):
                # Its note is not there yet, or found no room on a full disk.
                if not _is_of_another_job(name, place, uid, found.job_id):
                    seen = Directories.UNKNOWN
    return seen


def _is_of_another_job(name: str, place: int, uid: int, job_id: str) -> bool:
    """Tell whether a directory without a note is gone by now, or its payload names another job."""
    try:
        directory = open_directory(name, place, (uid,))
    except OSError as error:
        return isinstance(error, FileNotFoundError)
    try:
        said = loads(read_file(PAYLOAD, directory, MOST_PAYLOAD_BYTES))
    except (OSError, ValueError, RecursionError):
        return False
    finally:
        os.close(directory)
    return isinstance(said, dict) and "id" in said and str(said["id"]) != job_id
