"""One Dockerfile built again and again: what layers save that a job finds again."""

import contextlib
import io
import uuid

import docker
from docker.errors import NotFound

from benchmarks.figures import AGAIN, CHANGED, CLASSIC, COLD, REBUILT
from benchmarks.jobs import Generation
from executor.local.pipeline.file import parse_pipeline
from executor.local.pipeline.model import Pipeline
from tests.rig.state import Rig

KEY = "keep_layers"
"""Of `[dind]`: what has a job's layers stay."""

_BASE = "benchmarks/base:1"
# Nearly 590 MB of text that compresses to less than half, as the files of a real image do.
_BASE_RECIPE = "FROM {alpine}\nRUN head -c 193000000 /dev/urandom | od -An -v -tx1 >/base\n"
_JOB = """
job:
  image: {client}
  services: ["{dind}"]
  variables: {{DOCKER_BUILDKIT: "{buildkit}"}}
  script:
    - until docker info >/dev/null 2>&1; do sleep 0.05; done
    - mkdir -p /tmp/context
    - cd /tmp/context
    - printf 'FROM {base}\\nRUN sha256sum /base >/sum\\nRUN head -c 150000000 /base | gzip >/packed\\n' >Dockerfile
    - printf 'COPY line /line\\n' >>Dockerfile
    - echo "{line}" >line
    - {first}
    - read up idle </proc/uptime; echo "script begins $up"
    - docker build -t built .
    - read up idle </proc/uptime; echo "script ends $up"
"""


def cases(dind: str) -> tuple[str, ...]:
    """Return what is built with a generation of dind; the oldest has two builders."""
    found = (COLD, REBUILT, AGAIN, CHANGED)
    return (*found, *(f"{each}{CLASSIC}" for each in found)) if dind == "20.10" else found


def pipeline(case: str, rig: Rig, generation: Generation) -> Pipeline:
    """Return the job whose script says how long its last build takes."""
    text = _JOB.format(
        client=generation.client,
        dind=generation.dind,
        base=base(rig),
        buildkit=int(CLASSIC not in case),
        line=uuid.uuid4().hex if case.startswith(CHANGED) else "the same",
        first="docker build -t built ." if case.startswith(AGAIN) else "docker version",
    )
    return parse_pipeline(text, case)


def base(rig: Rig) -> str:
    """Return the name of the image that the Dockerfile begins with."""
    return rig.special(_BASE)


def ensure_base(rig: Rig) -> None:
    """Have the rig's registry hold the image that the Dockerfile begins with."""
    name = base(rig)
    with contextlib.closing(docker.DockerClient(base_url=rig.engine_host, timeout=600)) as client:
        try:
            client.images.get_registry_data(name)
        except NotFound:
            alpine = f"{rig.hub}/library/alpine" if rig.images == "debian" else "alpine"
            _build(client, name, _BASE_RECIPE.format(alpine=alpine))


def _build(client: docker.DockerClient, name: str, recipe: str) -> None:
    """Build an image and push it; the engine need not keep it."""
    client.images.build(fileobj=io.BytesIO(recipe.encode()), tag=name, rm=True)
    for line in client.images.push(name, stream=True, decode=True):
        if "error" in line:
            raise RuntimeError(line["error"])
    client.images.remove(name)
