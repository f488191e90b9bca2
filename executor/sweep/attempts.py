"""Whether a job whose known directories are gone has one that nothing at the engine names yet.

Each attempt of prepare has a directory of its own, and finds what an earlier one left under the names
of the job: while it pulls, the earlier one's network is all that there is, labels and all.
"""

import os

from executor.names import LABEL
from executor.notation.owner import Owner
from executor.sweep.files import find_left
from executor.sweep.jobs import Found
from executor.sweep.verdict import Directories


def directories_elsewhere(found: Found, owner: Owner, proc: str = "/proc") -> Directories:
    """Return whether a living owner has another directory of a job beside those that are named."""
    parents = {each.rpartition("/")[0] for each in found.temp_dirs}
    try:
        uid = os.stat(f"{proc}/{owner.pid}").st_uid  # noqa: PTH116 (pathlib costs 9 ms)
        for parent in parents:
            place = f"{proc}/{owner.pid}/root{parent}"
            os.listdir(place)  # noqa: PTH208 (what may not be looked at is not known)
            if any(each.facts.get(LABEL) == found.key for each in find_left(place, "", {uid})):
                return Directories.THERE
    except OSError:
        return Directories.UNKNOWN
    return Directories.GONE
