"""What runs on the engine."""

import json
from urllib.parse import quote

from executor.engine.api import Api


def running_with(api: Api, source: str) -> list[dict[str, object]]:
    """Return the running containers that have a volume or a directory of the host."""
    filters = quote(json.dumps({"volume": [source], "status": ["running"]}))
    answer = api.get(f"/containers/json?filters={filters}")
    decoded = answer.json() if answer.ok else None
    return decoded if isinstance(decoded, list) else []
