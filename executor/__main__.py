"""Owns the process exit: whatever happens, the code says what gitlab-runner must believe.

Python exits 1 on a crash, which gitlab-runner reads as "the script failed"; so everything, the
imports of our own modules included, happens inside one `try`.
"""

import os
import sys

_STAGES = ("config", "prepare", "run", "cleanup")
_INTERRUPTED = 130


def main() -> None:
    """Run a command and end the process with its exit code."""
    try:
        from executor.cli import run_command  # noqa: PLC0415 (a broken install is caught too)

        code = run_command(sys.argv[1:])
    except BaseException as error:
        code = (
            _unexpected(error) if sys.argv[1:2] in [[each] for each in _STAGES] else _typed(error)
        )
    for stream in (sys.stdout, sys.stderr):
        try:  # noqa: SIM105 (contextlib is slow to import)
            stream.flush()
        except (OSError, ValueError, AttributeError):
            pass  # closed by whoever called us; None where it was never open
    # Without the interpreter's own teardown: it frees, piece by piece, what the kernel frees at
    # once, and waits for threads that nobody needs any more.
    os._exit(code)


def _typed(error: BaseException) -> int:
    """Return the exit code of a command that a person typed."""
    if isinstance(error, KeyboardInterrupt):
        return _INTERRUPTED
    if isinstance(error, SystemExit) and isinstance(error.code, int | None):
        return error.code or 0
    return _unexpected(error)


def _unexpected(error: BaseException) -> int:
    """Report a fault of ours in one line; its traceback goes where the administrator asked for it."""
    place = ""
    trace = error.__traceback__
    while trace is not None:
        place = f"{trace.tb_frame.f_code.co_filename.rpartition('/')[2]}:{trace.tb_lineno}"
        trace = trace.tb_next
    sentence = (
        f"ERROR: dind-executor failed with an unexpected {type(error).__name__} at {place}."
        " Please report it, with the administrator's log.\n"
    )
    try:  # noqa: SIM105 (contextlib is slow to import)
        os.write(2, sentence.encode())
    except OSError:
        pass  # nobody listens; the exit code still counts
    code = os.environ.get("SYSTEM_FAILURE_EXIT_CODE", "")
    return int(code) if code.isdecimal() else 2


if __name__ == "__main__":
    main()
