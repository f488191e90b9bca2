"""Which version of the API an engine and dind-executor agree on."""

from executor.bounds import whole_number
from executor.engine.api import Api
from executor.engine.wire import as_table
from executor.errors import EngineUnavailable

NEWEST = (1, 47)
"""The newest version of the API whose answers dind-executor knows; 29 still serves it."""
OLDEST = (1, 41)
"""Docker 20.10."""


def agree(api: Api) -> tuple[tuple[int, ...], str, str]:
    """Ask for one version of the API from now on; return it, the engine's version and architecture.

    Raises EngineUnavailable where nothing answers, or the engine is too old or too new.
    """
    answer = api.get("/version", timeout=30)
    found = as_table(answer.json()) if answer.ok else {}
    version, architecture = str(found.get("Version", "")), str(found.get("Arch", ""))
    newest = _version(str(found.get("ApiVersion", "")))
    oldest = _version(str(found.get("MinAPIVersion", "")))
    if newest < OLDEST or oldest > NEWEST:
        raise EngineUnavailable(
            f"The Docker Engine {version or '(unknown)'} at {api.host} speaks API"
            f" {_text(oldest)} to {_text(newest)}, and dind-executor needs one of"
            f" {_text(OLDEST)} to {_text(NEWEST)}. Install Docker 20.10 or later."
            " `dind-executor doctor --only engine-version` looks at this."
        )
    agreed = min(newest, NEWEST)
    api.use_version(_text(agreed))
    return agreed, version, architecture


def _version(text: str) -> tuple[int, ...]:
    numbers = map(whole_number, text.split("."))
    return tuple(each for each in numbers if each is not None) or (0,)


def _text(version: tuple[int, ...]) -> str:
    return ".".join(str(part) for part in version)
