"""Runs Python in a process that may use so much memory and CPU time, and no more."""

import subprocess
import sys

MOST_BYTES = 300 * 1024 * 1024
MOST_CPU_SECONDS = 5
_LIMITS = """\
import resource
resource.setrlimit(resource.RLIMIT_AS, ({0}, {0}))
resource.setrlimit(resource.RLIMIT_CPU, ({1}, {1}))
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
"""


def limited(program: str, text: str = "") -> str:
    """Return what a program prints, with `text` on its stdin; it must end well within the limits."""
    begin = _LIMITS.format(MOST_BYTES, MOST_CPU_SECONDS)
    done = subprocess.run(
        [sys.executable, "-c", begin + program],
        input=text,
        capture_output=True,
        check=False,
        encoding="utf-8",
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout
