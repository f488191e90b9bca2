"""The jobs that are measured, the images that they use, and how long their own scripts took."""

from dataclasses import dataclass

from executor.local.pipeline.file import parse_pipeline
from executor.local.pipeline.model import Pipeline
from tests import generations
from tests.rig.state import Rig

_ECHO = """
job:
  image: @CLIENT@
  script:
    - echo hello
"""

# As GitLab's page has it for Docker-in-Docker with TLS.  The wait for the daemon is not the script's
# own: it stands before the first mark. The clock is the host's in every container, and `date` has no
# fractions in busybox.
_DIND = """
job:
  image: @CLIENT@
  services:
    - @DIND@
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

LOG_MEGABYTES = 300
_LOG = f"""
job:
  image: @CLIENT@
  script:
    - (yes "$(printf '%099d' 0)" || true) | head -c {LOG_MEGABYTES}000000
"""


@dataclass(frozen=True, slots=True)
class Generation:
    """A generation of dind: its image, and an image with a docker command for it."""

    client: str
    dind: str


GENERATIONS = {
    "20.10": Generation("docker:20.10.16", generations.OLD),
    "26.1": Generation("docker:26.1-cli", generations.NEW),
    "extra": Generation("docker:26.1-cli", generations.EXTRA),
}
"""By the name that the command takes; `extra` is of the binaries that the rig was given."""


@dataclass(frozen=True, slots=True)
class MeasuredJob:
    """A job, and whether it needs a Docker daemon of its own."""

    name: str
    text: str
    has_dind: bool

    def pipeline_text(self, rig: Rig, generation: Generation) -> str:
        """Return the pipeline file whose only job this is."""
        base = f"{rig.hub}/library/alpine" if rig.images == "debian" else "alpine"
        words = {"@BASE@": base, "@CLIENT@": generation.client, "@DIND@": generation.dind}
        text = self.text
        for word, value in words.items():
            text = text.replace(word, value)
        return text

    def pipeline(self, rig: Rig, generation: Generation) -> Pipeline:
        """Return the same, parsed."""
        return parse_pipeline(self.pipeline_text(rig, generation), self.name)


ECHO = MeasuredJob("echo", _ECHO, has_dind=False)
DIND = MeasuredJob("dind", _DIND, has_dind=True)
LOG = MeasuredJob("log", _LOG, has_dind=False)
JOBS = (ECHO, DIND)
AT_ONCE = (1, 4, 8, 16, 40)
"""How many jobs are run at the same time."""


def script_seconds(log: str) -> float:
    """Return how long the script says that it took; 0 for one that says nothing."""
    marks = {}
    for line in log.splitlines():
        word, _, value = line.strip().rpartition(" ")
        if word in ("script begins", "script ends"):
            marks[word] = float(value)
    return marks.get("script ends", 0.0) - marks.get("script begins", 0.0)
