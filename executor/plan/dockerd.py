"""What dockerd in the sidecar is told about the networks and registries around it: pure.

Three have a say, and whoever is nearer to the job wins: the job's own dind service by its
arguments, the image by its daemon.json, the operator by the settings.  dockerd refuses to start
when arguments and daemon.json give the same directive, so a few lines of shell before it leave out
what the image's file already says.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from executor.plan.inputs import Request
from executor.plan.network import host_of, inner_pool, ipv6_subnet
from executor.plan.proxies import PROXIES
from executor.plan.services import Transport
from executor.shell.keeper import quoted

_DOCKERD = ("dockerd", "dockerd-entrypoint.sh")
_SHELLS = ("sh", "bash", "ash", "dash")
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:=,@+ ")
"""Characters that mean nothing to a shell, but for the blank between words."""
_IPV6_NUMBER = 1


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


def dockerd_command(
    request: Request,
    way: Transport,
    entrypoint: tuple[str, ...] | None,
    command: tuple[str, ...],
) -> tuple[tuple[str, ...], str]:
    """Return the service's command with our arguments, and the shell lines before it.

    The image's entrypoint adds its own as long as the first one is an option.  An author who
    replaced the entrypoint, or starts another program, gets exactly what was asked for.
    """
    if entrypoint is not None and entrypoint[-1].rpartition("/")[2] not in _DOCKERD:
        return command, ""
    ours = [] if way.tls else ["--tls=false"]  # else dockerd waits 16 s to warn of plain TCP
    ours += request.settings.dind.command
    if not command or command[0].startswith("-"):
        whole = (*ours, *command)
    elif command[0].rpartition("/")[2] in _DOCKERD:
        whole = (command[0], *ours, *command[1:])
    else:
        return command, ""
    return whole, _prelude(request, whole)


def _prelude(request: Request, command: Sequence[str]) -> str:
    """Return the shell lines that add what neither the command nor daemon.json says."""
    given = {each.partition("=")[0] for each in command}
    options = [
        each
        for each in (*_network_options(request), *_registry_options(request))
        if given.isdisjoint(each.unless)
    ]
    mtu = _mtu(request)
    lines = ["_c=$(cat /etc/docker/daemon.json 2>/dev/null)\n"]
    if mtu or any(each.since or each.before for each in options):
        lines.append(_VERSION)
    lines += [_added(each) for each in options]
    if mtu:
        lines.append(_OLD_MTU.replace("MTU_OF_JOB", str(mtu)))
    if "--dns" not in given:
        lines.append(_DNS)
    return "".join(lines)


def _added(option: Option) -> str:
    conditions = []
    if option.since:
        conditions.append(f'[ "$_v" -ge {option.since} ]')
    if option.before:
        conditions.append(f'[ "$_v" -lt {option.before} ]')
    add = f'set -- "$@" {quoted(option.argument)}'
    if conditions:
        add = f"if {' && '.join(conditions)}; then {add}; fi"
    return f"case $_c in *'\"{option.directive}\"'*) ;; *) {add} ;; esac\n"


def _network_options(request: Request) -> list[Option]:
    options = []
    mtu = _mtu(request)
    if mtu:
        opt, value = "--default-network-opt", f"bridge=com.docker.network.driver.mtu={mtu}"
        options += [
            Option("mtu", f"--mtu={mtu}", ("--mtu",)),
            Option("default-network-opts", f"{opt}={value}", (opt,), since=24),
        ]
    pool = inner_pool(_taken(request))
    if pool:
        flag, value = "--default-address-pool", f"base={pool.pool},size={pool.size}"
        options += [
            Option("bip", f"--bip={pool.bridge}", ("--bip", "-b", "--bridge", "--fixed-cidr")),
            Option("default-address-pools", f"{flag}={value}", (flag,)),
        ]
    if request.settings.docker.enable_ipv6:
        subnet = ipv6_subnet(request.names.key, _IPV6_NUMBER)
        flags = ("--ipv6", "--fixed-cidr-v6")
        options += [
            Option("ipv6", "--ipv6", flags),
            Option("fixed-cidr-v6", f"--fixed-cidr-v6={subnet}", flags),
            Option("ip6tables", "--ip6tables", ("--ip6tables",), before=27),
            Option("experimental", "--experimental", ("--experimental",), before=27),
        ]
    return options


def _registry_options(request: Request) -> list[Option]:
    """Return what dind is told of registries: the settings' word, else the engine's own."""
    dind, around = request.settings.dind, request.surroundings
    inherit = dind.inherit_registries
    mirrors = dind.registry_mirrors or (around.mirrors if inherit else ())
    insecure = dind.insecure_registries or (around.insecure_registries if inherit else ())
    return [
        *(Option("registry-mirrors", f"--registry-mirror={each}") for each in mirrors),
        *(Option("insecure-registries", f"--insecure-registry={each}") for each in insecure),
    ]


def _mtu(request: Request) -> int:
    return request.settings.docker.network_mtu or request.surroundings.mtu


def _taken(request: Request) -> Iterable[str]:
    """Yield every network and address that the job may have to reach."""
    docker, dind, around = request.settings.docker, request.settings.dind, request.surroundings
    registries = (*dind.insecure_registries, *around.insecure_registries)
    yield from around.subnets
    yield from docker.dns
    yield from (each.partition(":")[2] for each in docker.extra_hosts)
    yield from registries
    addresses = (
        *registries,
        *dind.registry_mirrors,
        *around.mirrors,
        request.job.repo_url,
        *(each.url for each in request.job.registries),
        *(request.values.get(key, "") for each in PROXIES for key in (each, each.lower())),
    )
    yield from map(host_of, addresses)


_VERSION = """\
_v=$(dockerd --version 2>/dev/null)
_v=${_v#Docker version }
_v=${_v%%.*}
case $_v in ''|*[!0-9]*) _v=0 ;; esac
"""

_IPTABLES = """\
_t() {
  iptables "$@" 2>/dev/null || /usr/local/sbin/.iptables-legacy/iptables "$@" 2>/dev/null
}
"""

# Networks that a job makes have an MTU of 1500 under an older dockerd, whatever it is told: TCP at
# least is held to what the way out carries.
_OLD_MTU = f"""\
: "${{DOCKERD_ROOTLESS_ROOTLESSKIT_MTU:=MTU_OF_JOB}}"
export DOCKERD_ROOTLESS_ROOTLESSKIT_MTU
if [ "$_v" -lt 24 ]; then
{_IPTABLES}\
  _t -t mangle -A FORWARD -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu
fi
"""

# The names of the job's services, and the operator's DNS servers, are known to the engine's
# resolver alone.  It listens on the sidecar's loopback, which containers inside cannot reach;
# dockerd would give them 8.8.8.8 in its place.  So what they ask the sidecar's own address is led
# there, as kind does it; by the second rule also for containers on the sidecar's own network.  And inside, names without a dot would be asked nowhere if the
# resolver's own `ndots:0` were taken for somebody's wish; another option in its place is the
# resolvers' default.
_DNS = f"""\
_p= _u=
while read -r _s _a _r; do
  case $_a in 0B00007F:*|7F00000B:*) _u=$((0x${{_a#*:}})) ;; esac
done 2>/dev/null </proc/net/udp
while read -r _s _a _r; do
  case "$_a $_r" in 0B00007F:*' 0A '*|7F00000B:*' 0A '*) _p=$((0x${{_a#*:}})) ;; esac
done 2>/dev/null </proc/net/tcp
_a=
for _i in $(hostname -i 2>/dev/null); do case $_i in *:*) ;; *) _a=$_i ;; esac; done
{_IPTABLES}\
_r() {{
  _t -t nat -A PREROUTING ! -i eth0 -d "$_a" -p "$1" --dport 53 -j DNAT --to "127.0.0.11:$2" &&
    _t -t nat -A OUTPUT -d "$_a" -p "$1" --dport 53 -j DNAT --to "127.0.0.11:$2"
}}
case $_c in *'"dns"'*) ;; *)
  if [ -n "$_a" ] && [ -n "$_u" ] && [ -n "$_p" ] &&
    {{ echo 1 >/proc/sys/net/ipv4/conf/all/route_localnet; }} 2>/dev/null &&
    _r udp "$_u" && _r tcp "$_p"
  then
    set -- "$@" "--dns=$_a"
    while read -r _s _o; do
      case "$_s $_o " in 'options '*' ndots:0 '*|'options ndots:0 '*)
        set -- "$@" --dns-opt=attempts:2
        for _i in $_o; do [ "$_i" = ndots:0 ] || set -- "$@" "--dns-opt=$_i"; done ;;
      esac
    done </etc/resolv.conf
  fi ;;
esac
"""
