"""Hooks without an engine: they write down how they were called, and fail in chosen ways.

Called as `fake_hooks.py CONTROL STAGE [SCRIPT SUB_STAGE]`. CONTROL/calls.jsonl gets one line per
call; CONTROL/behaviour.json names, per stage or sub-stage, a list of behaviours, one per call, the
last one for all further calls: `exit`, `exit_code_file`, `stdout`, `stderr`, `ignore_sigterm`,
`sleep`, `kill`, `linger`. Scripts run on this host, by a shell that reads them from stdin.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path


def calls(control: Path) -> list[dict[str, object]]:
    """Return what was written down, but for a line that somebody is just writing."""
    path = control / "calls.jsonl"
    whole = path.read_text().rpartition("\n")[0] if path.exists() else ""
    return [json.loads(line) for line in whole.splitlines()]


def _behaviour(control: Path, name: str) -> dict[str, object]:
    path = control / "behaviour.json"
    wanted = json.loads(path.read_text()) if path.exists() else {}
    choices: list[dict[str, object]] = wanted.get(name, [{}])
    before = sum(call["name"] == name for call in calls(control))
    return choices[min(before, len(choices) - 1)]


def _write_down(control: Path, name: str, arguments: list[str]) -> None:
    response = Path(os.environ["JOB_RESPONSE_FILE"])
    call = {
        "name": name,
        "arguments": arguments,
        "environment": dict(os.environ),
        "pid": os.getpid(),
        "group": os.getpgrp(),
        "directory": str(Path.cwd()),
        "stdin": str(Path("/proc/self/fd/0").readlink()),
        "response": response.read_text(),
        "response_mode": response.stat().st_mode & 0o777,
        "script": Path(arguments[0]).read_text() if len(arguments) == 2 else "",
        "exit_code_file_exists": Path(os.environ["BUILD_EXIT_CODE_FILE"]).exists(),
        "time": time.monotonic(),
    }
    with (control / "calls.jsonl").open("a") as file:
        file.write(json.dumps(call) + "\n")


def _run_script(path: str, control: Path) -> int:
    Path(os.environ["BUILD_EXIT_CODE_FILE"]).unlink(missing_ok=True)
    shell = os.environ.get("FAKE_SHELL", "bash")
    # Of the job's own: git locks the configuration in it, and jobs run side by side.
    home = str(Path(os.environ["JOB_RESPONSE_FILE"]).parent)
    environment = {"PATH": f"{control}/bin:{os.environ['PATH']}", "HOME": home}
    stopped: list[int] = []
    # The shell is in our process group and has the signal already: we wait for it.
    signal.signal(signal.SIGTERM, lambda number, _: stopped.append(number))
    with Path(path).open("rb") as script:
        process = subprocess.Popen([shell], stdin=script, env=environment)
    while process.poll() is None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(1)
        if stopped and process.poll() is None:
            # A command that the shell was just starting may have missed the signal.
            os.killpg(0, signal.SIGTERM)
    status = process.returncode
    if stopped:
        return 1
    if status:
        Path(os.environ["BUILD_EXIT_CODE_FILE"]).write_text(str(status))
        return int(os.environ["BUILD_FAILURE_EXIT_CODE"])
    return 0


def main() -> int:
    """Do what the hook would do, or what the test asks for."""
    control, stage, *arguments = Path(sys.argv[1]), *sys.argv[2:]
    name = arguments[1] if stage == "run" else stage
    behaviour = _behaviour(control, name)
    _write_down(control, name, arguments)
    if behaviour.get("ignore_sigterm"):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.stderr.write(str(behaviour.get("stderr", "")))
    answer = {"driver": {"name": "fake", "version": "1"}, "builds_dir_is_shared": True}
    default = json.dumps(answer) if stage == "config" else ""
    sys.stdout.write(str(behaviour.get("stdout", default)))
    sys.stdout.flush()
    if "linger" in behaviour:
        subprocess.Popen(["sleep", str(behaviour["linger"])])
    time.sleep(float(str(behaviour.get("sleep", 0))))
    if behaviour.get("kill"):
        os.kill(os.getpid(), signal.SIGKILL)
    if "exit_code_file" in behaviour:
        Path(os.environ["BUILD_EXIT_CODE_FILE"]).write_text(str(behaviour["exit_code_file"]))
    if "exit" in behaviour:
        return int(str(behaviour["exit"]))
    return _run_script(arguments[0], control) if stage == "run" else 0


if __name__ == "__main__":
    sys.exit(main())
