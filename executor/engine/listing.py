"""What runs on the engine."""

import json
from urllib.parse import quote

from executor.engine.api import Api


def running_with(api: Api, source: str = "") -> list[dict[str, object]]:
    """Return the running containers, or those that have a volume or a directory of the host."""
    wanted = {"volume": [source]} if source else {}
    filters = quote(json.dumps({**wanted, "status": ["running"]}))
    answer = api.get(f"/containers/json?filters={filters}")
    decoded = answer.json() if answer.ok else None
    return decoded if isinstance(decoded, list) else []
