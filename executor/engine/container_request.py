"""A container's spec as the body of the engine's create request.

Pure: no I/O.
"""

from collections.abc import Mapping

from executor.dataclass import replace
from executor.shell import ENVIRONMENT, moved, quoted
from executor.shell.entrypoints import takes_one_word
from executor.shell.greetings import FILES, VARIABLES
from executor.shell.receiver import receiver, sent_environment
from executor.shell.variables import carries
from executor.spec import ContainerSpec, ImageFacts, VolumeSpec

_LOG_NONE: dict[str, object] = {"Type": "none"}
"""A script's output goes to gitlab-runner, which masks it, and stays in no file of the engine."""

_MAC_OF_ENDPOINT = (1, 44)
"""From this API on, a hardware address is that of one network; before, the container's."""


def container_request(
    spec: ContainerSpec,
    image: ImageFacts,
    api: tuple[int, ...] = (1, 41),
    volumes: Mapping[str, VolumeSpec] = {},
    networks: Mapping[str, str] = {},
) -> dict[str, object]:
    """Return what the engine is asked to create, by a version of its API; nothing is secret.

    `volumes` are those that were made for the job, by name, and `networks` the ids of its networks.
    """
    network = _network(spec, api, networks)
    host: dict[str, object] = {
        **spec.host,
        "Privileged": spec.privileged,
        "NetworkMode": network,
        "Binds": list(spec.binds),
        "Mounts": [_mount(volumes.get(name), name, target) for name, target in spec.mounts],
        "Tmpfs": spec.tmpfs,
        "ExtraHosts": list(spec.extra_hosts),
        "Dns": list(spec.dns),
        "DnsSearch": list(spec.dns_search),
        "RestartPolicy": {"Name": "no"},
        "LogConfig": _log(spec),
    }
    if spec.volume_driver:
        host["VolumeDriver"] = spec.volume_driver
    endpoint: dict[str, object] = {"Aliases": list(spec.aliases)}
    request: dict[str, object] = {
        "Image": image.id,
        "Cmd": list(spec.command) or None,
        "Env": [f"{key}={value}" for key, value in spec.environment.items()],
        "Labels": spec.labels,
        "Hostname": spec.hostname,
        "User": spec.user,
        "HostConfig": host,
        "NetworkingConfig": {"EndpointsConfig": {network: endpoint}},
    }
    if spec.mac_address:
        place = endpoint if api >= _MAC_OF_ENDPOINT else request
        place["MacAddress"] = spec.mac_address
    if spec.entrypoint is not None:
        request["Entrypoint"] = list(spec.entrypoint)
    if spec.receives:
        # Not StdinOnce: whoever attaches a moment too late to such a container waits for its end.
        # A keeper reads on, and a receiver gives its program no stdin.
        request["OpenStdin"] = True
    program = _with_dropped(spec, image, _program(spec, image))
    if spec.receives and not spec.runs_scripts and program:
        request |= {
            "Entrypoint": _placed(spec, receiver(spec.name, program, prelude=spec.prelude)),
            "Cmd": None,
        }
    entrypoint = entrypoint_of(spec, image)
    if spec.runs_scripts and takes_one_word(entrypoint):
        request["Cmd"] = [f"exec {' '.join(map(quoted, spec.command))}"]
    if spec.runs_scripts and spec.secret_environment:
        request["Entrypoint"] = _placed(spec, receiver(spec.name, entrypoint, keeps_stdin=True))
    return request


def entrypoint_of(spec: ContainerSpec, image: ImageFacts) -> tuple[str, ...]:
    """Return the entrypoint that a container has, the image's own unless the job gives another."""
    given = image.entrypoint if spec.entrypoint is None else spec.entrypoint
    return () if given == ("",) else given


def without_needless_secrets(spec: ContainerSpec, image: ImageFacts) -> ContainerSpec:
    """Return the spec of a container for scripts, which bring their variables along.

    Only an entrypoint needs them earlier.
    """
    if spec.runs_scripts and spec.secret_environment and not entrypoint_of(spec, image):
        return replace(spec, secret_environment={})
    return spec


def sent_on_stdin(spec: ContainerSpec) -> list[tuple[str, list[tuple[str, bytes]]]]:
    """Return what a container asks for before it counts as started, and the files for each.

    Where an entrypoint runs before the keeper, its variables come first and by themselves: the
    keeper reads on, maybe as another user: its files must belong to that one.
    """
    files = sent_to(spec)
    first = [each for each in files if spec.runs_scripts and each[0] == _environment(spec)]
    rest = [each for each in files if each not in first]
    return [*([(VARIABLES, first)] if first else []), (FILES, rest)]


def _mount(volume: VolumeSpec | None, name: str, target: str) -> dict[str, object]:
    """Return the mount of a volume; the engine makes one that is gone again, the same as before.

    That happens where something removes it (a prune on the host), or cleanup does while a killed
    prepare's last request is under way.
    """
    mount: dict[str, object] = {"Type": "volume", "Source": name, "Target": target}
    if volume:
        options: dict[str, object] = {"Labels": volume.labels}
        if volume.driver:
            options["DriverConfig"] = {"Name": volume.driver, "Options": volume.options}
        mount["VolumeOptions"] = options
    return mount


def _log(spec: ContainerSpec) -> dict[str, object]:
    if spec.runs_scripts:
        return _LOG_NONE
    return {"Type": "json-file", "Config": {"max-size": "10m", "max-file": "2", **spec.log_options}}


def sent_to(spec: ContainerSpec) -> list[tuple[str, bytes]]:
    """Return paths and contents of what a container gets through its stdin."""
    files = [(each.path, each.content) for each in spec.files]
    if spec.secret_environment:
        files.append((_environment(spec), sent_environment(spec.secret_environment)))
    return files


def _placed(spec: ContainerSpec, command: tuple[str, ...]) -> list[str]:
    return [moved(each) if spec.elsewhere else each for each in command]


def _environment(spec: ContainerSpec) -> str:
    return moved(ENVIRONMENT) if spec.elsewhere else ENVIRONMENT


def _program(spec: ContainerSpec, image: ImageFacts) -> tuple[str, ...]:
    """Return what the engine runs: an entrypoint of one's own drops the image's command."""
    command = image.command if spec.entrypoint is None and not spec.command else spec.command
    return (*entrypoint_of(spec, image), *command)


def _with_dropped(
    spec: ContainerSpec, image: ImageFacts, program: tuple[str, ...]
) -> tuple[str, ...]:
    """Return a service's program behind what gives it the variables that our shell drops.

    All of them stand in the container's configuration as well, so that nothing shows here alone.
    """
    given = dict(each.split("=", 1) for each in image.environment if "=" in each)
    dropped = [
        f"{key}={value}"
        for key, value in {**given, **spec.environment}.items()
        if not carries(key) and key != "_" and key[:1] not in ("", "-")
    ]
    if not dropped or not program or spec.prelude or "=" in program[0]:
        return program
    return ("env", *dropped, *program)


def _network(spec: ContainerSpec, api: tuple[int, ...], networks: Mapping[str, str]) -> str:
    """Return what the engine is told of the network: its id, as 20.10 may have several of one name.

    That engine gives a hardware address only where it is told the name.
    """
    by_name = spec.mac_address and api < _MAC_OF_ENDPOINT
    return spec.network if by_name else networks.get(spec.network, spec.network)
