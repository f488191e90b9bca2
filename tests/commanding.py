"""Calls dind-executor in a process of its own, after what a test plants in it."""

import os
import subprocess
import sys
from collections.abc import Mapping

BUILD_FAILURE, SYSTEM_FAILURE = 41, 42
"""Not the usual 1 and 2: the numbers are gitlab-runner's to choose, and 1 is Python's own."""

ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "BUILD_FAILURE_EXIT_CODE": str(BUILD_FAILURE),
    "SYSTEM_FAILURE_EXIT_CODE": str(SYSTEM_FAILURE),
}

CALL = """\
import sys
{before}
from executor.__main__ import main
sys.argv[1:] = {args!r}
main()
"""


def call(
    *args: str,
    before: str = "",
    env: Mapping[str, str] = ENVIRONMENT,
    output: int = subprocess.PIPE,
) -> subprocess.CompletedProcess[str]:
    """Run a command in a process of its own, after some preparation of that process."""
    return subprocess.run(
        [sys.executable, "-I", "-c", CALL.format(before=before, args=list(args))],
        env=env,
        stdout=output,
        stderr=output,
        text=True,
        check=False,
        timeout=60,
    )


def raising(expression: str, stage: str = "config") -> str:
    """Return code that makes a stage raise something."""
    return (
        f"from executor import errors\nfrom executor.stages import {stage}\n"
        f"def stage_main(env, args, log): raise {expression}\n"
        f"{stage}.main = stage_main"
    )
