"""What jobs of a dead gitlab-runner have left, for the tests beside this."""

import json
from collections.abc import Mapping
from pathlib import Path

from executor.names import JOB_ID_LABEL, LABEL
from executor.runner import notes
from executor.sweep.files import PAYLOAD
from executor.sweep.payload import LeftPayload
from tests.gitlab.samples import TOKEN, payload

__all__ = ["FACTS", "TOKEN", "leave", "left_payload", "payload"]

FACTS = {LABEL: "17-0123456789", JOB_ID_LABEL: "17"}


def left_payload(url: str, authorities: str = "") -> LeftPayload:
    """Return what is made of a payload."""
    return LeftPayload(17, TOKEN, url, authorities)


def leave(
    parent: Path,
    name: str = "custom-executor123",
    *,
    facts: Mapping[str, object] | None = None,
    content: object = None,
) -> Path:
    """Make a job's temporary directory: the payload, a script, and the note of its owner."""
    directory = parent / name
    directory.mkdir(mode=0o700)
    (directory / PAYLOAD).write_text(json.dumps(content or payload()), encoding="utf-8")
    script = directory / "script456"
    script.mkdir()
    (script / "script.").write_text("echo", encoding="utf-8")
    notes.leave(str(directory), notes.OWNER, json.dumps(facts or FACTS).encode())
    return directory
