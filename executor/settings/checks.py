"""What is wrong with one value of the settings: pure.

Each function takes a string and returns a sentence, "" where the value is good.
"""

from executor.notation.image_names import ImageReference, InvalidImage, is_bare_id
from executor.notation.paths import CERTS_DIRECTORY, DATA_ROOT, overlap, wrong_path
from executor.notation.patterns import is_pattern

_HOST_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")
_LAST_PORT = 65535
_OWN_ARGUMENTS = ("--host", "-H", "--tls", "--data-root", "-g")


def wrong_engine(address: str) -> str:
    """Check the address of a Docker Engine."""
    scheme, _, rest = address.partition("://")
    if scheme == "unix":
        return wrong_path(rest)
    host, colon, port = rest.rpartition(":")
    if scheme == "tcp" and colon and not _wrong_host(host) and _is_port(port):
        return ""
    return f"{address!r} must look like unix:///var/run/docker.sock or tcp://host:2376"


def wrong_image(image: str) -> str:
    """Check an image that may hold variables of the job, which are not known yet, or an id."""
    return "" if "$" in image or is_bare_id(image) else wrong_fixed_image(image)


def wrong_pull_policy(policy: str) -> str:
    """Check a pull policy."""
    return _wrong_policy("pull_policy", policy)


def wrong_allowed_pull_policy(policy: str) -> str:
    """Check a pull policy that jobs may ask for."""
    return _wrong_policy("allowed_pull_policies", policy)


def wrong_fixed_image(image: str) -> str:
    """Check an image that holds no variables."""
    try:
        ImageReference.parse(image)
    except InvalidImage as error:
        return str(error)
    return ""


def wrong_pattern(pattern: str) -> str:
    """Check a pattern of an allow-list."""
    if is_pattern(pattern.removeprefix("!")) and pattern not in ("", "!"):
        return ""
    return f"{pattern!r} is not a pattern: a [, {{ or \\ is left open, or it is empty"


def wrong_extra_host(line: str) -> str:
    """Check a `name:ip` line for /etc/hosts."""
    name, colon, address = line.partition(":")
    if not colon or _wrong_host(name):
        return f"{line!r} must look like name:ip"
    return "" if address == "host-gateway" else wrong_ip(address)


def wrong_ip(address: str) -> str:
    """Check an IP address."""
    import ipaddress  # only for settings that name one

    try:
        ipaddress.ip_address(address.removeprefix("[").removesuffix("]"))
    except ValueError:
        return f"{address!r} is not an IP address"
    return ""


def wrong_domain(domain: str) -> str:
    """Check a DNS search domain; a lone dot switches searching off."""
    return "" if domain == "." else _wrong_host(domain)


def wrong_runtime(name: str) -> str:
    """Check the name of an OCI runtime."""
    good = _HOST_CHARACTERS.issuperset(name)
    return "" if good else f"{name!r} must be the name of a runtime in the engine's configuration"


def wrong_bind(bind: str) -> str:
    """Check a `source:destination[:ro]` bind of the dind sidecar."""
    source, _, rest = bind.partition(":")
    destination, _, mode = rest.partition(":")
    if not source or not destination:
        return f"{bind!r} must look like source:destination or source:destination:ro"
    if mode not in ("", "ro", "rw"):
        return f"{bind!r} ends in {mode!r}, which is neither ro nor rw"
    if "/" in source and wrong_path(source):
        return f"the source of {bind!r} must be an absolute path or the name of a volume"
    wrong = wrong_path(destination)
    if wrong:
        return f"the destination of {bind!r} is wrong: {wrong}"
    for taken, what in ((CERTS_DIRECTORY, "certificates"), (DATA_ROOT, "images and containers")):
        if overlap(destination, taken):
            return f"the destination of {bind!r} covers {taken}, where dind has its {what}"
    return ""


def wrong_argument(argument: str) -> str:
    """Check an extra argument of dockerd."""
    name = argument.partition("=")[0]
    if name in _OWN_ARGUMENTS or name.startswith("--tls"):
        return f"{argument!r} is set for each job and cannot be set here"
    return "" if argument else "an argument must not be empty"


def wrong_mirror(url: str) -> str:
    """Check the URL of a registry mirror."""
    scheme, _, rest = url.partition("://")
    host = rest.partition("/")[0]
    if (
        scheme in ("http", "https")
        and not _wrong_authority(host)
        and not set("?#").intersection(rest)
    ):
        return ""
    return f"{url!r} must look like https://mirror.example.com"


def wrong_insecure_registry(registry: str) -> str:
    """Check a registry to be reached without verified TLS: a host, or a network in CIDR form."""
    network, slash, bits = registry.partition("/")
    if slash and bits.isdecimal() and not wrong_ip(network):
        return ""
    if slash or _wrong_authority(registry):
        return f"{registry!r} must look like registry.example.com:5000 or 10.0.0.0/8"
    return ""


def wrong_assignment(line: str) -> str:
    """Check a variable `KEY=value`; its value is not repeated."""
    key, equals, _ = line.partition("=")
    if not equals:
        return "a variable must be written KEY=value"
    if not key.isascii() or not key.isidentifier():
        return f"{key!r} is not the name of a variable"
    return ""


def _wrong_policy(key: str, policy: str) -> str:
    known = ("always", "if-not-present", "never")
    if policy in known:
        return ""
    return f'unsupported {key} config: "{policy}" is not one of: {", ".join(known)}'


def _wrong_authority(authority: str) -> str:
    host, colon, port = authority.rpartition(":")
    if not colon or authority.endswith("]"):
        return _wrong_host(authority)
    return _wrong_host(host) or ("" if _is_port(port) else f"{port!r} is not a port")


def _wrong_host(host: str) -> str:
    if host.startswith("["):
        return wrong_ip(host)
    good = host and _HOST_CHARACTERS.issuperset(host) and not host.startswith((".", "-"))
    return "" if good else f"{host!r} is not a host name"


def _is_port(port: str) -> bool:
    return port.isdecimal() and 0 < int(port) <= _LAST_PORT
