"""What becomes of the runner's `environment` where Docker reads it, by where it leads: pure."""

from collections.abc import Mapping

from executor.commands.migrate.reach import ELSEWHERE, LOST, NOWHERE, SIDECAR, WRONG_PORT, Reach
from executor.commands.migrate.rules import DIND_VARIABLES
from executor.notation.docker_config import Helpers, read_docker_config
from executor.notation.paths import CERTS_DIRECTORY

Table = Mapping[str, object]
_LOGIN = "DOCKER_AUTH_CONFIG"
_PLAIN = (
    "keep it if jobs rely on plain TCP, on port 2375: with it, dind-executor gives them that. Without"
    " it, that port is closed in jobs that do not ask for plain TCP themselves, and their Docker"
    " clients need no variable"
)


def variables_of(runner: Table) -> dict[str, str]:
    """Return the runner's `environment`, the last of a name for all."""
    environment = runner.get("environment")
    lines = environment if isinstance(environment, list) else []
    return {name: value for name, _, value in (str(each).partition("=") for each in lines)}


def environment_notes(variables: Mapping[str, str], reach: Reach) -> list[str]:
    """Say of each variable for Docker whether it may stay; no value is in it but a host's name."""
    said = {
        "DOCKER_TLS_CERTDIR": _directory,
        "DOCKER_HOST": _host,
        "DOCKER_TLS_VERIFY": _verify,
        "DOCKER_CERT_PATH": _certificates,
        _LOGIN: _login,
    }
    return [
        f"[[runners]] environment {name}: {why}."
        for name, judge in said.items()
        if name in variables and (why := judge(variables[name], reach))
    ]


def _directory(value: str, reach: Reach) -> str:
    if reach.way is None:
        return "remove it, because no certificates can be in this directory, and jobs fail with it"
    if not value:
        return _PLAIN
    if value.rstrip("/") == CERTS_DIRECTORY:
        return _removable("DOCKER_TLS_CERTDIR")
    return (
        "keep it if jobs name this directory: with it, dind-executor puts the sidecar's certificates"
        f" there, and without it in {CERTS_DIRECTORY}"
    )


def _host(_: str, reach: Reach) -> str:
    own = "Without it, they go to the job's own sidecar"
    if reach.leads == SIDECAR:
        asks = reach.way and reach.way.asked_by.startswith("DOCKER_HOST")
        if asks:
            return _PLAIN
        return (
            f"{_removable('DOCKER_HOST')}. Keep it if scripts read it or hand it on to containers"
        )
    return {
        NOWHERE: (f"remove it, because docker commands find no daemon {_at(reach.host)}. {own}"),
        WRONG_PORT: (
            "remove it, because the sidecar does not listen on this port with the runner's other"
            f" variables, and docker commands fail. {own}"
        ),
        LOST: (
            f"remove it, because jobs do not join the network {reach.network!r}, so docker commands"
            f" do not find {reach.host!r}. {own}, which starts without images of other jobs"
        ),
        ELSEWHERE: (
            f"decide: with it, docker commands of all jobs go to {reach.host!r}. Keep it if that"
            f" is a dind service of the jobs, or a daemon that each job's own network reaches. {own}"
        ),
    }[reach.leads]


def _verify(value: str, reach: Reach) -> str:
    if reach.leads == ELSEWHERE:
        return _with_host()
    if reach.way is None or bool(value) == reach.way.tls:
        return _removable("DOCKER_TLS_VERIFY")
    if value:
        return "remove it, because it asks for TLS, and the runner's other variables for plain TCP"
    return "remove it, because an empty value asks for plain TCP, and the sidecar uses TLS"


def _certificates(value: str, reach: Reach) -> str:
    if reach.leads == ELSEWHERE:
        return _with_host()
    if reach.way is None or not reach.way.tls or value.rstrip("/") == reach.way.client_dir:
        return _removable("DOCKER_CERT_PATH")
    return (
        "remove it, because the certificates for the sidecar are not in this directory, and docker"
        " commands fail with it"
    )


def _login(value: str, _: Reach) -> str:
    """Say what is wrong with the logins of all jobs; no helper is run for that."""
    if not value.strip():
        return ""
    if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
        return "no login of it is used, because the quotes around it are part of the value; remove them"
    helpers = Helpers(lambda *_: "", wanted=frozenset())
    return " ".join(read_docker_config(_LOGIN, value, helpers).warnings).rstrip(".")


def _at(host: str) -> str:
    return f"at {host!r}, which is the job's own container" if host else "on this socket"


def _removable(name: str) -> str:
    return f"you can remove it, because {DIND_VARIABLES[name]}"


def _with_host() -> str:
    return "decide: keep or remove it together with DOCKER_HOST, whose daemon it is for"
