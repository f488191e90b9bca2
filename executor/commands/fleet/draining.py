"""Has the jobs of a runner or of this host end, and none begin; or begin again."""

from collections.abc import Callable, Sequence
from pathlib import Path

from executor.commands.fleet.host import Host
from executor.commands.fleet.journal import Journal
from executor.commands.fleet.options import Options
from executor.commands.fleet.pausing import Pausing
from executor.commands.fleet.report import DONE, FOUND, event
from executor.commands.fleet.waiting import TIMEOUT, wait
from executor.log import say


def drain(
    options: Options,
    pausing: Pausing | None = None,
    root: Path = Path("/"),
    problems: Callable[[], Sequence[str]] = tuple,
) -> int:
    """Drain a runner, else this host, or undo it, or show what that would do; return an exit code.

    `problems` says what is wrong with this host when it takes jobs again.  Raises GitLabFailed,
    HostFailed, JournalFailed and NotOurs.
    """
    if pausing is not None:
        return _runner(options, pausing)
    here = Host(root)
    if options.action == "drain":
        return _drain_host(options, here)
    return _undrain_host(options, here, problems)


def _runner(options: Options, pausing: Pausing) -> int:
    runner = pausing.runner()
    hosts = len(runner.managers)
    name = f"runner {runner.id} with all its hosts ({hosts})"
    is_drain = options.action == "drain"
    if not options.yes:
        verb = "pause" if is_drain else "resume"
        _tell(options, "would", pausing.target, f"Would {verb} {name}: --yes does.", pausing.jobs())
        return DONE
    with Journal(options.audit_log) as journal:
        if not is_drain:
            changed = pausing.resume(journal)
            text = "takes jobs again" if changed else "takes jobs already"
            _tell(options, "resumed", pausing.target, f"{_capital(name)} {text}.")
            return DONE
        ours = pausing.pause(journal)
    text = "is paused" if ours else "was paused already by somebody else, and stays so"
    _tell(options, "paused", pausing.target, f"{_capital(name)} {text}.")
    return _wait(options, pausing) if options.wait else DONE


def _drain_host(options: Options, host: Host) -> int:
    if not options.yes:
        state = host.state()
        text = f"Would have gitlab-runner of this host ({state}) end after its jobs: --yes does."
        _tell(options, "would", host.target, text, host.jobs())
        return DONE
    with Journal(options.audit_log) as journal:
        begun = host.drain(journal)
    text = (
        "takes no new jobs, and ends after the running ones"
        if begun
        else "does not run, or was told to end before"
    )
    _tell(options, "draining", host.target, f"gitlab-runner of this host {text}.")
    return _wait(options, host) if options.wait else DONE


def _undrain_host(options: Options, host: Host, problems: Callable[[], Sequence[str]]) -> int:
    if not options.yes:
        text = "Would start gitlab-runner of this host: --yes does."
        if not host.is_drained:
            text = "This host is not drained: nothing to do."
        _tell(options, "would", host.target, text, host.jobs())
        return DONE
    if options.wait and not _is_over(options, host.target, host.ending):
        return TIMEOUT
    with Journal(options.audit_log) as journal:
        changed = host.undrain(journal)
    text = "takes jobs again" if changed else "is not drained: nothing to do"
    _tell(options, "resumed", host.target, f"gitlab-runner of this host {text}.")
    found = problems() if changed else ()
    for each in found:
        _tell(options, "unfit", host.target, f"doctor: {each}")
    return FOUND if found else DONE


def _wait(options: Options, what: Host | Pausing) -> int:
    if not _is_over(options, what.target, what.left):
        return TIMEOUT
    _tell(options, "drained", what.target, "No job is left.")
    return DONE


def _is_over(options: Options, target: str, left: Callable[[], Sequence[str] | None]) -> bool:
    def tell(jobs: Sequence[str]) -> None:
        text = f"Waiting for jobs ({len(jobs)}): {', '.join(jobs)}." if jobs else "Waiting."
        _tell(options, "left", target, text, jobs)

    is_over = wait(left, tell, options.seconds)
    if not is_over:
        _tell(options, "timeout", target, "The time is over. What was begun goes on.")
    return is_over


def _tell(options: Options, state: str, target: str, text: str, jobs: Sequence[str] = ()) -> None:
    more = f" Jobs that run: {', '.join(jobs)}." if jobs and state == "would" else ""
    say(event(state, target, text + more, jobs, json_lines=options.json))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
