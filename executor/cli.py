"""From a command's name to its module, from an error's class to an exit code."""

import gc

from executor.errors import Cancelled, ExecutorError, ScriptFailed
from executor.log import AdministratorLog
from executor.runner.environ import RunnerEnv

TYPE_CHECKING = False  # the name counts for checkers, and `typing` is slow to import
if TYPE_CHECKING:
    import signal
    from types import FrameType
else:
    import _signal as signal  # `signal` itself gives each number a name, which takes 2 ms

STAGES = ("config", "prepare", "run", "cleanup")

_IMPORTER = "<frozen importlib._bootstrap>"
_AGAIN_SECONDS = 0.005


def run_command(argv: list[str]) -> int:
    """Run one command and return its exit code."""
    name = argv[0] if argv else "--help"
    if name in STAGES:
        return run_stage(name, argv[1:], RunnerEnv.current())
    from executor.commands import run_typed  # noqa: PLC0415 (a stage needs none of it)

    return run_typed(name, argv[1:])


def run_stage(name: str, args: list[str], env: RunnerEnv) -> int:
    """Run a stage; its error's class decides the exit code."""
    handler = signal.SIG_IGN if name == "cleanup" else _cancel
    signal.signal(signal.SIGTERM, handler)
    signal.signal(signal.SIGINT, handler)
    try:
        return _run_logged(name, args, env, AdministratorLog(name))
    except Cancelled:
        # It came while the end of the stage was being reported.
        return env.system_failure


def _run_logged(name: str, args: list[str], env: RunnerEnv, log: AdministratorLog) -> int:
    """Run a stage and close its log."""
    outcome = "success"
    why: Exception | None = None
    try:
        _stage(name, args, env, log)
    except ScriptFailed as error:
        outcome, why = str(error), error
        return env.build_failure
    except Cancelled as error:
        outcome, why = "cancelled", error
        return env.system_failure
    except ExecutorError as error:
        outcome, why = error.outcome, error
        from executor.stages.failure import tell  # noqa: PLC0415 (after a failure only)

        return tell(error, env, log)
    except Exception as error:
        outcome, why = "unexpected error", error
        from executor.stages.failure import meant, tell  # noqa: PLC0415 (after a failure only)

        if (other := meant(error, env, log)) is None:
            raise
        outcome, why = other.outcome, other
        return tell(other, env, log)
    finally:
        _ignore_signals()
        if log.capture and why:
            from executor.stages.capture import capture  # noqa: PLC0415 (after a failure only)

            capture(env, args, log, why)
        if log.spool:
            from executor.record.stage import leave  # noqa: PLC0415 (at the end)

            leave(log, why)
        log.close(outcome)
    return 0


def _stage(name: str, args: list[str], env: RunnerEnv, log: AdministratorLog) -> None:
    """Call a stage; each is imported alone, as each call of gitlab-runner needs one only."""
    if name != "run":
        # Looking for garbage among what is imported costs some milliseconds, and finds none.  Only a
        # `run` goes on for as long as its script does.
        gc.disable()
    if name == "run":
        from executor.stages import run  # noqa: PLC0415

        run.main(env, args, log)
    elif name == "prepare":
        from executor.stages import prepare  # noqa: PLC0415

        prepare.main(env, args, log)
    elif name == "cleanup":
        from executor.stages import cleanup  # noqa: PLC0415

        cleanup.main(env, args, log)
    else:
        from executor.stages import config  # noqa: PLC0415

        config.main(env, args, log)


def _cancel(_number: int, frame: "FrameType | None") -> None:
    """End what is going on; a second signal finds the first one being dealt with.

    An import is not interrupted: between two of its lines it would keep Python's import lock, on
    which each thread that loads something then waits for ever, or would lose the exception.
    """
    if _is_importing(frame):
        signal.signal(signal.SIGALRM, _cancel)
        signal.setitimer(signal.ITIMER_REAL, _AGAIN_SECONDS)
        return
    _ignore_signals()
    raise Cancelled("gitlab-runner ended the stage")


def _is_importing(frame: "FrameType | None") -> bool:
    while frame is not None:
        if frame.f_code.co_filename == _IMPORTER:
            return True
        frame = frame.f_back
    return False


def _ignore_signals() -> None:
    for each in (signal.SIGTERM, signal.SIGINT, signal.SIGALRM):
        signal.signal(each, signal.SIG_IGN)
