"""Reads settings, payload and host once."""

import os
import time
from typing import TYPE_CHECKING

from executor.dataclass import dataclass
from executor.errors import ExecutorError, SettingsError
from executor.host.owner import find_owner
from executor.log import AdministratorLog
from executor.names import JobNames, job_key
from executor.notation.owner import (
    AFTER_TIMEOUT_SECONDS,
    Belonging,
    Owner,
    owner_text,
    parse_note,
)
from executor.runner import notes
from executor.runner.context import RunContext
from executor.runner.environ import RunnerEnv
from executor.runner.payload import Job, read_job
from executor.settings.file import Settings, load_settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from executor.plan.credentials import Entry
    from executor.plan.inputs import Inputs

_DEFAULT_HOST = "unix:///var/run/docker.sock"


@dataclass(frozen=True, slots=True)
class Basics:
    """Settings, job, and the context that follows from both: enough for a stage that plans nothing."""

    settings: Settings
    job: Job
    context: RunContext
    belonging: Belonging
    """Who the job belongs to; prepare alone knows the container of its gitlab-runner."""

    @property
    def names(self) -> JobNames:
        """Return the names of the job's objects."""
        return self.context.names


def known_secrets(env: RunnerEnv) -> tuple[str, ...]:
    """Return the secret values of the job, for a stage that failed before or without planning it.

    No credential helper is asked.  Raises JobPayloadError where there is no payload.
    """
    from executor.plan.secrets import secret_values  # noqa: PLC0415

    job, values = read_job(env.job_response_file), env.job_values()
    return secret_values(job, values, (each.credential for each in known_logins(env, job, values)))


def known_logins(env: RunnerEnv, job: Job, values: "Mapping[str, str]") -> "tuple[Entry, ...]":
    """Return the registry logins that a job may use and that no credential helper has."""
    from executor.host.credentials import read_host_config, run_credential_helper  # noqa: PLC0415
    from executor.plan.credentials import read_catalogue  # noqa: PLC0415

    return read_catalogue(
        values.get("DOCKER_AUTH_CONFIG", ""),
        read_host_config(env.environ),
        job.registries,
        run_credential_helper,
        images=(),
    ).entries


def hide_secrets(env: RunnerEnv, log: AdministratorLog) -> None:
    """Keep the job's secrets out of words that the engine or dind may have quoted one in.

    prepare has done so before it began; the others read the payload for this alone.
    """
    if log.secrets:
        return
    try:  # noqa: SIM105 (contextlib is slow to import)
        log.hide(known_secrets(env))
    except ExecutorError:
        pass  # without a payload there is no job whose secrets anyone could know


def settings_path(args: list[str]) -> str:
    """Return the settings file that a stage's arguments name.

    Raises SettingsError where they name none.
    """
    for place, arg in enumerate(args):
        if arg == "--settings" and place + 1 < len(args):
            return args[place + 1]
        if arg.startswith("--settings="):
            return arg.partition("=")[2]
    raise SettingsError(
        'The stage was called without a settings file: write `["--settings",'
        ' "/etc/dind-executor/settings.toml"]` in config_args, prepare_args, run_args and'
        " cleanup_args of config.toml."
    )


def read_basics(env: RunnerEnv, args: list[str]) -> Basics:
    """Read settings and payload; raises SettingsError or JobPayloadError."""
    settings = load_settings(settings_path(args))
    return basics_of(env, settings, read_job(env.job_response_file))


def basics_of(env: RunnerEnv, settings: Settings, job: Job) -> Basics:
    """Return the same of what is read already."""
    host, tls_dir, tls_verify = engine_address(settings, env)
    belonging = _belonging(env.temp_dir, job, local=host.startswith("unix://"))
    return Basics(
        settings,
        job,
        RunContext(
            {
                "host": host,
                "tls_dir": tls_dir,
                "tls_verify": tls_verify,
                "key": belonging.key,
                "job_id": job.id,
                "project_id": job.project_id,
                "ready_timeout": settings.dind.ready_timeout,
                "log": f"{settings.log.destination}:{settings.log.path}",
                "spool": spool_of(settings),
                "capture": capture_of(settings),
            }
        ),
        belonging,
    )


def _belonging(temp_dir: str, job: Job, *, local: bool) -> Belonging:
    """Return who the job belongs to.

    What config has noted counts for the stages after it: gitlab-runner may be gone by now.
    """
    noted = parse_note(notes.read(temp_dir, notes.OWNER) or b"")
    if noted and noted.key == _key(job, noted.owner):
        owner = noted.owner
    else:
        owner = find_owner(local=local)
    return Belonging(
        _key(job, owner),
        str(job.id),
        str(job.project_id),
        owner,
        temp_dir=temp_dir,
        deadline=int(time.time()) + job.timeout_seconds + AFTER_TIMEOUT_SECONDS,
        gitlab=job.gitlab_url,
    )


def _key(job: Job, owner: Owner | None) -> str:
    whose = str(owner) if owner else f"{owner_text(owner)}@{os.uname().nodename}"
    return job_key(job.id, job.token, job.repo_url or whose)


def read_inputs(env: RunnerEnv, basics: Basics) -> "Inputs":
    """Return what the job is planned from; credential helpers of the host are asked for it."""
    # prepare alone plans; the other stages start sooner without these.
    from executor.host.authorities import read_authorities  # noqa: PLC0415
    from executor.host.credentials import (  # noqa: PLC0415
        read_host_config,
        run_credential_helper,
    )
    from executor.host.seccomp import read_profiles  # noqa: PLC0415
    from executor.plan.credentials import read_catalogue  # noqa: PLC0415
    from executor.plan.inputs import Inputs  # noqa: PLC0415

    settings, job = basics.settings, basics.job
    values = env.job_values()
    host_config = read_host_config(env.environ)
    catalogue = read_catalogue(
        values.get("DOCKER_AUTH_CONFIG", ""),
        host_config,
        job.registries,
        run_credential_helper,
        administrators_variable=not job.sets("DOCKER_AUTH_CONFIG"),
    )
    docker = settings.docker
    return Inputs(
        job,
        settings,
        basics.belonging,
        values,
        catalogue,
        hidden_source=""
        if docker.images.share_host_credentials or not host_config
        else host_config.path,
        seccomp_profiles=read_profiles(
            (*docker.containers.security_opt, *docker.services.services_security_opt)
        ),
        authorities=read_authorities(settings.dind.authorities_in_builds),
    )


def spool_of(settings: Settings) -> str:
    """Return the directory of the stages' records, "" where there are none."""
    state_dir = settings.sweep.state_dir
    return f"{state_dir}/spool" if settings.log.records and state_dir else ""


def capture_of(settings: Settings) -> str:
    """Return the directory of captured payloads, "" where none are kept."""
    state_dir = settings.sweep.state_dir
    return f"{state_dir}/captures" if settings.log.capture == "failed" and state_dir else ""


def engine_address(settings: Settings, env: RunnerEnv) -> tuple[str, str, bool]:
    """Return the engine's address, TLS directory and whether to verify it.

    As in `[runners.docker]`: without `host`, all three come from the runner's environment.
    """
    docker = settings.docker
    if docker.host:
        return docker.host, docker.tls_cert_path, docker.tls_verify
    host = env.host("DOCKER_HOST")
    if not host:
        return _DEFAULT_HOST, "", False
    return host, env.host("DOCKER_CERT_PATH"), bool(env.host("DOCKER_TLS_VERIFY"))
