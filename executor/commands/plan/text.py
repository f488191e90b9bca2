"""What a person reads of a plan.  Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from executor.commands.plan.deciding import REFUSED

_NOT_LOGGED_IN = ", for pulls alone: the job does not get it"

Doc = Mapping[str, Any]


def lines(found: Doc) -> Iterator[str]:
    """Yield the lines of a plan, as `document` has it."""
    job, decided = found["job"], found["decided_by"]
    yield f"Job {job['id']} of project {job['project_id']} would get:"
    yield from _section("Images", _images(found["images"]), decided, "images")
    for role, each in found["containers"].items():
        yield from _container(role, each, decided)
    yield from _daemon(found["docker_daemon"], decided)
    network = found["network"]
    yield ""
    yield f"Network {network['name']}{_why(decided, 'network')}"
    yield f"  addresses: {_addresses(network['addresses'])}{_why(decided, 'network/addresses')}"
    if network["mtu"]:
        yield f"  MTU: {network['mtu']}{_why(decided, 'network/mtu')}"
    yield from _section("Volumes", _volumes(found["volumes"]), decided, "volumes")
    yield from _section("Registry logins", _logins(found["credentials"]), decided, "credentials")
    for title, key in (
        ("Said in the job log", "notices"),
        ("Warnings", "warnings"),
        ("Taken for granted", "assumed"),
    ):
        yield from _section(title, [("", each) for each in found[key]], decided, "-")
    yield from _section(
        "The job runs only as long as this stays", [("", each) for each in decided.get(REFUSED, ())],
        {}, "-",
    )  # fmt: skip


def _container(role: str, each: Doc, decided: Doc) -> Iterator[str]:
    path = f"containers/{role}"
    yield ""
    yield f"Container {role}{_why(decided, path)}"
    for key in ("image", "platform", "user", "hostname"):
        if each[key]:
            yield f"  {key}: {each[key]}{_why(decided, f'{path}/{key}')}"
    if each["aliases"]:
        yield f"  names: {', '.join(each['aliases'])}"
    for key in ("entrypoint", "command"):
        if each[key]:
            yield f"  {key}: {_words(each[key])}{_why(decided, f'{path}/{key}')}"
    yield from _table("privilege", each["privileges"], decided, f"{path}/privileges")
    yield from _table("limit", each["limits"], decided, f"{path}/limits")
    for place, what in each["mounts"].items():
        yield f"  mount {place}: {_mount(what)}{_why(decided, f'{path}/mounts/{place}')}"
    for place in each["files"]:
        yield f"  file {place}{_why(decided, f'{path}/files/{place}')}"
    variables = each["variables"]
    for how in dict.fromkeys(variables.values()):
        names = sorted(name for name, its in variables.items() if its == how)
        yield f"  variables {how}: {', '.join(names)}"


def _daemon(daemon: Doc | None, decided: Doc) -> Iterator[str]:
    yield ""
    if daemon is None:
        yield f"No Docker daemon{_why(decided, 'docker_daemon')}"
        return
    yield f"Docker daemon: {daemon['because_of']}{_why(decided, 'docker_daemon')}"
    yield f"  TLS: {'yes' if daemon['tls'] else 'no'}{_why(decided, 'docker_daemon/tls')}"
    for each in daemon["arguments"]:
        yield f"  dockerd {each}{_why(decided, f'docker_daemon/arguments/{each}')}"
    if daemon["optional"]:
        yield "  the job goes on without it if it does not start"


def _section(title: str, rows: Sequence[tuple[str, str]], decided: Doc, path: str) -> Iterator[str]:
    if rows:
        yield ""
        yield title
    for key, text in rows:
        yield f"  {text}{_why(decided, f'{path}/{key}')}"


def _images(images: Doc) -> list[tuple[str, str]]:
    return [
        (
            name,
            ", ".join(
                (
                    f"{name} for {', '.join(each['for']) or 'nothing else'}",
                    f"named by {_code(each['named_by'])}",
                    f"pull policy {', '.join(each['pull_policies'])}",
                    _login(each["credentials"]),
                )
            ),
        )
        for name, each in images.items()
    ]


def _login(source: str | None) -> str:
    return f"with credentials from {source}" if source else "anonymously"


def _volumes(volumes: Doc) -> list[tuple[str, str]]:
    return [
        (name, f"{name}, {'kept for later jobs' if each['lasts'] else 'removed with the job'}")
        for name, each in volumes.items()
    ]


def _logins(credentials: Doc) -> list[tuple[str, str]]:
    return [
        (path, f"{path} from {each['source']}{'' if each['job_is_logged_in'] else _NOT_LOGGED_IN}")
        for path, each in credentials.items()
    ]


def _table(word: str, table: Doc, decided: Doc, path: str) -> Iterator[str]:
    for key, value in table.items():
        yield f"  {word} {key}: {_words(value)}{_why(decided, f'{path}/{key}')}"


def _mount(what: Doc) -> str:
    if "volume" in what:
        return f"volume {what['volume']}"
    if "tmpfs" in what:
        return f"tmpfs {what['tmpfs']}".rstrip()
    return " ".join((what["from"], *what["options"]))


def _addresses(found: object) -> str:
    if isinstance(found, dict):
        return ", ".join(each["Subnet"] for each in found["Config"])
    return str(found)


def _words(value: object) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


def _code(text: str) -> str:
    return f"`{text}`" if text.startswith("[") else text


def _why(decided: Doc, path: str) -> str:
    """Return what decides a part."""
    reasons = decided.get(path, ())
    return f"  <- {'; '.join(reasons)}" if reasons else ""
