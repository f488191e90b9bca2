"""What becomes of the parts of a registration that make Docker-in-Docker work: pure.

The sidecar brings its own certificates, alias and privileges, so settings by hand for them are left
out.
"""

from collections.abc import Mapping

from executor.commands.migrate.rules import DIND_VARIABLES
from executor.notation.image_names import InvalidImage
from executor.notation.service_names import ServiceName, split_aliases
from executor.plan.services import looks_like_dind
from executor.plan.transport import ALIAS

Table = Mapping[str, object]
_SOCKET = "/var/run/docker.sock"
_DATA = "/var/lib/docker"
_CERTS = ("/certs", "/certs/client", "/certs/ca", "/certs/server")
_LISTS = {"--registry-mirror": "registry_mirrors", "--insecure-registry": "insecure_registries"}
_OWN = ("--host", "-H", "--data-root", "-g")
_TLS_FILES = ("--tlscacert", "--tlscert", "--tlskey")


def sidecar_of(
    runner: Table, docker: Table, tables: dict[str, dict[str, object]], notes: list[str]
) -> dict[str, object]:
    """Set what makes the sidecar; return the keys of `[runners.docker]` that are left."""
    rest = dict(docker)
    _privileges(rest, tables, notes)
    _volumes(rest, notes)
    _services(rest, tables, notes)
    _environment(runner, notes)
    return {name: value for name, value in rest.items() if value is not None}


def _privileges(
    rest: dict[str, object], tables: dict[str, dict[str, object]], notes: list[str]
) -> None:
    privileged, services = rest.get("privileged", False), rest.get("services_privileged")
    if isinstance(privileged, bool):
        rest.pop("privileged", None)
    if privileged is True:
        notes.append(
            "[runners.docker] privileged: not carried over. `[dind] privileged` makes the sidecar"
            " privileged, and Docker needs nothing else. If jobs need a privileged build container"
            " for another reason, set `[docker] privileged = true`, and narrow it with"
            " `allowed_privileged_images`."
        )
    if services is True:
        rest.pop("services_privileged")
        notes.append(
            "[runners.docker] services_privileged: not carried over. `[dind] privileged` makes the"
            " sidecar privileged. If other services need it, set `[docker] services_privileged ="
            " true`."
        )
    sidecar = (privileged if services is None else services) is True
    _runtime(rest.get("runtime"), tables, notes, privileged=sidecar)
    readable = isinstance(privileged, bool) and isinstance(services, bool | None)
    if not sidecar and readable and not _is_sysbox(rest.get("runtime")):
        notes.append(
            "[runners.docker] privileged: it was off for services, so jobs had no Docker-in-Docker."
            " With dind-executor each job gets a sidecar, which is privileged unless `[dind] runtime`"
            " names a runtime that needs no privileges (docs/security.md)."
        )


def _runtime(
    runtime: object, tables: dict[str, dict[str, object]], notes: list[str], *, privileged: bool
) -> None:
    """Give the sidecar the runtime of the services, if dind can run in it as they did."""
    if not runtime:
        return
    if not privileged and not _is_sysbox(runtime):
        notes.append(
            "[runners.docker] runtime: carried over for build, helper and services, but not for the"
            f" sidecar: Docker-in-Docker needs privileges in {runtime}, and services had none. What"
            " a job builds runs outside of that runtime, in a privileged sidecar. If the runtime"
            " must isolate jobs, keep the Docker executor for this runner."
        )
        return
    tables["dind"]["runtime"] = runtime
    if not _is_sysbox(runtime):
        tables["dind"]["privileged"] = True
    notes.append(
        "[runners.docker] runtime: carried over for build, helper and services, and as `[dind]"
        " runtime` for the sidecar."
    )


def _is_sysbox(runtime: object) -> bool:
    """Tell whether dind needs no privileges in a runtime."""
    return "sysbox" in str(runtime)


def _volumes(rest: dict[str, object], notes: list[str]) -> None:
    volumes = rest.get("volumes")
    if not isinstance(volumes, list):
        return
    kept = []
    for volume in volumes:
        source, _, destination = str(volume).rpartition(":")
        if not source and str(volume).rstrip("/") in _CERTS:
            notes.append(
                f"[runners.docker] volumes {volume!r}: not carried over. dind-executor makes the"
                " sidecar's certificates for each job and keeps them on no disk."
            )
        elif _SOCKET in (str(volume).partition(":")[0], source, destination):
            notes.append(
                f"[runners.docker] volumes {volume!r}: not carried over. Each job has its own Docker"
                " daemon, and a job that reaches the host's daemon controls the host."
            )
        elif volume == _DATA or _DATA in str(volume).split(":")[1:]:
            notes.append(
                f"[runners.docker] volumes {volume!r}: not carried over. Each sidecar has its own"
                " images. Set `[dind] registry_mirrors` to make their pulls faster."
            )
        else:
            kept.append(volume)
    rest["volumes"] = kept or None


def _services(
    rest: dict[str, object], tables: dict[str, dict[str, object]], notes: list[str]
) -> None:
    services = rest.get("services")
    if not isinstance(services, list):
        return
    kept = []
    for service in services:
        if not isinstance(service, dict) or not _is_dind(str(service.get("name", ""))):
            kept.append(service)
        elif "image" in tables["dind"] or _has_more(service):
            kept.append(service)
            notes.append(
                f"[[runners.docker.services]] {service['name']}: carried over as a service of every"
                " job. It is the job's sidecar, and replaces a dind service that the job lists."
            )
        else:
            tables["dind"]["image"] = service["name"]
            notes.append(
                f"[[runners.docker.services]] {service['name']}: it becomes `[dind] image`, the"
                " sidecar of jobs that list no dind service. `docker` always leads to it."
            )
            _name_left(service, notes)
            _command(_words(service.get("command")), tables, notes)
    rest["services"] = kept or None


def _is_dind(image: str) -> bool:
    try:
        return looks_like_dind(ServiceName.parse(image))
    except InvalidImage:
        return False


def _has_more(service: Table) -> bool:
    """Tell whether a dind service has what `[dind]` has no key for."""
    name = ServiceName.parse(str(service["name"]))
    aliases = set(split_aliases(str(service.get("alias", ""))))
    command = _words(service.get("command"))
    program = command[:1] and not command[0].startswith("-")
    return bool(
        aliases - {ALIAS, *name.aliases}
        or {name for name, _ in _variables(service)} - set(DIND_VARIABLES)
        or service.get("entrypoint")
        or not isinstance(service.get("command", []), list)
        or (program and command[0] != "dockerd")
    )


def _name_left(service: Table, notes: list[str]) -> None:
    """Name what is left of a dind service whose image and command are the sidecar's now."""
    for name, value in _variables(service):
        why = f"not carried over, because {DIND_VARIABLES[name]}"
        if name == "DOCKER_TLS_CERTDIR" and not value:
            why = (
                "not carried over. Empty, it asked for Docker without TLS. The sidecar uses TLS with"
                " all jobs that do not ask for plain TCP themselves"
            )
        notes.append(f"[[runners.docker.services]] environment {name}: {why}.")
    notes += [
        f"[[runners.docker.services]] {key}: the Docker executor does not read it; it is not carried over."
        for key in service
        if key not in ("name", "alias", "command", "entrypoint", "environment")
    ]


def _variables(service: Table) -> list[tuple[str, str]]:
    """Return the variables of a service; one without a name where they cannot be read."""
    environment = service.get("environment", [])
    if not isinstance(environment, list):
        return [("", "")]
    return [(name, value) for name, _, value in (str(each).partition("=") for each in environment)]


def _words(value: object) -> list[str]:
    return [str(each) for each in value] if isinstance(value, list) else []


def _command(command: list[str], tables: dict[str, dict[str, object]], notes: list[str]) -> None:
    """Turn dockerd's arguments into keys where there are keys for them."""
    dind, left = tables["dind"], command[command[:1] == ["dockerd"] :]
    others: list[str] = []
    while left:
        argument = left.pop(0)
        name, equals, value = argument.partition("=")
        if (
            name in (*_LISTS, "--mtu", *_OWN, *_TLS_FILES)
            and not equals
            and left
            and left[0][:1] != "-"
        ):
            value = left.pop(0)
        if name in _LISTS:
            listed = dind.setdefault(_LISTS[name], [])
            assert isinstance(listed, list)  # noqa: S101 (made in the line above)
            listed.append(value)
        elif name == "--mtu" and value.isdecimal():
            tables["docker"]["network_mtu"] = int(value)
            notes.append(
                "[[runners.docker.services]] --mtu: it becomes `[docker] network_mtu`, for the job's"
                " network and for dind's."
            )
        elif name in _OWN or name.startswith("--tls"):
            notes.append(
                f"[[runners.docker.services]] {name}: not carried over. dind-executor sets the"
                " sidecar's address and certificates for each job."
            )
        else:
            others.append(argument)
    if others:
        dind["command"] = others


def _environment(runner: Table, notes: list[str]) -> None:
    environment = runner.get("environment")
    for each in environment if isinstance(environment, list) else []:
        name, _, value = str(each).partition("=")
        if name not in DIND_VARIABLES:
            continue
        if name == "DOCKER_TLS_CERTDIR" and not value:
            notes.append(
                "[[runners]] environment DOCKER_TLS_CERTDIR: empty, it asks for Docker without TLS"
                " in every job. Remove it to use TLS."
            )
        else:
            notes.append(
                f"[[runners]] environment {name}: you can remove it, because {DIND_VARIABLES[name]}."
            )
