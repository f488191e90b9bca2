"""A host as a test says, and what Prometheus would read of it."""

import time

from prometheus_client.parser import text_string_to_metric_families as families

from executor.budgets.measured import Measured, Measurement
from executor.commands.metrics.counts import Counts
from executor.commands.metrics.exposition import exposition
from executor.commands.metrics.host import EngineSeen, Host, Seen
from executor.commands.metrics.left import Check, Doctor, Left, Sweep
from executor.host.disk import Free, Place
from executor.record.endings import Ended
from executor.runner.environ import RunnerEnv
from executor.settings.file import read_settings
from tests.record.samples import a_job

__all__ = ["LEFT", "SEEN", "Pretended", "a_scrape", "families", "some_counts"]

LEFT = Left(
    Sweep(time.time(), "reap", {"keep": 2, "remove": 0, "undecided": 1}, 0, (), ""),
    Measurement(1795936000.0, (Measured("builds", "b", 5),)),
    Doctor(
        at=1795936000.0,
        is_ok=False,
        counts={"ok": 3, "warn": 1, "fail": 0, "error": 0, "skip": 0},
        checks=(Check("a", "ok", "b", ""),),
    ),
)
SEEN = Seen(
    EngineSeen("28.5.2", 3, 24448, ({"Labels": {"dind-executor.job": "1-a"}},)),
    [(Place("/var/lib/docker", "/var/lib/docker", 1), Free(100, 50, 1000))],
    LEFT,
)


class Pretended(Host):
    """A host that looks as a test says."""

    def __init__(self, seen: Seen) -> None:
        settings = read_settings('[budgets]\nvolumes_size = "2GiB"\n', "x")
        super().__init__(settings, RunnerEnv({}))
        self.seen = seen

    def look(self) -> Seen:
        return self.seen


def a_scrape(seen: Seen = SEEN, counts: Counts | None = None, accepts: str = "") -> str:
    content, _ = exposition(counts or some_counts(), Pretended(seen), 1.5, accepts)
    return content.decode()


def some_counts() -> Counts:
    counts = Counts()
    for each in a_job():
        counts.count(each)
    counts.end(Ended("k", "script_failure", "script"))
    return counts
