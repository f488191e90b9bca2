"""`dind-executor doctor`: says what will make jobs fail on this host, and what to do about it."""

import argparse
import json
import os
import signal
import time
from pathlib import Path

from executor import __version__
from executor.commands.doctor.facts import Facts
from executor.commands.doctor.findings import Check, Result, fail
from executor.commands.doctor.gather import Given, gather
from executor.commands.doctor.report import as_json, as_text, counts, is_fit
from executor.commands.doctor.table import AS_JOB, CHECKS, IDS
from executor.commands.doctor.work import check_all
from executor.host.state_files import opened, write
from executor.log import complain, say

FIT, UNFIT, USAGE = 0, 1, 2
RECORD = "doctor.json"


def main(args: list[str]) -> int:
    """Look, and say what was found; return an exit code.

    0: no failure. 1: a failure, or with --strict a warning. 2: wrong use.
    """
    given = _parser().parse_args(args)
    if given.as_job is None and AS_JOB.id in given.only:
        given.as_job = ""
    wrong = _wrong_use(given)
    if wrong:
        complain(f"dind-executor doctor: {wrong}")
        return USAGE
    started = time.monotonic()
    facts = gather(
        Given(
            root=given.root,
            config=_whole(given.config, given.root),
            settings=_whole(given.settings, given.root),
            runner=given.runner,
            user=given.user,
            online=given.online,
        )
    )
    results = check_all(_chosen(given, facts), facts, given.ignore)
    job = None
    if given.as_job is not None:
        result, job = _as_job(given, facts)
        results.append(result)
    fit = is_fit(results, strict=given.strict)
    report: dict[str, object] = {
        "ok": fit,
        "version": __version__,
        "host": os.uname().nodename,
        "at": round(time.time(), 3),
        "seconds": round(time.monotonic() - started, 3),
        "strict": given.strict,
        "counts": counts(results),
        "checks": as_json(results),
        "job": job,
    }
    return _told(given, results, report, facts.settings.sweep.state_dir)


def _whole(path: str, root: str) -> str:
    """Return a path from the root: by that, the gitlab-runner that runs with a file is known."""
    return str(Path(path).absolute()) if path and Path(root).resolve() == Path("/") else path


def _as_job(given: argparse.Namespace, facts: Facts) -> tuple[Result, dict[str, object] | None]:
    """Run a job; return what that says of the host, and how it went."""
    from executor.commands.doctor.as_job import default_image, try_job  # noqa: PLC0415

    ignored = AS_JOB.id in given.ignore
    if facts.engine.problem:
        finding = fail(
            "no job was tried: the engine does not answer", "an engine", "see `engine-socket`"
        )
        return Result(AS_JOB, finding, ignored=ignored), None
    image = given.as_job or default_image(facts)
    complain(f"Running a job with {image} ...")
    signal.signal(signal.SIGTERM, _end)
    signal.signal(signal.SIGHUP, _end)
    job = try_job(facts, image, _whole(given.hooks, given.root))
    return Result(AS_JOB, job.finding(), job.seconds, ignored), job.as_json()


def _end(number: int, _: object) -> None:
    raise SystemExit(128 + number)


def _told(
    given: argparse.Namespace,
    results: list[Result],
    report: dict[str, object],
    state_dir: str,
) -> int:
    if given.json:
        say(json.dumps(report, indent=2))
    else:
        say("\n".join(as_text(results, only_problems=given.only_problems)))
        if os.geteuid():
            say("Run this as root to see more.")
    if given.record is not None:
        file = given.record or (state_dir and f"{state_dir}/{RECORD}")
        wrong = _record(file, json.dumps(report) + "\n") if file else "name a FILE to --record."
        if wrong:
            complain(f"dind-executor doctor: {wrong}")
            return USAGE
    return FIT if report["ok"] else UNFIT


def _record(file: str, text: str) -> str:
    """Write a file as a whole; return why that cannot be done, or ""."""
    path = Path(file).absolute()
    with opened(str(path.parent)) as directory:
        if directory < 0:
            return f"{path.parent} is no directory that can be used"
        try:
            # It may be in a directory of gitlab-runner's user: no link there is followed.
            write(directory, path.name, text.encode())
        except OSError as error:
            return f"{path} cannot be written: {error.strerror}"
    return ""


def _chosen(given: argparse.Namespace, facts: Facts) -> list[Check]:
    """Return the checks to make; one that is named may be online, and is skipped without that.

    An engine that does not answer is a failure, also to who asked about something that needs it; and
    so are settings with a mistake, in whose place the defaults are looked at.
    """
    if given.only:
        wanted = {each.id for each in CHECKS if each.id in given.only}
        if facts.engine.problem and any(each.needs_engine for each in CHECKS if each.id in wanted):
            wanted.add("engine-socket")
        if facts.settings_problem and wanted:
            wanted.add("config")
        return [each for each in CHECKS if each.id in wanted]
    return [each for each in CHECKS if given.online or not each.online]


def _wrong_use(given: argparse.Namespace) -> str:
    unknown = [each for each in (*given.only, *given.ignore) if each not in IDS]
    if unknown:
        return f"there is no check {', '.join(unknown)}. The checks are: {', '.join(IDS)}."
    if not Path(given.root).is_dir():
        return f"--root {given.root} is no directory."
    if given.as_job is not None and Path(given.root).resolve() != Path("/"):
        return "--as-job runs a job on this host, and --root names another one."
    return ""


def _ids(text: str) -> tuple[str, ...]:
    return tuple(each.strip() for each in text.split(",") if each.strip())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="dind-executor doctor",
        description="Look at this host, its Docker Engine, gitlab-runner's configuration and the"
        " settings; say what will make jobs fail, and what to do. Nothing is changed.",
        epilog="Exit codes: 0 no failure; 1 a failure, or with --strict a warning; 2 wrong use."
        " docs/doctor.md explains each check.",
    )
    add = parser.add_argument
    add("--json", action="store_true", help="print one JSON object")
    add(
        "--record",
        metavar="FILE",
        nargs="?",
        const="",
        help="also write that object to a file (default: doctor.json in `[sweep] state_dir`)",
    )
    add("--only-problems", action="store_true", help="leave out what is right or skipped")
    add("--only", metavar="ID,...", type=_ids, default=(), help="make these checks alone")
    add("--ignore", metavar="ID,...", type=_ids, default=(), help="let these fail without notice")
    add("--strict", action="store_true", help="let a warning count as a failure")
    add("--online", action="store_true", help="also ask GitLab, registries and mirrors")
    add(
        "--as-job",
        metavar="IMAGE",
        nargs="?",
        const="",
        help="also run a job with this image (default: that of the sidecar): it builds, runs what it"
        " built, and is removed",
    )
    add(
        "--hooks",
        metavar="DIR",
        default="",
        help="the hooks that the job is run by (default: those of config.toml, or the installed ones)",
    )
    add(
        "--config",
        metavar="FILE",
        default="",
        help="gitlab-runner's configuration (default: that of the gitlab-runner that runs)",
    )
    add("--runner", metavar="NAME", default="", help="only this runner of it")
    add(
        "--settings",
        metavar="FILE",
        default="",
        help="dind-executor's settings (default: those that the runner names)",
    )
    add("--user", metavar="NAME", default="", help="the user that gitlab-runner will run as")
    add("--root", metavar="DIR", default="/", help="the root directory of the host to look at")
    return parser
