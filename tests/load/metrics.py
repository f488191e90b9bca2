"""Counters that equal the jobs that ran, while many processes write and the exporter is killed.

`python -m tests.load.metrics` has 12 processes leave the records of 200 jobs each, at the same time, of
jobs that end in all ways.  Meanwhile `dind-executor metrics` is killed (SIGKILL) at random moments and
started again; no counter may ever go back.  In the end each must have the number of jobs, of calls and of
pulls that the processes have left.  Then it prints what a job pays for its records: while they are
followed, and with a full disk.
"""

import argparse
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families as families

from executor.record import spool, stage
from tests.record.samples import thing
from tests.web import direct

Name = tuple[str, ...]

STEPS = ("prepare_script", "get_sources", "restore_cache", "step_script", "after_script", "archive_cache", "cleanup_file_variables")  # fmt: skip
HOST = {"outcome": "system_failure", "reason": "engine_away"}
ENDINGS: tuple[tuple[str, str, dict[str, dict[str, str]]], ...] = (
    ("success", "none", {}),
    ("success", "none", {"after_script": {"outcome": "script_failure", "reason": "script"}}),
    ("script_failure", "script", {"step_script": {"outcome": "script_failure", "reason": "script"}}),
    ("system_failure", "lost", {"step_script": {"outcome": "system_failure", "reason": "lost"}}),
    ("canceled", "cancelled", {"step_script": {"outcome": "cancelled", "reason": "cancelled"}}),
    ("timeout", "cancelled", {"step_script": {"outcome": "cancelled", "reason": "cancelled"}, "cleanup": {"outcome": "success", "result": "timedout"}}),
    ("script_failure", "policy", {"prepare": {"outcome": "build_failure", "reason": "policy"}}),
    ("success", "none", {"first": HOST}),
    ("system_failure", "engine_away", {"first": HOST, "second": HOST, "prepare": HOST}),
)  # fmt: skip
"""How jobs end: with what result and reason, and which calls do what."""

_LEAVES = """\
import random, sys
from executor.record import spool
from tests.load import metrics
spool.MOST_BYTES = int(sys.argv[3])
metrics.leave_jobs(sys.argv[1], int(sys.argv[2]), int(sys.argv[4]))
"""
CALLS = (("config", 1), ("prepare", 30), ("run", 3), ("cleanup", 8))
"""The kinds of calls, and how many things each notes."""

_LEAVES_ONE = """\
import importlib, sys, time
import executor.cli
from executor.log import AdministratorLog
_, name, directory, noted = sys.argv
importlib.import_module(f"executor.stages.{name}")
log = AdministratorLog(name)
log.open("none:", 1, 2, directory, key="cost")
for _ in range(int(noted)):
    log.done("container started", time.monotonic(), container="x")
if name != "config":
    importlib.import_module("executor.record.meanwhile")
began, processor = time.perf_counter(), time.process_time()
from executor.record.stage import leave
leave(log, None)
print(time.perf_counter() - began, time.process_time() - processor)
"""
_COMMAND = (sys.executable, "-m", "executor", "metrics")
_OPENER = direct()
_JOB_BYTES = 4500
"""What a job here leaves."""


def leave_jobs(directory: str, number: int, jobs: int) -> None:
    """Leave the records of jobs, and print what a count of them has to be."""
    chance = random.Random(number)
    told: Counter[Name] = Counter()
    for each in range(jobs):
        result, reason, changes = chance.choice(ENDINGS)
        told["dind_executor_jobs_total", result, reason] += 1
        for record in records(f"{number}-{each}", changes):
            spool.append(directory, stage.line(record))
            step = str(record.get("step", ""))
            name = "dind_executor_stage_duration_seconds_count"
            told[name, str(record["stage"]), step, str(record["outcome"])] += 1
            told["dind_executor_image_pulls_total", "success", "always"] += len(pulls(record))
        time.sleep(chance.random() * 0.03)
    print(json.dumps([[*name, count] for name, count in told.items()]))


def pulls(record: dict[str, object]) -> list[object]:
    did = record["did"]
    return [each for each in did if each["what"] == "pull"] if isinstance(did, list) else []


def records(key: str, changes: dict[str, dict[str, str]]) -> Iterator[dict[str, object]]:
    """Yield the records of a job."""
    for attempt in ("first", "second", "prepare"):
        if attempt == "prepare" or attempt in changes:
            yield a_record(key, "config", {})
            yield a_record(key, "prepare", changes.get(attempt, {}))
            if attempt != "prepare" or attempt in changes:
                yield a_record(key, "cleanup", {})
    if "prepare" in changes:
        return
    for step in STEPS:
        yield a_record(key, "run", changes.get(step, {}), step)
    yield a_record(key, "cleanup", changes.get("cleanup", {}))


def a_record(
    key: str, name: str, changes: dict[str, str], step: str | None = None
) -> dict[str, object]:
    """Return a record of the usual length."""
    did = [thing("script", 0.0, 0.5, container="build", exit_code=0)] * 2
    if name == "prepare":
        did = [
            thing("pull", 0.0, 0.5, image="docker:28", bytes=1000, policy="always"),
            *[thing("start", 0.5, 0.6, container="dind")] * 25,
        ]
    known = {"step": step} if step else {}
    at = {"at": time.time(), "clock": time.monotonic(), "seconds": 0.0, "start": 0.03}
    common = {"v": 1, **at, "job": 1, "project": 2, "key": key, "stage": name}
    return {**common, "outcome": "success", **known, **changes, "did": did}


@contextmanager
def exporter(settings: Path) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """Serve until the block ends, which is a kill."""
    process = subprocess.Popen(
        [*_COMMAND, "--settings", settings, "--listen", "127.0.0.1:0"],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        yield process, process.stdout.readline().partition("http")[2].strip()
    finally:
        process.kill()
        process.communicate()


def scrape(url: str) -> dict[Name, float]:
    """Return what counts, by its name and the values of its labels in the order of the table."""
    with _OPENER.open(f"http{url}metrics", timeout=60) as answer:
        text = answer.read().decode()
    return {
        (each.name, *(each.labels[label] for label in _order(each.name) if label in each.labels)): each.value
        for family in families(text)
        for each in family.samples
        if family.type == "counter" or each.name.endswith("_count")
    }  # fmt: skip


def _order(name: str) -> tuple[str, ...]:
    return (
        ("stage", "sub_stage", "outcome")
        if "stage_duration" in name
        else ("result", "reason", "policy", "effect", "container", "phase")
    )


def watch(settings: Path, writers: "list[subprocess.Popen[str]]", seed: int) -> tuple[int, int]:
    """Scrape and kill until nobody writes any more; return how often it was scraped and killed."""
    chance = random.Random(seed)
    last: dict[Name, float] = {}
    scrapes = kills = 0
    while any(each.poll() is None for each in writers):
        with exporter(settings) as (_, url):
            end = time.monotonic() + chance.random()
            while url and time.monotonic() < end:
                found = scrape(url)
                back = [name for name, value in last.items() if found[name] < value]
                assert not back, back
                last, scrapes = found, scrapes + 1
        kills += 1
    return scrapes, kills


def try_counting(directory: Path, processes: int, jobs: int, seed: int) -> str:
    """Write, watch and compare; return a line that tells of it.  Raises AssertionError."""
    settings = directory / "settings.toml"
    settings.write_text(
        f'[docker]\nhost = "unix://{directory}/none.sock"\n[sweep]\nstate_dir = "{directory}"\n'
    )
    # Two files hold everything, so that nothing is lost while nobody reads.
    most = max(processes * jobs * _JOB_BYTES * 2 // 3, 10_000)
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", _LEAVES, directory / "spool", str(each), str(most), str(jobs)],
            stdout=subprocess.PIPE,
            text=True,
        )
        for each in range(processes)
    ]
    scrapes, kills = watch(settings, writers, seed)
    wanted: Counter[Name] = Counter()
    for each in writers:
        said, _ = each.communicate()
        assert each.returncode == 0
        wanted.update({tuple(name): count for *name, count in json.loads(said)})
    with exporter(settings) as (_, url):
        found = scrape(url)
    wrong = {
        name: (found.get(name), count) for name, count in wanted.items() if found.get(name) != count
    }
    assert not wrong, f"counted and left: {wrong}"
    total = sum(value for name, value in found.items() if name[0] == "dind_executor_jobs_total")
    assert total == processes * jobs
    sizes = [each.stat().st_size for each in (directory / "spool").iterdir()]
    assert len(sizes) == 2, sizes
    assert (
        found["dind_executor_spool_gaps_total",]
        == found["dind_executor_spool_bad_lines_total",]
        == 0
    )
    return f"{total:.0f} jobs, counted exactly; {scrapes} scrapes, {kills} kills"  # fmt: skip


def cost(directory: Path, times: int = 15) -> str:
    """Return what a job pays for its records: the sum of its calls, each a process of its own.

    Of each kind of call it is the median of some, from when the stage has done all else: the modules
    are loaded, and the record is made and appended.  All but config load them while the engine works.
    """
    wall = processor = 0.0
    for name, noted in CALLS:
        command = [sys.executable, "-I", "-c", _LEAVES_ONE, name, str(directory), str(noted)]
        taken = [
            [
                float(each)
                for each in subprocess.check_output(command, text=True, timeout=60).split()
            ]
            for _ in range(times)
        ]
        calls = len(STEPS) if name == "run" else 1
        wall += statistics.median(each[0] for each in taken) * calls
        processor += statistics.median(each[1] for each in taken) * calls
    return f"{wall * 1000:.2f} ms, {processor * 1000:.2f} ms of the processor"


@contextmanager
def full_disk(place: Path) -> Iterator[Path]:
    """Give a directory on a disk that is full."""
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", place], check=True)
    try:
        with (place / "all").open("wb", buffering=0) as file:
            try:
                while file.write(b"x" * 512):
                    pass
            except OSError:
                pass
        yield place
    finally:
        subprocess.run(["umount", place], check=True)


def main(args: list[str]) -> int:
    """Try it; return 1 where a number is wrong."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--processes", type=int, default=12)
    parser.add_argument("--jobs", type=int, default=200)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    given = parser.parse_args(args)
    print(f"seed {given.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="metrics-") as name:
        directory = Path(name)
        try:
            print(try_counting(directory, given.processes, given.jobs, given.seed), flush=True)
        except AssertionError:
            traceback.print_exc(file=sys.stdout)
            return 1
        with exporter(directory / "settings.toml"):
            print(f"A job pays {cost(directory / 'spool')}, while records are followed")
        with full_disk(directory / "full") as full:
            print(f"A job pays {cost(full)}, with a full disk")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
