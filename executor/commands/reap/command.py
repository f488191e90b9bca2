"""`dind-executor reap`: shows what jobs of dead gitlab-runners left, and removes it with `--yes`."""

import argparse
import os
import time

from executor.budgets.networks import remove_old
from executor.commands.gitlab.tokens import UnusableToken
from executor.commands.reap.asking import Asking, TokenFile, read_token
from executor.commands.reap.places import parents, users
from executor.commands.reap.report import Row, exit_code, json_lines, row_of, summary, table
from executor.engine.docker import Engine
from executor.errors import EngineRefused, EngineUnavailable, SettingsError
from executor.log import AdministratorLog, complain, say
from executor.reading import engine_address, spool_of
from executor.record.stage import leave
from executor.runner.environ import RunnerEnv
from executor.settings.file import Settings, load_settings
from executor.sweep.act import Done, act
from executor.sweep.look import JobLook, Look, look
from executor.sweep.options import Options
from executor.sweep.state import Memory, held, recall, remember
from executor.sweep.sweeping import remove_old_captures, remove_stray_logs, result_of
from executor.sweep.verdict import OVER_SECONDS, Verdict, Word

SETTINGS = "/etc/dind-executor/settings.toml"
USAGE, AWAY = 2, 75

_LOCK_SECONDS = 60.0
_QUIET_SECONDS = 5.0
_PATIENCE_SECONDS = 60.0


class _Cannot(Exception):
    """Nothing is known or done; the text says why."""

    def __init__(self, sentence: str, code: int) -> None:
        super().__init__(sentence)
        self.code = code


def main(args: list[str]) -> int:
    """Show or remove; return an exit code.

    0: nothing is left. 1: something is left, or nobody could decide about it before its deadline.
    2: called or configured wrongly. 75: the engine, or another reap, is not done yet.
    """
    given = _parser().parse_args(args)
    if os.geteuid():
        complain(
            "dind-executor reap: Only root sees the processes and directories of all gitlab-runners."
            " What cannot be seen stays undecided. Run this as root."
        )
    log = AdministratorLog("reap")
    try:
        rows, others = _reap(given, log)
    except _Cannot as error:
        complain(f"dind-executor reap: {error}")
        log.event("reap failed", error=str(error))
        log.close("failure")
        return error.code
    code = exit_code(rows)
    if others or any(row.removed or row.left for row in rows):
        if log.spool:
            leave(log, None)
        log.close("success" if code == 0 else "something is left")
    lines = json_lines(rows, acted=given.yes) if given.json else table(rows)
    for line in lines:
        say(line)
    if not given.json:
        say(summary(rows, acted=given.yes))
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="dind-executor reap",
        description="Show what jobs left on the Docker Engine whose gitlab-runner is dead.",
        epilog="Exit codes: 0 nothing is left; 1 something is left, or is undecided past its"
        " deadline; 2 wrong use; 75 the Docker Engine does not answer.",
    )
    parser.add_argument("--yes", action="store_true", help="remove it, and end its jobs in GitLab")
    parser.add_argument("--json", action="store_true", help="print a JSON object for each job")
    parser.add_argument("--job", metavar="ID", help="only this job: its number, or its whole key")
    parser.add_argument(
        "--expired",
        action="store_true",
        help="also remove what is past its deadline and about which nothing can be proved",
    )
    parser.add_argument(
        "--settings",
        metavar="PATH",
        help=f"dind-executor's settings, which name the engine (default: {SETTINGS} if it is there)",
    )
    parser.add_argument(
        "--gitlab-url", metavar="URL", help="the GitLab that the administrator's token is for"
    )
    parser.add_argument(
        "--gitlab-token-file",
        metavar="PATH",
        help="file with a token of the scope read_api: GitLab is asked about jobs whose"
        " gitlab-runner cannot be seen from here",
    )
    return parser


def _reap(given: argparse.Namespace, log: AdministratorLog) -> tuple[list[Row], int]:
    """Return each job's row, and how many files and networks without a job were removed."""
    settings = _settings(given.settings)
    log.open(f"{settings.log.destination}:{settings.log.path}", "", "", spool_of(settings))
    token = _token(given, settings)
    env = RunnerEnv.current()
    address, tls_dir, tls_verify = engine_address(settings, env)
    engine = Engine.at(address, tls_dir, tls_verify=tls_verify)
    uids = users(settings.sweep.state_dir)
    options = Options(
        log,
        address,
        "reap",
        state_dir=settings.sweep.state_dir,
        end_ghosts=settings.sweep.end_ghosts,
        environ=env.environ,
        parents=parents(uids),
        uids=uids,
        quiet_seconds=_QUIET_SECONDS,
        patience_seconds=_PATIENCE_SECONDS,
    )
    try:
        engine.connect()
        with held(options, _LOCK_SECONDS) as ours:
            if not ours:
                raise _Cannot("Another sweep is at work. Try again when it has ended.", AWAY)
            return _with_engine(given, engine, options, Asking(token))
    except (EngineUnavailable, EngineRefused) as error:
        raise _Cannot(str(error), AWAY) from None


def _with_engine(
    given: argparse.Namespace, engine: Engine, options: Options, asking: Asking
) -> tuple[list[Row], int]:
    started = time.monotonic()
    seen, details = _look(given, engine, options, asking, recall(options))
    if given.yes and (seconds := _until_again(seen)) is not None:
        complain(f"Asking GitLab again in {seconds:.0f} seconds ...")
        time.sleep(seconds)
        seen, details = _look(given, engine, options, asking, _later(seen.memory))
    if not given.yes:
        remember(options, seen.memory)
        done: dict[str, Done] = {}
        others = 0
    else:
        outcome = act(engine, seen, options)
        done = {each.key: each for each in outcome.done}
        remember(options, outcome.memory, result_of(options, started, seen, outcome))
        others = 0 if given.job else _remove_others(engine, options)
    now = time.time()
    rows = [
        row_of(each, now, detail=details.get(key, ""), done=done.get(key))
        for each in seen.jobs
        for key in (each.found.key,)
    ]
    return rows, others


def _remove_others(engine: Engine, options: Options) -> int:
    """Remove what is of no job, and return how much: files, and idle networks of slots."""
    files = remove_stray_logs(options) + remove_old_captures(options)
    try:
        networks = remove_old(engine, time.time())
    except (EngineUnavailable, EngineRefused) as error:
        # What was done for jobs is told all the same.
        complain(f"WARNING: Idle networks of slots were not looked at: {error}")
        return files
    if networks:
        options.log.event("kept networks removed", networks=networks)
    return files + networks


def _look(
    given: argparse.Namespace, engine: Engine, options: Options, asking: Asking, memory: Memory
) -> tuple[Look, dict[str, str]]:
    """Return what there is, judged with GitLab's word where nothing else tells, and remarks."""
    seen = look(engine, options, memory)
    jobs: list[JobLook] = []
    details: dict[str, str] = {}
    for each in seen.jobs:
        key = each.found.key
        if given.job and given.job not in (key, each.found.job_id):
            continue
        if each.judgement.verdict is not Verdict.UNDECIDED:
            jobs.append(each)
            continue
        said = asking.ask(each.found)
        over = seen.memory.seconds_over(key) if said.word is Word.OVER else 0.0
        jobs.append(each.told(said.word, over, expired=given.expired))
        details[key] = said.reason
    return seen.of(jobs), details


def _until_again(seen: Look) -> float | None:
    """Return when GitLab may say again that jobs are over; None where it has said so of none."""
    waiting = [
        OVER_SECONDS - each.evidence.over_seconds
        for each in seen.jobs
        if each.judgement.verdict is Verdict.UNDECIDED and each.evidence.word is Word.OVER
    ]
    return max(waiting, default=None)


def _later(memory: Memory) -> Memory:
    """Return the same memory at this moment."""
    return memory._replace(now=time.clock_gettime(time.CLOCK_BOOTTIME))


def _settings(path: str | None) -> Settings:
    """Return the settings of a file; the defaults where none is named and the usual one is missing."""
    if path is None and not os.path.exists(SETTINGS):  # noqa: PTH110 (as in the settings)
        return Settings()
    try:
        return load_settings(path or SETTINGS)
    except SettingsError as error:
        raise _Cannot(str(error), USAGE) from None


def _token(given: argparse.Namespace, settings: Settings) -> TokenFile | None:
    path = given.gitlab_token_file or settings.sweep.gitlab_token_file
    url = given.gitlab_url or settings.sweep.gitlab_url
    if not path:
        return None
    try:
        return read_token(path, url)
    except UnusableToken as error:
        raise _Cannot(f"{str(error)[0].upper()}{str(error)[1:]}", USAGE) from None
