"""The `[disk]` table of the settings: pure."""

from executor.settings import checks
from executor.settings.keys import Section, key

MOST_INODES = 1 << 40


class DiskSettings(Section):
    """How much stays free on the Docker Engine's disks, where dind-executor sees them."""

    floor: str = key(
        "Bytes that stay free on each disk that the Docker Engine fills: that of its data directory, and"
        " that of containerd if images lie there. While jobs run, the job that has written most"
        " is ended before less is free. `0`: nobody looks.",
        default="1g",
        check=checks.wrong_size,
    )
    headroom: str = key(
        "Bytes above the floor that must be free when a job begins. If they are not, prepare removes"
        " what dead jobs left, and the least recently used of what is kept, and then fails as a system"
        " failure. Make it"
        " as large as what your jobs need at once.",
        default="1g",
        check=checks.wrong_size,
    )
    floor_inodes: int = key(
        "The same floor for inodes: the number of files that can still be made. A job needs as many"
        " again to begin. `0`: nobody looks. Ignored on file systems without a fixed number.",
        default=20_000,
        minimum=0,
        maximum=MOST_INODES,
    )
    watch: bool = key(
        "Look at the disks while jobs run, and end the job that has written most before the floor is"
        " crossed, with a sentence in its log. It fails as a script failure, and what it wrote is"
        " removed. The other jobs go on.",
        default=True,
    )
