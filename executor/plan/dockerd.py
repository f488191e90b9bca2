"""What dockerd in the sidecar is told about the networks and registries around it: pure.

Three have a say, and whoever is nearer to the job wins: the job's own dind service by its
arguments, the image by its daemon.json, the administrator by the settings.  dockerd refuses to start
when arguments and daemon.json give the same directive, so a program before it
(`dockerd.sh`) leaves out what the image's file already says.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from executor.notation.hosts import host_of, wrong_insecure_registry, wrong_mirror
from executor.plan.inputs import Facts, Inputs
from executor.plan.network import inner_pool, ipv6_subnet
from executor.plan.proxies import PROXIES
from executor.plan.transport import Transport
from executor.shell import given, program

_PROGRAM = program("dockerd")

_DOCKERD = ("dockerd", "dockerd-entrypoint.sh")
_SHELLS = ("sh", "bash", "ash", "dash")
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:=,@+ ")
"""Characters that mean nothing to a shell, but for the blank between words."""
_IPV6_NUMBER = 1


_REGISTRY_FLAGS = {
    "--registry-mirror": wrong_mirror,
    "--insecure-registry": wrong_insecure_registry,
}
"""What is kept of a service that another image replaces: it tells dockerd where images are."""


class Option(NamedTuple):
    """An argument of dockerd that gives way to the author's and to the image's own."""

    directive: str
    """Its name in daemon.json."""
    argument: str
    unless: tuple[str, ...] = ()
    """Flags that it cannot stand beside."""
    since: int = 0
    """The first major version that knows it."""
    before: int = 0
    """The first major version that does without, 0 where none does."""


def without_shell(
    entrypoint: tuple[str, ...] | None, command: tuple[str, ...]
) -> tuple[tuple[str, ...] | None, tuple[str, ...]]:
    """Return entrypoint and command without a shell that does no more than to start dockerd.

    `entrypoint: ["sh", "-c"]` with `command: ["dockerd-entrypoint.sh"]` is common, and gets our
    arguments like any other dind.
    """
    if entrypoint is None or len(entrypoint) != 2 or len(command) != 1:  # noqa: PLR2004
        return entrypoint, command
    words = command[0].removeprefix("exec ").split()
    shell = entrypoint[0].rpartition("/")[2] in _SHELLS and entrypoint[1] == "-c"
    if not (shell and words and _PLAIN.issuperset(command[0])):
        return entrypoint, command
    if words[0].rpartition("/")[2] not in _DOCKERD:
        return entrypoint, command
    return (words[0],), tuple(words[1:])


def registry_arguments(words: Iterable[str]) -> list[str]:
    """Return the mirrors and insecure registries that a command has for dockerd, if they are that.

    The command may be a shell's text; what follows from its variables is not known.
    """
    found = []
    left = [each.strip("\"';") for word in words for each in word.split()]
    for place, word in enumerate(left):
        flag, equals, value = word.partition("=")
        wrong = _REGISTRY_FLAGS.get(flag)
        if wrong is None:
            continue
        if not equals:
            value = "".join(left[place + 1 : place + 2])
        value = value.strip("\"'")
        if value and not wrong(value):
            found.append(f"{flag}={value}")
    return found


def dockerd_command(
    inputs: Inputs,
    facts: Facts,
    way: Transport,
    entrypoint: tuple[str, ...] | None,
    command: tuple[str, ...],
) -> tuple[tuple[str, ...], str]:
    """Return the service's command with our arguments, and the program before it.

    The image's entrypoint adds its own as long as the first one is an option.  An author who
    replaced the entrypoint, or starts another program, gets exactly what was asked for.
    """
    if entrypoint is not None and entrypoint[-1].rpartition("/")[2] not in _DOCKERD:
        return command, ""
    ours = [] if way.tls else ["--tls=false"]  # else dockerd waits 16 s to warn of plain TCP
    ours += inputs.settings.dind.command
    if not command or command[0].startswith("-"):
        whole = (*ours, *command)
    elif command[0].rpartition("/")[2] in _DOCKERD:
        whole = (command[0], *ours, *command[1:])
    else:
        return command, ""
    return whole, _prelude(inputs, facts, whole)


def _prelude(inputs: Inputs, facts: Facts, command: Sequence[str]) -> str:
    """Return the program that adds what neither the command nor daemon.json says."""
    said = {each.partition("=")[0] for each in command}
    options = [
        f"{each.directive} {each.since} {each.before} {each.argument}"
        for each in (*_network_options(inputs, facts), *_registry_options(inputs, facts))
        if said.isdisjoint(each.unless)
    ]
    variables = given(
        _options="\n".join(options),
        _mtu=str(_mtu(inputs, facts) or ""),
        _dns="" if "--dns" in said else "yes",
    )
    return variables + _PROGRAM


def _network_options(inputs: Inputs, facts: Facts) -> list[Option]:
    options = []
    mtu = _mtu(inputs, facts)
    if mtu:
        opt, value = "--default-network-opt", f"bridge=com.docker.network.driver.mtu={mtu}"
        options += [
            Option("mtu", f"--mtu={mtu}", ("--mtu",)),
            Option("default-network-opts", f"{opt}={value}", (opt,), since=24),
        ]
    pool = inner_pool(_taken(inputs, facts))
    if pool:
        flag, value = "--default-address-pool", f"base={pool.pool},size={pool.size}"
        options += [
            Option("bip", f"--bip={pool.bridge}", ("--bip", "-b", "--bridge", "--fixed-cidr")),
            Option("default-address-pools", f"{flag}={value}", (flag,)),
        ]
    if inputs.settings.docker.enable_ipv6:
        subnet = ipv6_subnet(inputs.names.key, _IPV6_NUMBER)
        flags = ("--ipv6", "--fixed-cidr-v6")
        options += [
            Option("ipv6", "--ipv6", flags),
            Option("fixed-cidr-v6", f"--fixed-cidr-v6={subnet}", flags),
            Option("ip6tables", "--ip6tables", ("--ip6tables",), before=27),
            Option("experimental", "--experimental", ("--experimental",), before=27),
        ]
    return options


def _registry_options(inputs: Inputs, facts: Facts) -> list[Option]:
    """Return what dind is told of registries: the settings' word, else the engine's own."""
    dind, around = inputs.settings.dind, facts.surroundings
    inherit = dind.inherit_registries
    mirrors = dind.registry_mirrors or (around.mirrors if inherit else ())
    insecure = dind.insecure_registries or (around.insecure_registries if inherit else ())
    return [
        *(Option("registry-mirrors", f"--registry-mirror={each}") for each in mirrors),
        *(Option("insecure-registries", f"--insecure-registry={each}") for each in insecure),
    ]


def _mtu(inputs: Inputs, facts: Facts) -> int:
    return inputs.settings.docker.network_mtu or facts.surroundings.mtu


def _taken(inputs: Inputs, facts: Facts) -> Iterable[str]:
    """Yield every network and address that the job may have to reach."""
    docker, dind, around = inputs.settings.docker, inputs.settings.dind, facts.surroundings
    registries = (*dind.insecure_registries, *around.insecure_registries)
    yield from around.subnets
    yield from docker.dns
    yield from (each.partition(":")[2] for each in docker.extra_hosts)
    yield from registries
    addresses = (
        *registries,
        *dind.registry_mirrors,
        *around.mirrors,
        inputs.job.repo_url,
        *(each.url for each in inputs.job.registries),
        *(inputs.values.get(key, "") for each in PROXIES for key in (each, each.lower())),
    )
    yield from map(host_of, addresses)
