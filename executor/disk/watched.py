"""What prepare leaves for the watch of `run`: where the disks are, and what the job may fill there."""

from typing import NamedTuple

from executor.disk.limits import Limits
from executor.host.disk import Place
from executor.quick_json import dumps, loads


class Watched(NamedTuple):
    """What is watched for a job."""

    places: tuple[Place, ...]
    limits: Limits
    root: str
    """Where this host sees the engine's root directory, "" for its own."""
    since: float
    """When the job began, in seconds since 1970."""
    volumes: tuple[str, ...]
    """The volumes that last beyond the job and that it may fill."""
    paths: tuple[str, ...]
    """Directories of the engine's host like them."""
    directory: str
    """Where the jobs of the host meet."""

    def noted(self) -> bytes:
        """Return the note."""
        return dumps(self).encode()

    @classmethod
    def read(cls, note: bytes) -> "Watched":
        """Return what a note says; raises ValueError or TypeError where it is another version's."""
        places, limits, root, since, volumes, paths, directory = loads(note)
        return cls(
            tuple(Place(name, path, its, tuple(keeps)) for name, path, its, keeps in places),
            Limits(*limits),
            root,
            since,
            tuple(volumes),
            tuple(paths),
            directory,
        )
