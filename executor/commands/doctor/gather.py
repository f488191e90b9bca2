"""Looks at a host: asks the engine, systemd and gitlab-runner, and reads what they are told.

Nothing is changed.  What cannot be seen is left empty, and the checks say so.
"""

import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from executor.commands.doctor.facts import Answer, Asked, Config, Facts, Process, Runner, Service
from executor.commands.doctor.files import Files
from executor.commands.doctor.processes import CONFIG, named_config, running
from executor.commands.doctor.programs import rules, version_of
from executor.commands.doctor.service import read_service
from executor.commands.doctor.users import user_of
from executor.commands.doctor.work import in_time
from executor.engine.description import Description, describe, manifest_refusal
from executor.errors import SettingsError
from executor.host.credentials import read_host_config, run_credential_helper
from executor.host.owner import own_container
from executor.host.routes import policy_routes
from executor.plan.credentials import read_catalogue, resolve
from executor.reading import engine_address
from executor.runner.environ import RunnerEnv
from executor.settings.file import Settings, load_settings

_SETTINGS = "/etc/dind-executor/settings.toml"
_ENGINE_SECONDS, _SECONDS = 4.0, 5.0
_REGISTRY_SECONDS = 20.0


class Given(NamedTuple):
    """What the command line says."""

    root: str = "/"
    config: str = ""
    settings: str = ""
    runner: str = ""
    user: str = ""
    online: bool = False


def gather(given: Given) -> Facts:
    """Return what is seen of a host."""
    files = Files(given.root)
    service = _in_time(lambda: read_service(files), None)
    process = running(files, given.config, service, given.user)
    config = read_config(files, given.config or _config_path(process, service), given.runner)
    named = next((path for each in config.runners for path in each.settings_files()), "")
    path = given.settings or named or (_SETTINGS if files.stat(_SETTINGS) else "")
    settings, problem = _settings(files, path)
    where = _where(files, settings, process)
    calls: list[tuple[Callable[[], object], float]] = [
        (lambda: _described(files, where), 4 * _ENGINE_SECONDS),
        (lambda: rules() if files.is_own and not os.geteuid() else None, _SECONDS),
        (lambda: version_of(process) if files.is_own else (), _SECONDS),
        (lambda: policy_routes() if files.is_own else (), _SECONDS),
    ]
    engine, shown, version, routes = (outcome for outcome, _ in in_time(calls))
    # Jobs' networks come and go: one that was listed had its rules before that, or has them after it.
    ((later, _),) = in_time([calls[1]])
    seen = [each for each in (shown, later) if isinstance(each, str)]
    return Facts(
        files=files,
        address=where[0],
        engine=engine
        if isinstance(engine, Description)
        else Description(
            {}, {}, [], [], f"The Docker Engine at {where[0]} cannot be asked: {engine}"
        ),
        user=user_of(files, given.user, process, service),
        config=config,
        settings=settings,
        now=time.time(),
        settings_path=path,
        settings_problem=problem,
        settings_hidden=bool(path) and _is_hidden(files.path(path)),
        service=service,
        process=process,
        version=version if isinstance(version, tuple) else (),
        container=own_container() if files.is_own else "",
        policy_routes=routes if isinstance(routes, tuple) else (),
        rules="\n".join(dict.fromkeys(filter(None, seen))) if seen else None,
        asked=Asked(_asker(process)) if given.online else None,
        environ=RunnerEnv.current().environ,
    )


def refusal_of(facts: Facts, image: str) -> str:
    """Return why the engine does not get an image, "" if it does.  Raises EngineUnavailable."""
    its = facts.process.environ if facts.process else {}
    host_config = read_host_config(its or facts.environ)
    catalogue = read_catalogue("", host_config, (), run_credential_helper)
    found = resolve(image, catalogue)
    header = found.credential.registry_auth_header() if found else ""
    where = _where(facts.files, facts.settings, facts.process)
    return manifest_refusal(_seen(facts.files, where), image, header, _REGISTRY_SECONDS)


def _in_time(function: Callable[[], Service | None], otherwise: None) -> Service | None:
    ((outcome, _),) = in_time([(function, _SECONDS)])
    return otherwise if isinstance(outcome, Exception) else outcome


def _asker(process: Process | None) -> Callable[[str, str], Answer]:
    from executor.commands.doctor.web import get  # noqa: PLC0415 (with --online alone)

    environ: Mapping[str, str] = (
        process.environ if process and process.environ else RunnerEnv.current().environ
    )
    return lambda url, authorities: get(url, authorities, environ)


def read_config(files: Files, path: str, name: str = "") -> Config:
    """Return gitlab-runner's configuration, with the custom runners, or the one of a name."""
    from executor.bounds import InvalidToml, toml_table  # noqa: PLC0415

    try:
        text = files.read(path)
        document = toml_table(text)
    except FileNotFoundError:
        return Config(path)
    except InvalidToml as error:
        return Config(path, problem=f"it is not TOML: {error}")
    except PermissionError:
        return Config(path, hidden=True)
    except OSError as error:
        return Config(path, problem=error.strerror or str(error))
    lowered = {key.lower(): value for key, value in document.items()}
    runners = lowered.get("runners")
    found = []
    for values in runners if isinstance(runners, list) else []:
        table = (
            {key.lower(): value for key, value in values.items()}
            if isinstance(values, dict)
            else {}
        )
        runner = Runner(str(table.get("name") or "unnamed"), table)
        if table.get("executor") == "custom" and name in ("", runner.name):
            found.append(runner)
    return Config(path, text, document, runners=tuple(found))


def _config_path(process: Process | None, service: Service | None) -> str:
    """Return the configuration of the gitlab-runner that runs, or that its unit would start.

    What one in a container names is a file of another file system, and a job may have named it.
    """
    found = named_config(process.arguments) if process and not process.in_container else ""
    return found or (named_config(service.arguments()) if service else "") or CONFIG


def _settings(files: Files, path: str) -> tuple[Settings, str]:
    if not path:
        return Settings(), ""
    try:
        return load_settings(files.path(path)), ""
    except SettingsError as error:
        return Settings(), "" if _is_hidden(files.path(path)) else str(error)


def _is_hidden(path: str) -> bool:
    """Tell whether this user may not read a file; one that is not there is not hidden."""
    try:
        with Path(path).open("rb"):
            return False
    except OSError as error:
        return isinstance(error, PermissionError)


Where = tuple[str, str, bool]


def _where(files: Files, settings: Settings, process: Process | None) -> Where:
    """Return the engine's address as a stage of the running gitlab-runner would find it."""
    environ = (
        process.environ
        if process and process.environ
        else RunnerEnv.current().environ
        if files.is_own
        else {}
    )
    return engine_address(settings, RunnerEnv(environ))


def _seen(files: Files, where: Where) -> Where:
    """Return the address at which this process sees the engine's socket."""
    address, tls_dir, verify = where
    path = address.removeprefix("unix://")
    if address.startswith("unix://") and files.stat(path):
        return f"unix://{files.path(path)}", tls_dir, verify
    return address, files.path(tls_dir) if tls_dir else "", verify


def _described(files: Files, where: Where) -> Description:
    address, tls_dir, verify = _seen(files, where)
    return describe(address, tls_dir, tls_verify=verify, seconds=_ENGINE_SECONDS)
