"""gitlab-runner's helper image, from an archive of its packages: for hosts that reach no registry.

The Docker executor does the same.  Loaded by `prepare`, where the engine has not got the image.
"""

import os
from contextlib import suppress
from pathlib import Path

_KINDS = (".docker.tar.zst", ".tar.xz")
"""Since 17.9 gitlab-runner looks for the first as well; its packages for Linux have the second."""


def find_archives(name: str) -> list[str]:
    """Return the archives of the gitlab-runner that runs us, as the Docker executor tries them."""
    runner = _runner()
    if runner is None:
        return []
    directory = runner.parent.parent / "lib/gitlab-runner/helper-images"
    names = dict.fromkeys((name, name.replace("x86_64", "amd64")))
    paths = [f"{directory}/{each}{kind}" for each in names for kind in _KINDS]
    # Not `Path.is_file`, which raises where a directory may not be entered.
    return [path for path in paths if os.path.isfile(path)]  # noqa: PTH113


def _runner() -> Path | None:
    """Return the program of the gitlab-runner that this process comes from.

    It is the parent, or further up where the hooks are called by a wrapper; None where there is no
    such process, or none that may be looked at.  Then the packaged place would not do either: its
    archives are of the version that is installed, and would get the tag of another.
    """
    pid = os.getppid()
    with suppress(OSError, ValueError, IndexError):
        while pid:
            program = Path(f"/proc/{pid}/exe").readlink()
            if program.name.startswith("gitlab-runner"):
                # One that was replaced while it runs has another version's archives beside it.
                return None if program.name.endswith(" (deleted)") else program
            status = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
            pid = int(status.rpartition(")")[2].split()[1])
    return None
