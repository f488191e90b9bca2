"""What was counted on the rig, by name."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MEASURED = Path(__file__).with_name("measured.json")


@dataclass(frozen=True, slots=True)
class Measured:
    """The file that `python -m benchmarks.scale.measuring` writes."""

    parts: Mapping[str, Any]

    def of_job(self, name: str, looked_at: str = "not looked at") -> Mapping[str, Any]:
        """Return what a job asked for."""
        found: Mapping[str, Any] = self.parts["jobs"][f"{name}, {looked_at}"]
        return found

    def api_requests(self, seconds: float) -> float:
        """Return how many requests to the API a job of such a length makes that nobody looks at.

        The job log is sent each minute then.  The request for the job is no part of it.
        """
        long = self.of_job("minute, silent")["gitlab"]
        return float(long["update"] + long["trace"] - 1 + seconds // 60)

    @property
    def git_requests(self) -> float:
        """How many requests a job makes to fetch its sources."""
        return float(self.of_job("echo")["gitlab"]["git"])

    @property
    def heads(self) -> float:
        """How many manifests the host's engine asks for in a job, of images that it has."""
        asked = self.of_job("echo")["registry"]
        (engine,) = asked.values()
        return float(engine["HEAD manifest"])

    @property
    def image_bytes(self) -> int:
        """What a first pull of the job's image moves."""
        return int(self.parts["pulls"]["26.1"]["cold"]["bytes"])


def read(path: Path = MEASURED) -> Measured:
    """Return what is in a file."""
    return Measured(json.loads(path.read_text(encoding="utf-8")))
