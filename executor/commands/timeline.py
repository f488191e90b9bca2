"""`dind-executor timeline`: shows what a job took, by the records that its stages have left."""

import argparse
import os
import shutil
import sys
from pathlib import Path

from executor.errors import SettingsError
from executor.log import complain
from executor.reading import spool_of
from executor.record.jobs import AmbiguousJob, job_records
from executor.record.svg import as_svg
from executor.record.text import as_text
from executor.record.timeline import timeline
from executor.settings.file import Settings, load_settings

SETTINGS = "/etc/dind-executor/settings.toml"
NONE, USAGE = 1, 2
_FALLBACK = (100, 24)


def main(args: list[str]) -> int:
    """Show a job; return an exit code.

    0: shown. 1: there is no record of it. 2: called or configured wrongly.
    """
    given = _parser().parse_args(args)
    try:
        is_there = given.settings or os.path.exists(SETTINGS)  # noqa: PTH110
        settings = load_settings(given.settings or SETTINGS) if is_there else Settings()
        spool = spool_of(settings)
        if not spool:
            complain(
                "dind-executor timeline: `[log] records = false` in the settings: there are none."
            )
            return USAGE
        records = job_records(spool, given.job, given.url)
    except (SettingsError, AmbiguousJob) as error:
        complain(f"dind-executor timeline: {error}")
        return USAGE
    except OSError as error:
        complain(f"dind-executor timeline: {error.filename}: {error.strerror}")
        return USAGE
    if not records:
        complain(
            f"dind-executor timeline: there is no record of job {given.job} on this host. Is"
            " `[log] records` on, and may gitlab-runner's user write to `[sweep] state_dir`?"
        )
        return NONE
    return _shown(records, given.svg)


def _shown(records: list[dict[str, object]], svg: Path | None) -> int:
    job = timeline(records)
    if svg is None:
        width = shutil.get_terminal_size(_FALLBACK).columns
        block = "█" if (sys.stdout.encoding or "").lower().startswith("utf") else "#"
        print(*as_text(job, width, block), sep="\n")
        return 0
    try:
        svg.write_text(as_svg([job]), encoding="utf-8")
    except OSError as error:
        complain(f"dind-executor timeline: {svg}: {error.strerror}")
        return USAGE
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="dind-executor timeline",
        description="Show what a job took: each call of gitlab-runner, pull, container and script as"
        " a bar on one axis.",
        epilog="Exit codes: 0 shown; 1 there is no record of the job; 2 wrong use.",
    )
    parser.add_argument("job", metavar="JOB-ID", type=int, help="the job's number in GitLab")
    parser.add_argument(
        "--url", default="", help="the address of the job's GitLab, if two share this host"
    )
    parser.add_argument(
        "--svg", metavar="FILE", type=Path, help="write a picture for a browser to this file"
    )
    parser.add_argument(
        "--settings",
        metavar="PATH",
        default="",
        help=f"dind-executor's settings (default: {SETTINGS} if it is there)",
    )
    return parser
