"""Writes docs/scale.md, or prints its tables for a fleet of your own.

    python -m benchmarks.scale
    python -m benchmarks.scale --hosts 350 --concurrent 6 --load 0.5 --job-seconds 400

The figures of one job and one host are in benchmarks/scale/measured.json (`python -m
benchmarks.scale.measuring`), the words in benchmarks/scale/page.md; the rest is computed.
"""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks import results
from benchmarks.figures import OURS
from benchmarks.figures import Measured as Benchmarks
from benchmarks.page import REPOSITORY, RESULTS
from benchmarks.scale import counted, host, measured, tables
from benchmarks.scale.lines import Assumed, number
from benchmarks.scale.measured import Measured

_WORDS = Path(__file__).with_name("page.md")
PAGE = REPOSITORY / "docs" / "scale.md"


def words(assumed: Assumed, found: Measured) -> Mapping[str, list[str]]:
    """Return the lines for each word of the page."""
    own = own_processor_seconds()
    api = found.api_requests(assumed.job_seconds)
    idle = found.parts["idle"]["answered at once"]
    mirror = found.parts["mirror"]
    job = found.of_job("echo")
    return {
        "jobs": counted.jobs(found),
        "pulls": counted.pulls(found),
        "polls": tables.polls(assumed),
        "gitlab": tables.gitlab(assumed, found),
        "registry": tables.registry(assumed, found),
        "cores": tables.cores(assumed, own),
        "memory": counted.memory(found),
        "addresses": tables.addresses(),
        "warm": tables.warm(assumed),
        "notices": tables.notices(assumed),
        "commands": counted.commands(found),
        "scrapes": tables.scrapes(assumed, found),
        "api": [number(api + 1)],
        "git": [number(found.git_requests)],
        "idle": [number(idle["requests"] / idle["seconds"] * 60)],
        "own": [f"{own:.0f}"],
        "head": [f"{mirror['HEAD manifest']['processor seconds of one'] * 1000:.0f}"],
        "blob": [number(mirror["GET blob"]["processor seconds of one"] * 1000)],
        "blob-mb": [number(mirror["GET blob"]["bytes"] / 1e6)],
        "spool": [number(job["spool bytes"] / 1000)],
        "log": [number(job["log bytes"] / 1000)],
        "series": [str(found.parts["scrape"]["series"])],
        "places": [f"{tables.places():,}"],
        "slots": [str(assumed.slots)],
        "load": [f"{assumed.load * 100:.0f}"],
        "job-seconds": [number(assumed.job_seconds)],
        "jobs-an-hour": [number(assumed.jobs_an_hour(1))],
        "image-mb": [number(assumed.image_mb)],
        "script-seconds": [number(assumed.processor_seconds)],
    }


def own_processor_seconds() -> float:
    """Return what a job that builds costs the whole host, by the benchmarks' results."""
    jobs = Benchmarks(results.read(RESULTS), "jobs", "26.1")
    return host.means(jobs.of_runs("dind", OURS, lambda each: each["host"]).values())


def page() -> str:
    """Return docs/scale.md."""
    text = _WORDS.read_text(encoding="utf-8")
    for word, lines in words(Assumed(), measured.read()).items():
        text = text.replace(f"@{word}@", "\n".join(lines))
    return text


def main(args: Sequence[str] | None = None) -> None:
    """Write the page, or print the tables of a fleet."""
    usual = Assumed()
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--hosts", type=int, help="print the tables for so many, and write nothing")
    parser.add_argument("--concurrent", type=int, default=usual.slots, help="of each host")
    parser.add_argument("--load", type=float, default=usual.load, help="part of it that is busy")
    parser.add_argument("--job-seconds", type=float, default=usual.job_seconds)
    parser.add_argument("--processor-seconds", type=float, default=usual.processor_seconds)
    options = parser.parse_args(args)
    if options.hosts is None:
        PAGE.write_text(page(), encoding="utf-8")
        print(PAGE)
        return
    assumed = replace(
        usual,
        sizes=(options.hosts,),
        slots=options.concurrent,
        load=options.load,
        job_seconds=options.job_seconds,
        processor_seconds=options.processor_seconds,
    )
    for name, lines in words(assumed, measured.read()).items():
        if len(lines) > 1:
            print(f"{name}:", *lines, "", sep="\n")


if __name__ == "__main__":
    main()
