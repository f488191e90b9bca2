"""What the host's kernel knows of a container's first process: its memory, and its own sockets.

`run` loads this, so it imports little.
"""

import os
from stat import S_ISSOCK

_CGROUPS = "/sys/fs/cgroup"
_INSIDE = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC
_MOST_BYTES = 64 * 1024


class FirstProcess:
    """A container's first process, which stays the same one for as long as this is open."""

    __slots__ = ("_cgroups", "_container", "_directory")

    def __init__(
        self, pid: int, container: str, proc: str = "/proc", cgroups: str = _CGROUPS
    ) -> None:
        """Take what the engine says of a container.  Raises OSError where it is not here."""
        self._directory = os.open(f"{proc}/{pid}", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self._container = container
        self._cgroups = cgroups

    def close(self) -> None:
        """Let go of it."""
        os.close(self._directory)

    def peak_memory(self) -> int | None:
        """Return the most bytes that the container had, cached files included; None if unknown.

        A kernel before 5.19 does not say it of control groups of version 2.
        """
        places = self._places()
        if "memory" in places:
            file = f"{self._cgroups}/memory{places['memory']}/memory.max_usage_in_bytes"
        elif "" in places:
            file = f"{self._cgroups}{places['']}/memory.peak"
        else:
            return None
        try:
            with open(file, "rb") as opened:  # noqa: PTH123 (pathlib costs 9 ms a call)
                return int(opened.read(64))
        except (OSError, ValueError):
            return None

    def socket(self, *path: str) -> int:
        """Return a descriptor of a socket in the container's root; the caller closes it.

        Nobody in the container leads this to a socket of the host: no link is followed.  Raises OSError,
        also where this is not the container's process.
        """
        if not self._places():
            raise ProcessLookupError
        inside = os.open("root", os.O_PATH | os.O_CLOEXEC, dir_fd=self._directory)
        for name in path:
            outside = inside
            try:
                inside = os.open(name, _INSIDE, dir_fd=outside)
            finally:
                os.close(outside)
        if not S_ISSOCK(os.fstat(inside).st_mode):
            os.close(inside)
            raise FileNotFoundError
        return inside

    def _places(self) -> dict[str, str]:
        """Return the container's control groups by their controllers; "" is that of version 2.

        Nothing where the process is another one: its number was given again, or is another host's.
        """
        try:
            descriptor = os.open("cgroup", os.O_RDONLY | os.O_CLOEXEC, dir_fd=self._directory)
        except OSError:
            return {}
        try:
            text = os.read(descriptor, _MOST_BYTES).decode(errors="replace")
        finally:
            os.close(descriptor)
        found: dict[str, str] = {}
        for line in text.splitlines():
            _, _, rest = line.partition(":")
            controllers, _, path = rest.partition(":")
            before, own, below = path.partition(self._container)
            if own and ".." not in before:
                # dind's processes lie in groups below its container's
                place = f"{before}{own}{below.partition('/')[0]}"
                found |= dict.fromkeys(controllers.split(","), place)
        return found
