"""What this host shows of the gitlab-runner processes that jobs belong to.

Only what is seen from where an owner lived is proof.  What may not be looked at is unknown, and never
gone: the kernel hides processes of other users where the administrator asks for it (hidepid), and
directories of other mount namespaces from all but root.
"""

import os
import stat
from collections.abc import Callable
from functools import cached_property

from executor.host.owner import Host, lives, this_host
from executor.notation.owner import NO_MACHINE, Owner
from executor.sweep.verdict import Directories, Life

_LARGEST_PID = 2**22
"""The kernel has no larger ones."""


class View:
    """Where the sweeping process stands, and whom it may ask."""

    def __init__(
        self,
        *,
        local: bool,
        engine_host: Callable[[], tuple[str, str]],
        container: Callable[[str], dict[str, object] | None],
        proc: str = "/proc",
        machine_id_file: str = "/etc/machine-id",
    ) -> None:
        """Take whether the engine is reached on this machine, and how it is asked.

        `engine_host` asks for the name of its host and the version of its kernel, `container` for a
        container by its id, which is None where the engine says that there is none.
        """
        self.proc = proc
        self._local = local
        self._engine_host = engine_host
        self._container = container
        self._machine_id_file = machine_id_file
        self._lives: dict[tuple[Owner, str], Life] = {}

    @cached_property
    def here(self) -> Host:
        """Return where this process lives."""
        return this_host(self.proc, self._machine_id_file)

    @cached_property
    def is_engines_host(self) -> bool:
        """Tell whether the engine says that it runs on this very host.

        Cloned machines have the same id.
        """
        here = os.uname()
        return self._engine_host() == (here.nodename, here.release)

    def life_of(self, owner: Owner | None, container: str) -> Life:
        """Return what is known of an owner; `container` is `<id>@<StartedAt>`, or empty.

        Each is looked at once: a host may have a hundred jobs of one owner.
        """
        if owner is None:
            return Life.UNKNOWN
        if (owner, container) not in self._lives:
            found = self._seen(owner)
            if found is Life.UNKNOWN and container:
                found = self._by_container(container)
            self._lives[owner, container] = found
        return self._lives[owner, container]

    def directories_of(self, owner: Owner, paths: tuple[str, ...]) -> Directories:
        """Return whether temporary directories are there as a living owner sees them."""
        seen = {directory_seen(f"{self.proc}/{owner.pid}/root", each) for each in paths}
        if not seen or Directories.THERE in seen:
            return Directories.THERE if seen else Directories.UNKNOWN
        return Directories.UNKNOWN if Directories.UNKNOWN in seen else Directories.GONE

    def _seen(self, owner: Owner) -> Life:
        """Return what the kernel tells of an owner."""
        here = self.here
        if not (owner.local and self._local and here.boot) or owner.machine != here.machine:
            return Life.UNKNOWN
        if owner.boot != here.boot:
            known = owner.machine != NO_MACHINE and self.is_engines_host
            return Life.REBOOTED if known else Life.UNKNOWN
        if not here.namespace or owner.namespace != here.namespace:
            return Life.UNKNOWN
        if not 0 < owner.pid <= _LARGEST_PID:
            return Life.UNKNOWN
        is_alive = lives(owner.pid, owner.started, self.proc)
        return Life.UNKNOWN if is_alive is None else Life.ALIVE if is_alive else Life.GONE

    def _by_container(self, text: str) -> Life:
        """Return what the engine tells of the container that an owner lives in."""
        identity, _, began = text.partition("@")
        if not identity or not began or not identity.isalnum():
            return Life.UNKNOWN
        found = self._container(identity)
        if found is None:
            return Life.CONTAINER_GONE
        state = found.get("State")
        told = state if isinstance(state, dict) else {}
        started, runs = told.get("StartedAt"), told.get("Running")
        if not isinstance(started, str) or not isinstance(runs, bool):
            return Life.UNKNOWN
        return Life.UNKNOWN if started == began and runs else Life.CONTAINER_GONE


def directory_seen(root: str, path: str) -> Directories:
    """Return whether a directory is there below the root directory of a process.

    It is gone only where the directory above it can be seen: that one is there still.
    """
    parts = path.split("/")[1:]
    if path[:1] != "/" or not all(parts) or not {".", ".."}.isdisjoint(parts):
        return Directories.UNKNOWN
    place = root
    try:
        for part in parts[:-1]:
            place = f"{place}/{part}"
            # A link would lead out of this root into ours.
            if not stat.S_ISDIR(os.lstat(place).st_mode):
                return Directories.UNKNOWN
    except (OSError, ValueError):  # the second where a label holds what no path may
        return Directories.UNKNOWN
    try:
        os.lstat(f"{place}/{parts[-1]}")
    except FileNotFoundError:
        return Directories.GONE
    except (OSError, ValueError):
        return Directories.UNKNOWN
    return Directories.THERE
