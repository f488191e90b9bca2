"""Whether gitlab-runner's user reaches what it must, and whether there is room and the right time."""

import os
import stat
from collections.abc import Iterator
from errno import EACCES

from executor.commands.doctor.facts import Facts
from executor.commands.doctor.findings import CannotTell, Finding, counted, fail, ok, skip, warn
from executor.disk.limits import Limits
from executor.host.disk import Free, Place, free
from executor.notation.moments import moment

_READ_WRITE = 6
_INSIDE = 3
"""Make files in a directory, and go into it."""
_DENIED = os.strerror(EACCES)
_SKEW_SECONDS = 60
_TMP = "/tmp"  # noqa: S108 (where gitlab-runner makes its jobs' directories)
_LEAST_BYTES, _LEAST_INODES = 256 * 1024 * 1024, 5000
"""For logs and payloads: each job has some megabytes."""
_MIB = 1024 * 1024
_LONGEST_SHOWN = 200


def engine_socket(facts: Facts) -> Iterator[Finding]:
    """Say whether the engine answers, and whether gitlab-runner's user may ask it."""
    expected = f"{facts.address} answers, and {facts.user.name} may use it"
    if facts.local:
        path = facts.address.removeprefix("unix://")
        found = facts.files.stat(path)
        if found is None:
            yield fail(
                f"there is no {path}",
                expected,
                "start the Docker Engine (`systemctl start docker`), or correct `[docker] host` in the"
                " settings, and DOCKER_HOST of gitlab-runner",
            )
            return
        if not stat.S_ISSOCK(found.st_mode):
            yield fail(
                f"{path} is not a socket", expected, "remove it, and restart the Docker Engine"
            )
            return
        hindrance = facts.user.hindrance(facts.files, path, _READ_WRITE)
        if hindrance:
            yield fail(
                f"gitlab-runner runs as {facts.user.name} ({facts.user.how}), and {hindrance}",
                expected,
                f"`usermod --append --groups docker {facts.user.name}`, and restart gitlab-runner: it"
                " keeps the groups that it began with",
            )
    if facts.local and _DENIED in facts.engine.problem:
        yield skip("this user may not ask the engine: run doctor as root")
        return
    if facts.engine.problem:
        yield fail(
            facts.engine.problem[:_LONGEST_SHOWN],
            expected,
            "`systemctl status docker` and `journalctl -u docker` say why",
        )
    yield ok(f"{facts.address} answers, and {facts.user.name} may use it")


def log(facts: Facts) -> Iterator[Finding]:
    """Say whether the stages can write the administrator's log and their records."""
    user, settings = facts.user, facts.settings
    places = []
    if settings.log.destination == "file":
        places.append(("`[log] path`", settings.log.path, True))
    if settings.sweep.state_dir:
        places.append(("`[sweep] state_dir`", settings.sweep.state_dir, False))
        if settings.log.records and facts.files.stat(f"{settings.sweep.state_dir}/spool"):
            places.append(("the records", f"{settings.sweep.state_dir}/spool", False))
    for what, path, is_file in places:
        directory = path.rpartition("/")[0] if is_file else path
        there = is_file and facts.files.stat(path) is not None
        hindrance = (
            user.hindrance(facts.files, path, 2)
            if there
            else user.hindrance(facts.files, directory, _INSIDE)
        ) or _read_only(facts, directory)
        if hindrance:
            yield warn(
                f"{what} cannot be written by gitlab-runner's user: {hindrance}",
                f"{user.name} may write {path}",
                f"`mkdir -p {directory} && chown -R {user.name} {directory}`, or correct {what} in the"
                " settings",
            )
    yield ok(", ".join(path for _, path, _ in places) or "no log and no records are kept")


def _read_only(facts: Facts, directory: str) -> str:
    try:
        flags = os.statvfs(facts.files.path(directory)).f_flag
    except OSError as error:
        return f"{directory}: {error.strerror}"
    return f"{directory} is on a read-only file system" if flags & os.ST_RDONLY else ""


def disk(facts: Facts) -> Iterator[Finding]:
    """Say whether a job finds room: on the engine's disk, and for gitlab-runner's own files."""
    limits = Limits.of(facts.settings.disk)
    data = str(facts.engine.info.get("DockerRootDir") or "")
    if data and not facts.elsewhere:
        yield from _engines_disk(facts, data, limits)
    own = (
        facts.process.environ.get("TMPDIR", _TMP) if facts.process else _TMP,
        facts.settings.log.path.rpartition("/")[0]
        if facts.settings.log.destination == "file"
        else "",
        facts.settings.sweep.state_dir,
    )
    for directory in dict.fromkeys(each for each in own if each):
        left = _free(facts, directory)
        if (
            left
            and left.size
            and (left.bytes < _LEAST_BYTES or (left.inodes or _LEAST_INODES) < _LEAST_INODES)
        ):
            yield fail(
                f"{directory} has {_room(left)} left: payloads, scripts and logs of jobs need more",
                f"{_LEAST_BYTES // _MIB} MiB and {_LEAST_INODES} inodes",
                "remove what nobody needs, or make the disk larger",
            )
    yield ok("there is room")


def _engines_disk(facts: Facts, data: str, limits: Limits) -> Iterator[Finding]:
    left = _free(facts, data)
    if left is None:
        return
    jobs = facts.concurrent
    wanted = limits.floor + limits.headroom * jobs
    expected = f"{wanted // _MIB} MiB for {counted(jobs, 'job')} at once (`[disk]` of the settings)"
    remedy = "`dind-executor prune` shows what is kept, `docker system prune` removes the rest"
    if not limits.admits(left):
        yield fail(f"{data} has {_room(left)} left: no job begins", expected, remedy)
    elif left.bytes < wanted:
        yield warn(f"{data} has {_room(left)} left", expected, remedy)


def _free(facts: Facts, directory: str) -> Free | None:
    path = facts.files.path(directory)
    try:
        device = os.stat(path).st_dev  # noqa: PTH116
    except OSError:
        return None
    return free(Place(directory, path, device))


def _room(left: Free) -> str:
    inodes = "" if left.inodes is None else f" and {left.inodes} inodes"
    return f"{left.bytes // _MIB} MiB{inodes}"


def clock(facts: Facts) -> Iterator[Finding]:
    """Say whether this host's clock is that of the engine, and with --online of GitLab."""
    told = {"the engine's": moment(str(facts.engine.info.get("SystemTime") or ""))}
    if facts.asked:
        from executor.commands.doctor.about_others import gitlab_clock  # noqa: PLC0415

        told["GitLab's"] = gitlab_clock(facts)
    found = False
    for whose, said in told.items():
        if said is None:
            continue
        found = True
        skew = facts.now - said
        if abs(skew) > _SKEW_SECONDS:
            yield warn(
                f"this host's clock is {abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} {whose}:"
                " certificates and tokens count as expired, or as not valid yet",
                f"less than {_SKEW_SECONDS} s between them",
                "`timedatectl set-ntp true`, or start chrony",
            )
    if not found:
        raise CannotTell("the engine does not say what time it is")
    yield ok(f"this host's clock and {' and '.join(told)} agree")


def runner_container(facts: Facts) -> Iterator[Finding]:
    """Say whether a gitlab-runner in a container sees what it must."""
    if facts.process and facts.process.in_container and not facts.container:
        yield warn(
            f"gitlab-runner (process {facts.process.pid}) runs in a container: what it sees is another"
            " file system than this one",
            "doctor in the same container",
            "`docker exec gitlab-runner dind-executor doctor`",
        )
    if facts.container:
        yield from _in_container(facts)
    yield ok("gitlab-runner runs in a container" if facts.container else "in no container")


def _in_container(facts: Facts) -> Iterator[Finding]:
    mounted = _mounted(facts)
    kept = {
        "the administrator's log": facts.settings.log.path.rpartition("/")[0]
        if facts.settings.log.destination == "file"
        else "",
        "what sweeps saw": facts.settings.sweep.state_dir,
        "config.toml": facts.config.path.rpartition("/")[0],
    }
    for what, directory in kept.items():
        if directory and not directory.startswith("/proc") and not _covers(mounted, directory):
            yield warn(
                f"{directory} ({what}) is in the container alone, and goes with it",
                "a directory of the host mounted there",
                f"`docker run -v /srv/gitlab-runner/...:{directory}`, as docs/container.md has it",
            )
    profiles = (
        *facts.settings.docker.containers.security_opt,
        *facts.settings.docker.services.services_security_opt,
    )
    files = [each[8:] for each in profiles if each.startswith(("seccomp=/", "seccomp:/"))]
    for path in (
        *files,
        facts.settings.dind.authorities_in_builds,
        facts.settings.docker.tls_cert_path,
    ):
        if path and facts.files.stat(path) is None:
            yield fail(
                f"{path}, which the settings name, is not in the container of gitlab-runner",
                "files that the settings name, in gitlab-runner's container",
                f"`docker run -v {path}:{path}:ro`",
            )


def _mounted(facts: Facts) -> set[str]:
    lines = (line.split(" ") for line in facts.files.text("/proc/self/mountinfo").splitlines())
    return {fields[4] for fields in lines if len(fields) > 5}  # noqa: PLR2004


def _covers(mounted: set[str], directory: str) -> bool:
    return any(
        each != "/" and (directory == each or directory.startswith(f"{each}/")) for each in mounted
    )
