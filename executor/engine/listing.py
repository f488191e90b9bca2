"""What runs on the engine, and what is there of jobs."""

from executor.engine.api import TIMEOUT_SECONDS, Api
from executor.engine.streams import stream
from executor.engine.wire import MOST_BYTES, Answer, quote
from executor.errors import EngineRefused
from executor.names import LABEL
from executor.quick_json import dumps

_PAGE = 200
"""How many containers are asked for at once: an engine lists their labels and ports, which whoever
makes an image chooses, and no answer is kept that is longer than `MOST_BYTES`."""
_SMALLER = 8
_TRIES = 5
_LONG = ("Command", "Ports")
"""What nobody here reads of a listed container, and which may be long."""
_UNREADABLE = "its list cannot be read"
_KINDS = {
    "container": "",
    "network": "/networks?filters=",
    "volume": "/volumes?filters=",
}


def running_with(api: Api, source: str = "") -> list[dict[str, object]]:
    """Return the running containers, or those that have a volume or a directory of the host."""
    wanted = {"volume": [source]} if source else {}
    try:
        return containers(api, {**wanted, "status": ["running"]})
    except EngineRefused:
        return []


def containers(
    api: Api, filters: dict[str, list[str]], seconds: float = TIMEOUT_SECONDS
) -> list[dict[str, object]]:
    """Return the containers that the filters let through, also those that have ended.

    They are asked for in pages, smaller ones where an answer would be too long: nobody's image keeps
    what there is of jobs from being listed.  Raises EngineRefused with the engine's reason.
    """
    refusal = ""
    for _ in range(_TRIES):
        found, refusal = _all_pages(api, filters, seconds)
        if not refusal:
            return found
        if not found:
            break
        # The last one of a page, behind which the next begins, may be gone by then.
    raise EngineRefused(refusal)


def _all_pages(
    api: Api, filters: dict[str, list[str]], seconds: float
) -> tuple[list[dict[str, object]], str]:
    """Return what was listed, and why not all of it was; "" where it was."""
    found: list[dict[str, object]] = []
    limit = _PAGE
    while True:
        behind = {"before": [str(found[-1]["Id"])]} if found else {}
        query = quote(dumps({**filters, **behind}))
        answer = _page(api, f"/containers/json?all=1&limit={limit}&filters={query}", seconds)
        if answer is None:
            if limit == 1:
                return found, "what it says of a single one is too long"
            limit = max(limit // _SMALLER, 1)
            continue
        if not answer.ok:
            return found, answer.message or f"HTTP status {answer.status}"
        page = answer.json()
        if not isinstance(page, list) or not all(isinstance(each, dict) for each in page):
            return [], _UNREADABLE
        found += [{key: each[key] for key in each if key not in _LONG} for each in page]
        if len(page) < limit:
            return found, ""


def _page(api: Api, path: str, seconds: float) -> Answer | None:
    """Return an answer, or None where it is too long."""
    status, pieces = stream(api, path, idle_seconds=seconds, method="GET")
    parts, size = [], 0
    try:
        for piece in pieces:
            size += len(piece)
            if size > MOST_BYTES:
                return None
            parts.append(piece)
    except (OSError, ValueError) as error:
        raise api.broken(error) from None
    return Answer(status, {}, b"".join(parts))


def others(api: Api, path: str, seconds: float = TIMEOUT_SECONDS) -> list[dict[str, object]]:
    """Return networks or volumes, by the path that asks for them.

    Raises EngineRefused with the engine's reason.
    """
    answer = api.get(path, timeout=seconds)
    if not answer.ok:
        raise EngineRefused(answer.message)
    listed = answer.json()
    if isinstance(listed, dict) and "Volumes" in listed:
        listed = listed["Volumes"] or []  # an engine without any says null
    if not isinstance(listed, list) or not all(isinstance(each, dict) for each in listed):
        raise EngineRefused(_UNREADABLE)
    return listed


def names(container: dict[str, object]) -> list[str]:
    """Return what a listed container is called, which the engine lists with a slash before it."""
    listed = container.get("Names")
    return [str(each).lstrip("/") for each in listed] if isinstance(listed, list) else []


def belongings(api: Api) -> list[tuple[str, dict[str, object]]]:
    """Return every object of every job as the engine lists it, with its kind.

    Raises EngineRefused where it does not list one of the kinds: part of a list is none.
    """
    wanted = {"label": [LABEL]}
    filters = quote(dumps(wanted))
    found: list[tuple[str, dict[str, object]]] = []
    for kind, path in _KINDS.items():
        try:
            listed = others(api, path + filters) if path else containers(api, wanted)
        except EngineRefused as refused:
            raise EngineRefused(
                f"The Docker Engine cannot list the {kind}s of jobs: {refused}."
            ) from None
        found += [(kind, each) for each in listed]
    return found
