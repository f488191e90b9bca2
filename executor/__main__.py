"""Owns the process exit: whatever happens, the exit code says what gitlab-runner must believe.

Python exits 1 on a crash, which gitlab-runner reads as "the script failed"; so everything, the
imports of our own modules included, happens inside one `try`.
"""

import os
import sys

_BUILD_FAILURE = os.environ.get("BUILD_FAILURE_EXIT_CODE", "1")
_SYSTEM_FAILURE = os.environ.get("SYSTEM_FAILURE_EXIT_CODE", "2")


def main() -> None:
    """Run a command and end the process with its exit code."""
    try:
        from executor.cli import run_command  # noqa: PLC0415 (a broken install is caught too)

        code = run_command(sys.argv[1:])
    except KeyboardInterrupt:
        code = 130
    except BaseException as error:
        code = _unexpected(error)
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        pass
    # Without the interpreter's own teardown: it frees, piece by piece, what the kernel frees at
    # once, and waits for threads that nobody needs any more.
    os._exit(code)


def _unexpected(error: BaseException) -> int:
    """Report a fault of ours in one line; its traceback goes where the operator asked for it."""
    if isinstance(error, SystemExit):
        return int(error.code) if isinstance(error.code, int) else int(_SYSTEM_FAILURE)
    place = ""
    trace = error.__traceback__
    while trace is not None:
        place = f"{trace.tb_frame.f_code.co_filename.rpartition('/')[2]}:{trace.tb_lineno}"
        trace = trace.tb_next
    sys.stderr.write(
        f"ERROR: dind-executor met an unexpected {type(error).__name__} at {place}; please report"
        " it with the operator's log.\n"
    )
    return int(_SYSTEM_FAILURE) if _SYSTEM_FAILURE.isdigit() else 2


if __name__ == "__main__":
    main()
