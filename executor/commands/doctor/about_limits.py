"""Time limits of a registration, and what else of it does not fit dind-executor or this host.  Pure."""

from collections.abc import Iterator

from executor.commands.doctor.facts import Facts, Runner, Table
from executor.commands.doctor.findings import Finding, fail, ok, warn
from executor.notation.durations import go_seconds

_USELESS_FLAGS = ("FF_CONCRETE", "FF_SCRIPT_TO_STEP_MIGRATION", "FF_USE_NATIVE_STEPS")
_BYTES_A_JOB = 2 * 1024**3
_OUTPUT_KIB = 4096


def timeouts(facts: Facts) -> Iterator[Finding]:
    """Say which time limits end what should have gone on."""
    for runner in facts.config.runners:
        custom = runner.custom
        cleanup = _number(custom, "cleanup_exec_timeout", 3600)
        graceful = _number(custom, "graceful_kill_timeout", 600)
        prepare = _number(custom, "prepare_exec_timeout", 3600)
        yield from _too_short(runner, "cleanup_exec_timeout", cleanup, 900, "volumes stay behind")
        yield from _too_short(
            runner, "graceful_kill_timeout", graceful, 60, "cancelled scripts leave containers"
        )
        if graceful >= 300:  # noqa: PLR2004 (gitlab-runner's own limit for a cancelled job)
            yield warn(
                f'[[runners]] "{runner.name}": `graceful_kill_timeout` is {graceful} s, and gitlab-runner'
                " calls cleanup after 300 s while the script still runs",
                "60 to 299 s",
                "`graceful_kill_timeout = 120`",
            )
        yield from _too_short(runner, "prepare_exec_timeout", prepare, 300, "large pulls fail")
        whole = _seconds(runner.table.get("prepare_timeout"))
        if whole and whole < prepare:
            yield warn(
                f'[[runners]] "{runner.name}": `prepare_timeout` ({whole} s) is shorter than'
                f" `prepare_exec_timeout` ({prepare} s), and ends the job",
                "a `prepare_timeout` that is longer",
                f"`prepare_timeout = {prepare}`, or remove it",
            )
    shutdown = _number(facts.config.lowered(), "shutdown_timeout", 30)
    if shutdown < 60:  # noqa: PLR2004
        yield warn(
            f"`shutdown_timeout` is {shutdown} s: after SIGTERM cleanup has no longer, and leaves"
            " containers and volumes",
            "120 s",
            "`shutdown_timeout = 120` at the top of config.toml",
        )
    yield ok("long enough, and not too long")


def _too_short(
    runner: Runner, key: str, there: int, least: int, otherwise: str
) -> Iterator[Finding]:
    if there < least:
        yield warn(
            f'[[runners]] "{runner.name}": `{key}` is {there} s: {otherwise}',
            f"{least} s or more",
            f"`{key} = {least}` in [runners.custom]",
        )


def runner_config(facts: Facts) -> Iterator[Finding]:
    """Say what of a runner's registration does not fit dind-executor, or this host."""
    cores = facts.engine.info.get("NCPU")
    memory = facts.engine.info.get("MemTotal")
    jobs = facts.concurrent
    if isinstance(cores, int) and isinstance(memory, int) and memory:
        fit = min(4 * cores, memory // _BYTES_A_JOB or 1)
        if jobs > fit:
            yield warn(
                f"`concurrent` is {jobs}, on a host with {cores} cores and {memory // 1024**3} GiB",
                f"{fit} or less: a job that builds images needs about one core and 2 GiB",
                f"`concurrent = {fit}`, or a larger host",
            )
    for runner in facts.config.runners:
        yield from _runner(runner, jobs)
        if not facts.settings.docker.images.image:
            yield from _boot_verify(runner)
    yield ok("fits dind-executor and this host")


def _runner(runner: Runner, jobs: int) -> Iterator[Finding]:
    where, table = f'[[runners]] "{runner.name}"', runner.table
    for key in ("builds_dir", "cache_dir"):
        if not table.get(key):
            yield fail(
                f"{where} has no `{key}`: gitlab-runner refuses each job of a custom executor then",
                f'`{key} = "/{key.partition("_")[0]}"`',
                f"add `{key}`",
            )
    if table.get("shell") not in (None, "", "bash", "sh"):
        yield fail(
            f"{where} writes scripts for another shell than bash",
            '`shell = "bash"`',
            "correct `shell`",
        )
    if table.get("safe_directory_checkout") is not True:
        yield warn(
            f"{where}: git in a job refuses a checkout that another user owns",
            "`safe_directory_checkout = true`",
            "add it: the Docker executor does so by itself",
        )
    limit = table.get("limit")
    if isinstance(limit, int) and limit > jobs:
        yield warn(
            f"{where}: `limit` is {limit}, and `concurrent` {jobs}",
            "a limit up to it",
            "correct one",
        )
    output = table.get("output_limit")
    if isinstance(output, int) and 0 < output < _OUTPUT_KIB:
        yield warn(
            f"{where}: job logs end at {output} KiB", "4096 or more", "remove `output_limit`"
        )
    if "docker" in table:
        yield warn(
            f"{where} has [runners.docker] beside [runners.custom], which nothing reads",
            "`[docker]` of dind-executor's settings",
            "`dind-executor migrate` carries such keys over",
        )
    flags = table.get("feature_flags")
    for name in _USELESS_FLAGS:
        if isinstance(flags, dict) and flags.get(name) is True:
            yield warn(
                f"{where}: {name} has no effect on a custom executor", "no such flag", "remove it"
            )


def _boot_verify(runner: Runner) -> Iterator[Finding]:
    experimental = runner.table.get("experimental")
    verify = experimental.get("boot_verify") if isinstance(experimental, dict) else None
    if isinstance(verify, dict) and verify.get("enabled") is True:
        yield fail(
            f'[[runners]] "{runner.name}": boot_verify runs a job without an image at each start, and gitlab-runner'
            " ends if that fails, again and again",
            "`[docker] image` in the settings",
            "set `[docker] image`, and try it with `dind-executor doctor --as-job`",
        )


def _number(table: Table, key: str, default: int) -> int:
    """Return a time limit; one that is not positive means the default, as for gitlab-runner."""
    found = table.get(key)
    return (
        found if isinstance(found, int) and not isinstance(found, bool) and found > 0 else default
    )


def _seconds(told: object) -> int:
    if isinstance(told, str):
        return int(go_seconds(told) or 0)
    return told if isinstance(told, int) else 0
