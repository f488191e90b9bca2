"""What prepare notes for the job's summary, which the last `run` call prints."""

from contextlib import suppress

from executor.log import AdministratorLog
from executor.names import JobNames
from executor.quick_json import dumps
from executor.runner import notes


def leave_costs(temp_dir: str, names: JobNames, log: AdministratorLog) -> None:
    """Note what prepare has pulled, and how long the sidecar took to start.

    A disk that is full does not matter here.
    """
    events = [event for _, event in log.noted]
    pulls = [
        (log.readable(str(each["image"])), each["seconds"], each.get("bytes"))
        for each in events
        if each["event"] == "image pulled"
    ]
    started = [
        each["seconds"]
        for each in events
        if each["event"] == "container started" and each["container"] == names.dind
    ]
    costs = {"pulls": pulls, "dind_started": next(iter(started), None)}
    with suppress(OSError):
        notes.leave(temp_dir, notes.COSTS, dumps(costs).encode())
