"""What dockerd in the sidecar is told about the networks and registries around it: pure.

Three have a say, and whoever is nearer to the job wins: the job's own dind service by its
arguments, the image by its daemon.json, the administrator by the settings.  dockerd refuses to start
when arguments and daemon.json give the same directive, so a program in its place (`dockerd.sh`)
leaves out what they already say, however the service starts it.
"""

from collections.abc import Iterable
from typing import NamedTuple

from executor.names import TCP_PORT, TLS_PORT
from executor.notation.hosts import wrong_insecure_registry, wrong_mirror
from executor.plan.addresses import reached
from executor.plan.inputs import Facts, Inputs
from executor.plan.network import inner_pool, ipv6_subnet
from executor.plan.transport import Transport
from executor.shell import DIRECTORY, SOCKET, given, program
from executor.spec import ImageFacts

_INSTALL = program("install_dockerd", "open_client_files")
_PROGRAM = program("dockerd_socket", "dockerd")

_DIRECTORY = f"{DIRECTORY}/bin"
"""Where the program lies that stands in dockerd's place."""
_IPV6_NUMBER = 1


_REGISTRY_FLAGS = {
    "--registry-mirror": wrong_mirror,
    "--insecure-registry": wrong_insecure_registry,
}
"""What is kept of a service that another image replaces: it tells dockerd where images are."""
_DIRECTIVES = {
    "--registry-mirror": "registry-mirrors",
    "--insecure-registry": "insecure-registries",
}


class Option(NamedTuple):
    """An argument of dockerd that gives way to the author's and to the image's own."""

    directive: str
    """Its name in daemon.json, and after commas those of others that it cannot stand beside."""
    argument: str
    unless: tuple[str, ...] = ()
    """Flags that it cannot stand beside."""
    since: int = 0
    """The first major version that knows it."""
    before: int = 0
    """The first major version that does without, 0 where none does."""


def listens_plainly(words: Iterable[str], image: ImageFacts) -> bool:
    """Tell whether a dind service that nobody tells anything of TLS does without it.

    Either its program (`words`, which may have a shell's text among them) starts dockerd with
    addresses of its own, or its image is from before TLS: it knows neither its port nor its variable.
    """
    split = [each.strip("\"';&") for word in words for each in word.split()]
    named = [place for place, each in enumerate(split) if each.rpartition("/")[2] == "dockerd"]
    arguments = split[named[0] + 1 :] if named else []
    if any("tcp://" in each for each in arguments) or "--tls=false" in arguments:
        return not any(each[:5] == "--tls" and each != "--tls=false" for each in arguments)
    knows_port = any(each.partition("/")[0] == str(TLS_PORT) for each in image.ports)
    certificates = dict(each.partition("=")[::2] for each in image.environment)
    return not knows_port and not certificates.get("DOCKER_TLS_CERTDIR")


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


def dockerd_prelude(inputs: Inputs, facts: Facts, way: Transport, kept: Iterable[str]) -> str:
    """Return the program before a dind service's own, which says the rest to any dockerd it starts.

    Ahead of the service's own arguments come the settings'. The registries that are `kept` of services
    whose place it takes give way to the image's own.
    """
    told = dockerd_options(inputs, facts, kept)
    options = [
        f"{each.directive} {each.since} {each.before} {','.join(each.unless) or '-'} {each.argument}"
        for each in told
    ]
    mtu = str(_mtu(inputs, facts) or "")
    variables = given(
        _directory=_DIRECTORY,
        _first="\n".join(inputs.settings.dind.command),
        _options="\n".join(options),
        _port=str(TLS_PORT if way.tls else TCP_PORT),
        _tls=way.server_dir if way.tls else "",
        _mtu=mtu,
        _shared=SOCKET if inputs.settings.dind.socket else "",
    )
    text = f"#!/bin/sh\n{variables}{_PROGRAM}"
    client = way.client_dir if way.tls else ""
    asks = mtu or any(each.since or each.before for each in told)
    return (
        given(
            _directory=_DIRECTORY,
            _program=text,
            _mtu=mtu,
            _client=client,
            _asks="yes" if asks else "",
        )
        + _INSTALL
    )


def dockerd_options(inputs: Inputs, facts: Facts, kept: Iterable[str]) -> tuple[Option, ...]:
    """Return what dockerd is told unless the service or its image says otherwise."""
    return (*_network_options(inputs, facts), *_registry_options(inputs, facts, kept))


def _network_options(inputs: Inputs, facts: Facts) -> list[Option]:
    options = []
    mtu = _mtu(inputs, facts)
    if mtu:
        opt, value = "--default-network-opt", f"bridge=com.docker.network.driver.mtu={mtu}"
        options += [
            Option("mtu", f"--mtu={mtu}", ("--mtu",)),
            Option("default-network-opts", f"{opt}={value}", (opt,), since=24),
        ]
    pool = inner_pool(reached(inputs, facts.surroundings))
    if pool:
        flag, value = "--default-address-pool", f"base={pool.pool},size={pool.size}"
        options += [
            Option(
                "bip,bridge,fixed-cidr",
                f"--bip={pool.bridge}",
                ("--bip", "-b", "--bridge", "--fixed-cidr"),
            ),
            Option("default-address-pools,fixed-cidr", f"{flag}={value}", (flag, "--fixed-cidr")),
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


def _registry_options(inputs: Inputs, facts: Facts, kept: Iterable[str]) -> list[Option]:
    """Return what dind is told of registries: what is kept, and the settings' word, else the engine's."""
    dind, around = inputs.settings.dind, facts.surroundings
    inherit = dind.inherit_registries
    mirrors = dind.registry_mirrors or (around.mirrors if inherit else ())
    insecure = dind.insecure_registries or (around.insecure_registries if inherit else ())
    return [
        *(Option(_DIRECTIVES[each.partition("=")[0]], each) for each in kept),
        *(Option("registry-mirrors", f"--registry-mirror={each}") for each in mirrors),
        *(Option("insecure-registries", f"--insecure-registry={each}") for each in insecure),
    ]


def _mtu(inputs: Inputs, facts: Facts) -> int:
    return inputs.settings.docker.network_mtu or facts.surroundings.mtu
