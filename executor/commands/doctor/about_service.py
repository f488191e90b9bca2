"""How gitlab-runner runs: its token, its unit, its version, and who sweeps up.  Pure, on what was seen."""

import stat
from collections.abc import Iterator

from executor.commands.doctor.facts import Facts
from executor.commands.doctor.findings import CannotTell, Finding, counted, fail, ok, warn
from executor.notation.durations import age_text, go_seconds
from executor.notation.moments import moment
from executor.record.spool import records
from executor.sweep.state import states

_TWO_WEEKS = 14 * 86400
_DAY, _HOUR = 86400, 3600
_LONGEST_JOB_SECONDS = 7200
_OLDEST = (17, 9)
_TIMER = "dind-executor-reap.timer"
_UNITS = ("/etc/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system")
_DROP_IN = "`dind-executor install` as root writes a drop-in with what is right; then restart gitlab-runner"
REMEDIES = {
    "settings": ("config",),
    "engine_away": ("engine-socket", "engine-version"),
    "engine_refused": ("isolation", "runtime", "privileged", "lsm"),
    "pull_interrupted": ("registry", "mirror", "dns", "mtu"),
    "registry_down": ("registry", "mirror"),
    "resources": ("disk", "subnets"),
    "dind": ("storage", "cgroup", "privileged", "modules"),
    "lost": ("files", "engine-warnings"),
    "payload": ("runner-version",),
    "unexpected": ("log",),
}
"""Which checks look at what made a stage fail, by the word in its record."""


def token(facts: Facts) -> Iterator[Finding]:
    """Say whether others can read the token, and whether it lasts."""
    path = facts.config.path
    found = facts.files.stat(path)
    if found is None:
        raise CannotTell(f"{path} cannot be seen")
    mode = stat.S_IMODE(found.st_mode)
    if mode & 0o077:
        yield fail(
            f"{path} has mode {mode:04o}: other users of this host can read the runner's token",
            "mode 0600",
            f"`chmod 600 {path}`, and reset the token in GitLab if others had a login here",
        )
    tokens: dict[str, str] = {}
    for runner in facts.config.runners:
        where, value = f'[[runners]] "{runner.name}"', str(runner.table.get("token") or "")
        if not value:
            yield fail(f"{where} has no token", "a token of GitLab's", "register the runner")
        elif value.startswith("$"):
            yield from _variable(facts, where, value)
        elif value in tokens:
            yield fail(
                f"{where} and {tokens[value]} have the same token: GitLab takes them for one runner",
                "one section for each token",
                "remove one of them",
            )
        tokens.setdefault(value, where)
        yield from _expiry(facts, where, runner.table.get("token_expires_at"))
    yield ok(f"{path} is for its owner alone")


def _variable(facts: Facts, where: str, value: str) -> Iterator[Finding]:
    name = value.strip("${}")
    if facts.process and facts.process.environ and name not in facts.process.environ:
        yield fail(
            f"{where} takes its token from ${name}, which gitlab-runner's environment does not have",
            f"{name} in the unit's environment",
            "`EnvironmentFile=` in a drop-in of gitlab-runner.service (gitlab-runner 18.10 or later)",
        )


def _expiry(facts: Facts, where: str, told: object) -> Iterator[Finding]:
    ends = moment(told.isoformat() if hasattr(told, "isoformat") else str(told or ""))
    if ends is None or ends < _DAY:  # gitlab-runner writes the year 1 for "never"
        return
    if ends < facts.now:
        yield fail(f"the token of {where} has expired", "a token that lasts", "reset it in GitLab")
    elif ends < facts.now + _TWO_WEEKS:
        left = age_text(ends - facts.now)
        yield warn(
            f"the token of {where} expires in {left}", "two weeks or more", "reset it in GitLab"
        )


def runner_service(facts: Facts) -> Iterator[Finding]:
    """Say whether a stop of gitlab-runner lets its jobs end."""
    service = facts.service
    if service is None or not service.found:
        raise CannotTell("there is no systemd unit gitlab-runner.service here")
    told = service.properties
    mode, signal = told.get("KillMode", "control-group"), told.get("KillSignal", "15")
    if mode != "mixed":
        yield warn(
            f"KillMode is {mode}: `systemctl stop gitlab-runner` also signals the stages of running jobs",
            "KillMode=mixed",
            _DROP_IN,
        )
    if signal not in {"3", "SIGQUIT"}:
        yield warn(
            f"KillSignal is {signal}: a stop or an upgrade ends all running jobs",
            "KillSignal=SIGQUIT, after which gitlab-runner waits for them",
            _DROP_IN,
        )
    seconds = _stop_seconds(told)
    if seconds is not None and seconds < _LONGEST_JOB_SECONDS:
        yield warn(
            f"systemd kills gitlab-runner {seconds:.0f} s after a stop, with its jobs",
            "TimeoutStopSec longer than the longest job",
            _DROP_IN,
        )
    if told.get("PrivateTmp", "no") in {"yes", "true", "1"}:
        yield warn(
            "PrivateTmp is on: what a killed gitlab-runner leaves is out of sight of others than root",
            "PrivateTmp=no",
            "`PrivateTmp=no` in a drop-in of gitlab-runner.service",
        )
    yield ok(f"a stop waits for running jobs ({service.source})")


def _stop_seconds(told: object) -> float | None:
    """Return how long a stop may take, None for as long as it likes."""
    properties = told if isinstance(told, dict) else {}
    text = str(properties.get("TimeoutStopUSec") or properties.get("TimeoutStopSec") or "90s")
    if text in {"infinity", "0"}:
        return None
    if text.isdecimal():
        return float(text)
    return go_seconds(text.replace("min", "m").replace(" ", "").replace("d", "h")) or 90.0


def reaper(facts: Facts) -> Iterator[Finding]:
    """Say whether somebody removes what dead gitlab-runners leave."""
    files, state_dir = facts.files, facts.settings.sweep.state_dir
    wants = any(_TIMER in files.names(f"{place}/timers.target.wants") for place in _UNITS)
    cron = any(
        "dind-executor reap" in files.text(f"/etc/cron.d/{each}")
        for each in files.names("/etc/cron.d")
    )
    if not (wants or cron):
        yield warn(
            f"neither {_TIMER} nor a line of cron is there: what a gitlab-runner leaves that dies stays"
            " until the next job",
            f"{_TIMER}, enabled",
            "`dind-executor install` as root, or a line of cron (docs/operating.md); for a container,"
            " a line of cron on its host (docs/container.md)",
        )
    told = states(files.path(state_dir)) if state_dir else []
    for state in told:
        at = state.get("at")
        age = facts.now - at if isinstance(at, int | float) else None
        if (wants or cron) and age is not None and age > _HOUR:
            yield warn(
                f"the last sweep was {age_text(age)} ago",
                "one every few minutes",
                f"`systemctl status {_TIMER}`",
            )
        if state.get("left") or state.get("error"):
            yield warn(
                "the last sweep could not remove all that is left of dead jobs",
                "nothing is left",
                "`dind-executor reap` shows what it is",
            )
    yield ok("a timer sweeps" if wants else "cron sweeps")


def runner_version(facts: Facts) -> Iterator[Finding]:
    """Say whether gitlab-runner is one that tells a custom executor what it must know."""
    if not facts.version:
        raise CannotTell("gitlab-runner does not say which version it is (is it on the PATH?)")
    text = ".".join(map(str, facts.version))
    if facts.version < _OLDEST:
        yield fail(
            f"gitlab-runner is {text}: exit codes of scripts are lost before 17.9",
            "gitlab-runner 17.9 or later",
            "upgrade gitlab-runner",
        )
    yield ok(f"gitlab-runner {text}")


def gone_wrong(facts: Facts) -> Iterator[Finding]:
    """Say what made stages fail in the last day that is the administrator's to look at."""
    state_dir = facts.settings.sweep.state_dir
    if not facts.settings.log.records or not state_dir:
        raise CannotTell("`[log] records` is off")
    failed: dict[str, int] = {}
    jobs: dict[str, object] = {}
    try:
        for each in records(facts.files.path(f"{state_dir}/spool")):
            at, reason = each.get("at"), str(each.get("reason"))
            recent = isinstance(at, int | float) and facts.now - at < _DAY
            if recent and each.get("outcome") in {"system_failure", "error"}:
                failed[reason] = failed.get(reason, 0) + 1
                jobs[reason] = each.get("job")
    except OSError as error:
        raise CannotTell(
            f"there are no records of jobs yet, or they are hidden ({error.strerror})"
        ) from None
    for reason, count in sorted(failed.items()):
        ids = ",".join(REMEDIES.get(reason, ())) or "engine-socket"
        yield warn(
            f"{counted(count, 'stage')} failed in the last day with `{reason}`, the last one of job"
            f" {jobs[reason]}",
            "no system failure",
            f"`dind-executor doctor --only {ids}`, and `dind-executor timeline {jobs[reason]}`",
        )
    yield ok("no system failure in the last day")
