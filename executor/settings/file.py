"""The administrator's settings: the TOML file named in `*_args` of config.toml, read and checked.

Each key is a field of a section, and its documentation stands beside its default; docs/settings.md
and `dind-executor settings` are made from it (`executor.settings.manual`).
"""

from executor.bounds import InvalidToml, toml_table
from executor.errors import SettingsError
from executor.files import read_regular
from executor.notation import paths
from executor.notation.table import Problems, Table
from executor.notation.volumes import destinations, wrong_volumes
from executor.settings import checks
from executor.settings.budgets import BudgetSettings
from executor.settings.dind import DindSettings
from executor.settings.disk import DiskSettings
from executor.settings.docker import DockerSettings
from executor.settings.keys import Section, key, section
from executor.settings.reader import read_section
from executor.settings.sweep import SweepSettings
from executor.shell import DIRECTORY, SOCKETS

__all__ = [
    "DindSettings",
    "DiskSettings",
    "DockerSettings",
    "LogSettings",
    "Settings",
    "SweepSettings",
    "load_settings",
    "read_settings",
    "settings_of",
]

_MOST_BYTES = 1024 * 1024
_OWN_KERNELS = ("kata", "runsc", "gvisor", "krun", "firecracker")
"""What the names of runtimes contain whose containers have a kernel of their own."""


class LogSettings(Section):
    """The administrator's own log: JSON lines without secrets, separate from the job logs."""

    destination: str = key(
        "Where the log goes: a `file`, the systemd `journal`, or `none`.",
        default="file",
        choices=("file", "journal", "none"),
    )
    path: str = key(
        "Absolute path of the log file.",
        default="/var/log/dind-executor/dind-executor.log",
        check=paths.wrong_path,
    )
    job_summary: bool = key(
        "Print a few lines at the end of each job log, in a section that opens with a click: what"
        " was pulled, when the Docker daemon answered, and what it used.",
        default=True,
    )
    records: bool = key(
        "Append what each stage did, and from when to when, to `spool/events.jsonl` in"
        " `[sweep] state_dir`, and keep the last 16 to 32 MB. The record of a job has no text of"
        " anybody's in it but the last parts of its images' names.",
        default=True,
    )
    capture: str = key(
        "Whether the payloads of jobs are kept: `failed` keeps those of jobs that fail, with a"
        " placeholder in place of each secret, in `captures` in `[sweep] state_dir`, for"
        " `dind-executor plan` and `replay`. gitlab-runner's user alone can read them; the last 50 of at"
        " most 14 days stay.",
        default="off",
        choices=("off", "failed"),
    )


class Settings(Section):
    """Settings of dind-executor."""

    SAME_AS = "[[runners]]"

    builds_dir: str = key(
        "Directory of the job's project in its containers, the same in all of them.",
        default="/builds",
        check=paths.wrong_directory,
    )
    cache_dir: str = key(
        "Directory of the job's caches in its containers.",
        default="/cache",
        check=paths.wrong_directory,
    )
    debug_trace_disabled: bool = key(
        "Do not show the logs of services in the logs of jobs that set `CI_DEBUG_SERVICES`."
        " Set it in config.toml too: there it turns off `CI_DEBUG_TRACE`.",
        default=False,
    )
    docker: DockerSettings = section(factory=DockerSettings)
    dind: DindSettings = section(factory=DindSettings)
    log: LogSettings = section(factory=LogSettings)
    sweep: SweepSettings = section(factory=SweepSettings)
    budgets: BudgetSettings = section(factory=BudgetSettings)
    disk: DiskSettings = section(factory=DiskSettings)


def load_settings(path: str) -> Settings:
    """Read and check the settings file; SettingsError names every mistake in it."""
    try:
        text = read_regular(path, _MOST_BYTES).decode()
    except OSError as error:
        raise SettingsError(
            f"The settings file {path} cannot be read: {error.strerror}. Check its path in the"
            " *_args of [runners.custom] in config.toml, and its permissions. `dind-executor doctor"
            " --only config` looks at this."
        ) from None
    except UnicodeDecodeError:
        raise SettingsError(
            f"The settings file {path} is not UTF-8 text. Save it as UTF-8."
        ) from None
    return read_settings(text, path)


def read_settings(text: str, path: str) -> Settings:
    """Read and check settings; `path` is the file's name for the sentences of SettingsError."""
    try:
        document = toml_table(text)
    except InvalidToml as error:
        raise SettingsError(f"The settings file {path} is not TOML: {error}") from None
    return settings_of(document, path)


def settings_of(document: object, path: str) -> Settings:
    """Check the same as a table that is read already."""
    problems = Problems()
    table = Table(document, problems)
    settings = read_section(Settings, table)
    _check_together(settings, table)
    if problems:
        count = len(problems.texts)
        found = "a mistake" if count == 1 else f"{count} mistakes"
        lines = "".join(f"\n  {each}" for each in problems.texts)
        raise SettingsError(f"The settings file {path} has {found}:{lines}")
    return _completed(settings, table)


def _check_together(settings: Settings, table: Table) -> None:
    """Note what is wrong only together with another key."""
    dind, volumes = table.table("dind"), settings.dind.volumes
    if paths.overlap(settings.builds_dir, settings.cache_dir):
        table.note("cache_dir", "cache_dir and builds_dir must not lie in each other")
    for place, bind in enumerate(volumes):
        if checks.wrong_bind(bind):
            continue
        for taken in (settings.builds_dir, settings.cache_dir):
            if paths.overlap(bind.split(":")[1], taken):
                dind.note_element("volumes", place, f"the destination of {bind!r} covers {taken}")
    _check_docker(settings, table.table("docker"))
    command = settings.dind.command
    if command and not command[0].startswith("-"):
        wanted = "the first must start with a dash: these are arguments of dockerd, not a program"
        dind.note("command", wanted)
    _check_privileges(settings, table)
    if "privileged" in dind and settings.dind.privileged and "sysbox" in settings.dind.runtime:
        dind.note(
            "privileged",
            f"the runtime {settings.dind.runtime} refuses privileged containers; set it to false",
        )


def _check_docker(settings: Settings, docker: Table) -> None:
    for place, service in enumerate(settings.docker.services.services):
        if not service.name:
            docker.note_element("services", place, "it has no name")
    for place, wrong in wrong_volumes(settings.docker.volumes.volumes, settings.builds_dir):
        docker.note_element("volumes", place, wrong)


def _check_privileges(settings: Settings, table: Table) -> None:
    """Note what `[docker]` gives containers that the runtime or another mount does not allow."""
    docker, keys = settings.docker, table.table("docker")
    privileged = {
        "privileged": docker.containers.privileged,
        "services_privileged": docker.services.services_privileged,
    }
    for name, wanted in privileged.items():
        if wanted and "sysbox" in docker.containers.runtime:
            keys.note(
                name,
                f"the runtime {docker.containers.runtime} refuses privileged containers; set it to false",
            )
    taken = dict.fromkeys(destinations(docker.volumes.volumes), "a volume by `volumes`")
    taken |= {
        settings.builds_dir: "the builds directory",
        settings.cache_dir: "the cache directory",
    }
    for name, tmpfs in (
        ("tmpfs", docker.containers.tmpfs),
        ("services_tmpfs", docker.services.services_tmpfs),
    ):
        for path in tmpfs:
            plain = path.rstrip("/")
            what = taken.get(plain, "")
            if any(paths.is_within(plain, taken) for taken in (DIRECTORY, SOCKETS)):
                what = "the directory of dind-executor"
            if what:
                keys.table(name).note(path, f"this is {what}, which several containers share")


def _completed(settings: Settings, table: Table) -> Settings:
    """Fill in the values that follow from others."""
    dind = settings.dind
    if dind.runtime and "privileged" not in table.table("dind"):
        dind = dind.changed(privileged=False)
    runtimes = {dind.runtime, settings.docker.containers.runtime}
    if "socket" not in table.table("dind"):
        apart = any(word in each for each in runtimes for word in _OWN_KERNELS)
        dind = dind.changed(socket=not apart)
    return settings.changed(dind=dind)
