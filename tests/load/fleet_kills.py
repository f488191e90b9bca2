"""SIGKILL of `fleet rotate` and `fleet reconcile` before each line that they run, and once more after it.

`python -m tests.load.fleet_kills` takes some ten minutes; `--every 10` kills before each tenth line.
After the second call config.toml has the token that counts, or the ghost is cancelled once and
retried once, GitLab was told nothing twice, and each change in the log has its end.  Only a token
that GitLab has made and told to a call that was killed at once is made another time.
"""

import argparse
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from executor.commands.fleet.command import run
from tests.gitlab import server
from tests.gitlab.registry import Manager
from tests.gitlab.samples import payload
from tests.gitlab.server import GitLab
from tests.web import Request

ACTIONS = ("rotate", "reconcile")
_OLD = "2020-01-01T00:00:00Z"
_TRACED = ("commands/fleet/", "commands/gitlab/", "commands/register/config_file.py")
_KILLED = """
import os, signal, sys
at, traced, args = int(sys.argv[1]), tuple(sys.argv[2].split(",")), sys.argv[3:]
from executor.commands.fleet import command
lines = 0

def trace(frame, event, argument):
    global lines
    if event == "call":
        name = frame.f_code.co_filename
        return trace if any(each in name for each in traced) else None
    if event == "line":
        lines += 1
        if lines == at:
            os.kill(os.getpid(), signal.SIGKILL)
    return trace

import threading
threading.settrace(trace)
sys.settrace(trace)
code = command.main(args)
sys.settrace(None)
sys.exit(code)
"""


def killed_at(action: str, line: int) -> tuple[bool, list[str], int]:
    """Kill a call before its so many-th line, and call again.

    Returns whether it got that far, what is wrong then, and how many tokens were made.
    """
    with tempfile.TemporaryDirectory() as name, _gitlab(Path(name)) as gitlab:
        directory = Path(name)
        told: Counter[str] = Counter()

        def noting(request: Request) -> None:
            if request.method == "POST" and not request.path.endswith("/verify"):
                is_forced = b"force" in request.body
                told[f"{request.path.rpartition('/')[2]}{' by force' if is_forced else ''}"] += 1

        gitlab.mood = noting
        args = _args(action, gitlab, directory)
        command = [sys.executable, "-c", _KILLED, str(line), ",".join(_TRACED), *args]
        first = subprocess.run(command, capture_output=True, check=False)
        is_killed = first.returncode == -signal.SIGKILL
        wrong = [] if is_killed or not first.returncode else [first.stderr.decode()]
        if is_killed:
            with Path(os.devnull).open("w", encoding="utf-8") as nothing, _output(nothing.fileno()):
                code = run(args, {})
            wrong += [f"exit code {code}"] if code else []
        wrong += _wrong_log(directory / "log")
        wrong += _wrong_end(action, gitlab, directory, told)
        return is_killed, wrong, told["reset_authentication_token"]


def _wrong_end(action: str, gitlab: GitLab, directory: Path, told: Counter[str]) -> list[str]:
    if action == "reconcile":
        expected = Counter({"cancel": 1, "cancel by force": 1, "retry": 1})
        states = [job.state for job in gitlab.jobs()]
        wrong = [] if states == ["canceled", "pending"] else [f"jobs: {states}"]
        return wrong + ([] if told == expected else [f"told: {dict(told)}"])
    (row,) = gitlab.registry.rows.values()
    (entry,) = tomllib.loads((directory / "config.toml").read_text())["runners"]
    wrong = [] if entry["token"] == row.token else ["the token does not count"]
    if set(told) != {"reset_authentication_token"} or told["reset_authentication_token"] > 2:
        wrong.append(f"told: {dict(told)}")
    if (directory / ".config.toml.dind-executor").exists():
        wrong.append("a file is left")
    return wrong


def _wrong_log(path: Path) -> list[str]:
    """Return the changes that have no end, or that GitLab was told of without a line before."""
    last = {each["id"]: each["state"] for each in map(json.loads, path.read_text().splitlines())}
    return [f"{key} is {state}" for key, state in last.items() if state in ("begun", "unknown")]


@contextlib.contextmanager
def _gitlab(directory: Path) -> Iterator[GitLab]:
    with server.serving(directory / "repositories") as gitlab:
        gitlab.registry.rows.clear()
        row = gitlab.registry.add({})
        now = gitlab.registry.now().isoformat()
        row.managers = {
            "s_1": Manager(1, "s_1", {"version": "17.9.0"}, _OLD),
            "s_2": Manager(2, "s_2", {}, now),
        }
        (directory / "config.toml").write_text(
            f'[[runners]]\nname = "one"\nurl = "{gitlab.url}"\ntoken = "{row.token}"\n'
        )
        (directory / ".runner_system_id").write_text("s_1")
        yield gitlab


def _args(action: str, gitlab: GitLab, directory: Path) -> list[str]:
    token = directory / "token"
    token.write_text(gitlab.registry.add_user({"api"}))
    token.chmod(0o600)
    common = ["--token-file", str(token), "--audit-log", str(directory / "log"), "--yes"]
    if action == "rotate":
        config = str(directory / "config.toml")
        return [action, *common, "--config", config, "--timeout", "0", "--shared"]
    job = gitlab.enqueue(payload(gitlab.url))
    gitlab.take(job, "s_1")
    job.started_at = _OLD
    return [action, *common, "--url", gitlab.url, "--retry", "--second-look", "0", "--jobs", "1"]


@contextlib.contextmanager
def _output(descriptor: int) -> Iterator[None]:
    """Have what this process says go elsewhere."""
    kept = [os.dup(1), os.dup(2)]
    try:
        os.dup2(descriptor, 1)
        os.dup2(descriptor, 2)
        yield
    finally:
        for number, each in enumerate(kept, 1):
            os.dup2(each, number)
            os.close(each)


def main(args: Sequence[str] | None = None) -> int:
    """Kill at each line; return 1 where something was wrong."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--tell", action="store_true", help="name the lines with another token")
    given = parser.parse_args(args)
    faults = 0
    for action in ACTIONS:
        line, times, again = given.first, 0, 0
        while True:
            is_killed, wrong, tokens = killed_at(action, line)
            if given.tell and tokens > 1:
                print(f"{action}, line {line}: another token")
            for each in wrong:
                print(f"{action}, line {line}: {each}")
            faults += bool(wrong)
            if not is_killed:
                break
            times, again = times + 1, again + (tokens > 1)
            line += given.every
        print(f"{action}: {times} kills, {faults} with faults, {again} made another token")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
