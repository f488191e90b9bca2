"""What becomes of the runner's dind service: the sidecar, or a service that stands for it; pure."""

from collections.abc import Mapping

from executor.commands.migrate.rules import DIND_VARIABLES
from executor.notation.image_names import InvalidImage
from executor.notation.service_names import ServiceName, split_aliases
from executor.plan.services import looks_like_dind
from executor.plan.transport import ALIAS

Table = Mapping[str, object]
_LISTS = {"--registry-mirror": "registry_mirrors", "--insecure-registry": "insecure_registries"}
_OWN = ("--host", "-H", "--data-root", "-g")
_TLS_FILES = ("--tlscacert", "--tlscert", "--tlskey")


def carry_services(
    rest: dict[str, object], tables: dict[str, dict[str, object]], notes: list[str]
) -> None:
    """Make the runner's dind service the sidecar where `[dind]` has keys for all that it has."""
    services = rest.get("services")
    if not isinstance(services, list):
        return
    kept = []
    for service in services:
        if not isinstance(service, dict) or not is_dind(str(service.get("name", ""))):
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


def names_of_sidecar(rest: Table) -> set[str]:
    """Return the names that lead to the sidecar, of what is known before there is a job."""
    services = rest.get("services")
    listed = services if isinstance(services, list) else []
    dinds = [each for each in listed if isinstance(each, dict) and is_dind(str(each.get("name")))]
    aliases = {
        alias
        for each in dinds
        for alias in (
            *ServiceName.parse(str(each["name"])).aliases,
            *split_aliases(str(each.get("alias", ""))),
        )
    }
    return {ALIAS, *aliases}


def is_dind(image: str) -> bool:
    """Tell whether an image is one of dind, by its name."""
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
