"""Programs that look at a container's processes: each runs in an exec beside the keeper."""

from executor.shell import DIRECTORY, ELSEWHERE, given, program


def signaller(signal: str, *, shares_pids: bool = False) -> tuple[str, ...]:
    """Return the command that signals all processes of the running script, as if at one moment.

    `shares_pids` tells whether the container sees processes that are not its own.  It is not for
    the container to say: its user may be root, and a script may write to the keeper's notes.
    """
    variables = given(
        _d=DIRECTORY, _elsewhere=ELSEWHERE, _signal=signal, _shared="yes" if shares_pids else ""
    )
    return ("sh", "-c", variables + program("our_processes", "signal"))
