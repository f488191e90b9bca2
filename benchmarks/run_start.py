"""How long a `run` call takes until it hands its script to the engine.

    python benchmarks/run_start.py [--rounds N] [--json FILE]

The unit is the bare interpreter (`python -I -c pass`): both are started in turn, so that the
ratio of the medians says the same on a slow machine and on a fast one. The engine is a socket
that takes the script and ends; no Docker is needed.
"""

import argparse
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
SCRIPT_MARK = b"# this is the script\n"
# gitlab-runner passes every variable of a job to every call; a job of GitLab has about so many.
VARIABLES = 160
_UPGRADED = b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--json", type=Path, help="write the results to this file, too")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="run-start-") as directory:
        results = measure(Path(directory), options.rounds)
    bare, run = results["bare_interpreter"], results["run_until_script"]
    print(f"bare interpreter          {bare * 1000:6.1f} ms")
    print(f"run, until its script     {run * 1000:6.1f} ms")
    print(f"ratio                     {results['ratio']:6.2f}   (medians of {options.rounds})")
    print(json.dumps(results))
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


def measure(directory: Path, rounds: int) -> dict[str, float]:
    """Return the medians in seconds, and their ratio."""
    python = REPOSITORY / "venv" / "bin" / "python"
    environment, script = _prepared(directory)
    command = [REPOSITORY / "hooks" / "run", *_settings(directory), script, "prepare_script"]
    engine = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    engine.bind(str(directory / "engine.sock"))
    engine.listen(8)
    bare, run = [], []
    with engine:
        for number in range(rounds + 2):
            start = time.perf_counter()
            subprocess.run([python, "-I", "-c", "pass"], check=True)
            first = time.perf_counter() - start
            second = _seconds_to_script(engine, command, environment)
            # The first two fill the caches of the disk.
            if number > 1:
                bare.append(first)
                run.append(second)
    return {
        "bare_interpreter": statistics.median(bare),
        "run_until_script": statistics.median(run),
        "ratio": statistics.median(run) / statistics.median(bare),
        "rounds": rounds,
    }


def _seconds_to_script(
    engine: socket.socket, command: list[object], environment: Mapping[str, str]
) -> float:
    """Start one `run` call and return when the script arrives at the engine; end the call."""
    start = time.perf_counter()
    process = subprocess.Popen(
        [str(word) for word in command],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        engine.settimeout(20)
        connection, _ = engine.accept()
        with connection:
            connection.settimeout(20)
            _receive_until(connection, b"\r\n\r\n")
            connection.sendall(_UPGRADED)
            _receive_until(connection, SCRIPT_MARK)
            return time.perf_counter() - start
    except TimeoutError:
        sys.exit("benchmarks/run_start.py: the run call sends no script; do the tests pass?")
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _receive_until(connection: socket.socket, mark: bytes) -> None:
    received = b""
    while mark not in received:
        received += connection.recv(65536)


def _settings(directory: Path) -> tuple[str, str]:
    return ("--settings", str(directory / "settings.toml"))


def _prepared(directory: Path) -> tuple[dict[str, str], Path]:
    """Return the environment of a `run` call, as gitlab-runner and config make it, and a script."""
    payload = {"id": 1, "token": "job-token", "git_info": {"repo_url": "http://localhost/a/b.git"}}
    response = directory / "response.json"
    response.write_text(json.dumps(payload), encoding="utf-8")
    settings = (
        f'[docker]\nhost = "unix://{directory}/engine.sock"\n'
        f'[log]\ndestination = "file"\npath = "{directory}/log.jsonl"\n'
    )
    (directory / "settings.toml").write_text(settings, encoding="utf-8")
    script = directory / "script"
    script.write_bytes(b"#!/usr/bin/env bash\n" + SCRIPT_MARK)
    environment = {
        "PATH": os.environ["PATH"],
        "TMPDIR": str(directory),
        "BUILD_FAILURE_EXIT_CODE": "1",
        "SYSTEM_FAILURE_EXIT_CODE": "2",
        "BUILD_EXIT_CODE_FILE": str(directory / "build_exit_code"),
        "JOB_RESPONSE_FILE": str(response),
        **{f"CUSTOM_ENV_VARIABLE_{number}": "a value" * 5 for number in range(VARIABLES)},
    }
    config = [str(REPOSITORY / "hooks" / "config"), *_settings(directory)]
    said = subprocess.run(config, env=environment, check=True, capture_output=True)
    return {**environment, **json.loads(said.stdout)["job_env"]}, script


if __name__ == "__main__":
    main()
