"""What an engine says of itself to somebody who has not agreed with it on anything: asked by `doctor`.

Unlike `Engine.connect`, this also describes one that is too old, too new, or no Docker Engine at all.
"""

from typing import NamedTuple

from executor.engine.api import Api
from executor.engine.failures import first_line
from executor.engine.wire import (
    Answer,
    Reader,
    as_table,
    joined,
    quote,
    read_body,
    read_head,
    request_head,
)
from executor.errors import EngineUnavailable

Table = dict[str, object]


class Description(NamedTuple):
    """What an engine says; all of it is empty where it does not answer."""

    version: Table
    info: Table
    networks: list[Table]
    containers: list[Table]
    """Those that run."""
    problem: str = ""
    """Why it does not answer, "" if it does."""


def describe(address: str, tls_dir: str, *, tls_verify: bool, seconds: float) -> Description:
    """Ask an engine for all that it says of itself; each answer may take `seconds`."""
    api = Api(address, tls_dir, tls_verify=tls_verify)
    try:
        version = _told(api, "/version", seconds)
        return Description(
            as_table(version),
            as_table(_told(api, "/info", seconds)),
            _tables(_told(api, "/networks", seconds)),
            _tables(_told(api, "/containers/json", seconds)),
            "" if isinstance(version, dict) else f"{address} does not answer as a Docker Engine",
        )
    except EngineUnavailable as error:
        return Description({}, {}, [], [], str(error))


def _told(api: Api, path: str, seconds: float) -> object:
    answer = api.get(path, seconds)
    return answer.json() if answer.ok else None


def _tables(told: object) -> list[Table]:
    return [as_table(each) for each in told] if isinstance(told, list) else []


def manifest_refusal(
    where: tuple[str, str, bool], image: str, registry_auth: str, seconds: float
) -> str:
    """Return why the engine does not get an image's description from its registry, "" if it does.

    Nothing is pulled.  Raises EngineUnavailable where the engine itself does not answer.
    """
    address, tls_dir, tls_verify = where
    api = Api(address, tls_dir, tls_verify=tls_verify)
    headers = {"X-Registry-Auth": registry_auth} if registry_auth else {}
    connection = api.connect(seconds)
    try:
        path = f"/distribution/{quote(image, safe='/:@')}/json"
        connection.sendall(request_head("GET", path, 0, headers))
        reader = Reader(connection, seconds)
        status, answered = read_head(reader)
        answer = Answer(status, answered, joined(read_body(reader, answered)))
    except (OSError, ValueError) as error:
        raise api.broken(error) from None
    finally:
        connection.close()
    return "" if answer.ok else first_line(answer.message)
