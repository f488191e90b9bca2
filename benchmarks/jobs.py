"""The jobs that are measured, the settings for them, and how long their own scripts took."""

from dataclasses import dataclass
from pathlib import Path

from executor.local.pipeline.file import parse_pipeline
from executor.local.pipeline.model import Pipeline
from tests.rig.state import Rig

_ECHO = """
job:
  image: docker:20.10.16
  script:
    - echo hello
"""

# The wait for the daemon is not the script's own: it stands before the first mark. The clock is
# the host's in every container, and `date` has no fractions in busybox.
_DIND = """
job:
  image: docker:20.10.16
  services:
    - docker:20.10.16-dind
  variables:
    DOCKER_HOST: tcp://docker:2376
    DOCKER_TLS_CERTDIR: /certs
    DOCKER_TLS_VERIFY: "1"
    DOCKER_CERT_PATH: /certs/client
  script:
    - until docker info >/dev/null 2>&1; do sleep 0.05; done
    - read up idle </proc/uptime; echo "script begins $up"
    - docker version
    - printf 'FROM @BASE@\\nRUN echo built\\n' | docker build -t built -
    - docker run --rm built true
    - read up idle </proc/uptime; echo "script ends $up"
"""


@dataclass(frozen=True, slots=True)
class MeasuredJob:
    """A job, and whether it needs a Docker daemon of its own."""

    name: str
    text: str
    has_dind: bool

    def pipeline_text(self, rig: Rig) -> str:
        """Return the pipeline file whose only job this is."""
        base = f"{rig.hub}/library/alpine" if rig.images == "debian" else "alpine"
        return self.text.replace("@BASE@", base)

    def pipeline(self, rig: Rig) -> Pipeline:
        """Return the same, parsed."""
        return parse_pipeline(self.pipeline_text(rig), self.name)


def settings_without_dind(rig: Rig, directory: Path) -> Path:
    """Write the rig's settings but with a sidecar only for jobs that name one, as elsewhere."""
    settings = directory / "settings.toml"
    text = rig.settings.read_text(encoding="utf-8")
    settings.write_text(text.replace('mode = "always"', 'mode = "service"'), encoding="utf-8")
    return settings


JOBS = (MeasuredJob("echo", _ECHO, has_dind=False), MeasuredJob("dind", _DIND, has_dind=True))


def script_seconds(log: str) -> float:
    """Return how long the script says that it took; 0 for one that says nothing."""
    marks = {}
    for line in log.splitlines():
        word, _, value = line.strip().rpartition(" ")
        if word in ("script begins", "script ends"):
            marks[word] = float(value)
    return marks.get("script ends", 0.0) - marks.get("script begins", 0.0)
