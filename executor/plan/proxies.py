"""Proxies of a job, and the names that lead around them: pure.

A Docker client asks the proxy for `docker` unless NO_PROXY names it, and no proxy knows a job's
services.  So wherever a job has a proxy, its own names are added to what the job says.
"""

from collections.abc import Iterable, Mapping

from executor.dataclass import replace
from executor.names import DIRECT_NAMES, NO_PROXY
from executor.notation.hosts import host_of
from executor.plan.transport import ALIAS
from executor.spec import ContainerSpec

PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
_CLIENTS_KEYS = {
    "httpProxy": "HTTP_PROXY",
    "httpsProxy": "HTTPS_PROXY",
    "ftpProxy": "FTP_PROXY",
    "allProxy": "ALL_PROXY",
}
"""What a Docker client's configuration calls them."""
_ALWAYS = (ALIAS, "localhost", "127.0.0.1")


def direct_names(aliases: Iterable[str]) -> str:
    """Return the names that no proxy is to be asked for, as NO_PROXY has them."""
    return ",".join(dict.fromkeys((*_ALWAYS, *aliases)))


def with_direct_names(
    spec: ContainerSpec, names: str, values: Mapping[str, str] | None = None
) -> ContainerSpec:
    """Return a container whose programs ask for `names` without a proxy.

    `values` are the variables that scripts in it will set; gitlab-runner's scripts set the job's
    own NO_PROXY again, and `engine.proxied_script` adds what stands in `DIRECT_NAMES` to it.
    Only the keys that the job uses are changed: programs differ in which of two they heed.
    """
    seen = {**spec.environment, **spec.secret_environment, **(values or {})}
    if not any(_proxy(seen, key) for key in PROXIES):
        return spec
    given = {key: seen[key] for key in NO_PROXY if seen.get(key)}
    if "*" in given.values():
        return spec  # no proxy at all, which curl for one reads only where it stands alone
    merged = {key: f"{names},{value}" for key, value in given.items()}
    shown = dict.fromkeys(NO_PROXY, names) if not given else {}
    shown |= {key: merged[key] for key in merged if key in spec.environment}
    hidden = {key: merged[key] for key in merged if key in spec.secret_environment}
    if values is not None:
        shown[DIRECT_NAMES] = names
    return replace(
        spec,
        environment={**spec.environment, **shown},
        secret_environment={**spec.secret_environment, **hidden},
    )


def client_proxies(values: Mapping[str, str], direct: str) -> dict[str, object]:
    """Return what of a client's config.json hands a job's proxies on to its builds and containers.

    Empty where the job has none.  What names lead around a proxy in the job, do so inside too.
    """
    found = {key: _proxy(values, name) for key, name in _CLIENTS_KEYS.items()}
    found = {key: value for key, value in found.items() if value}
    if not found:
        return {}
    own = _proxy(values, "NO_PROXY")
    around = own if own == "*" else ",".join(each for each in (direct, own) if each)
    return {"proxies": {"default": {**found, "noProxy": around}}}


def proxy_notices(values: Mapping[str, str]) -> tuple[str, ...]:
    """Return a sentence for each proxy that no container can reach; it shows no password."""
    return tuple(
        f"WARNING: {key} names a proxy on localhost. In a container, localhost is the container"
        " itself: use an address that containers can reach."
        for proxy in PROXIES
        for key in (proxy, proxy.lower())
        if host_of(values.get(key, "")) in ("localhost", "127.0.0.1", "::1")
    )


def _proxy(values: Mapping[str, str], key: str) -> str:
    return values.get(key, "") or values.get(key.lower(), "")
