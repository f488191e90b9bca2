"""What runs of the rig, and what a run that was cut off has left of it."""

from tests.rig import engine, git, processes
from tests.rig.directories import remove
from tests.rig.paths import WORK
from tests.rig.say import say

REGISTRIES = ("gitlab", "proxy", "hub")


def running() -> list[str]:
    """Return the names of the processes that run now."""
    names = [engine.PROCESS, *(f"registry-{name}" for name in REGISTRIES), git.PROCESS]
    return [name for name in names if processes.running(name) is not None]


def clear() -> None:
    """Remove the working files that no process of the rig uses any more: they may be torn."""
    if WORK.exists() and not running():
        engine.end_remains()
        remove(WORK)
        say(f"An earlier run was cut off: what it has left in {WORK} is removed.")
