"""Jobs as people bring them, through a real gitlab-runner: how they reach Docker and log in."""

from executor.local.pipeline.file import parse_pipeline
from tests.gitlab import trace
from tests.gitlab.pipelines import Pushed
from tests.rig.state import Rig

JOBS = """
contexts:
  image: "{bare}"
  services: ["docker:20.10.16-dind"]
  script:
    - docker context create prod --docker host=tcp://127.0.0.1:1
    - docker context use prod
    - "{{ docker ps 2>&1 || true; }} | grep 127.0.0.1:1"
by-variable:
  image: "{bare}"
  variables: {{DOCKER_CONTEXT: prod}}
  script:
    - docker context create prod --docker host=tcp://127.0.0.1:1
    - "{{ docker ps 2>&1 || true; }} | grep 127.0.0.1:1"
builders:
  image: docker:26.1-cli
  script:
    - docker buildx create --use
    - docker buildx inspect | grep docker-container
    - docker run --rm busybox true
nested:
  image: docker:26.1-cli
  services: [{{name: "docker:26.1-dind", alias: docker}}]
  variables: {{DOCKER_TLS_CERTDIR: /certs}}
  script:
    - docker run -v /certs/client:/certs/client:ro -e DOCKER_HOST -e DOCKER_TLS_VERIFY
      -e DOCKER_CERT_PATH "{bare}" docker version
    - docker -H tcp://docker:2376 version
own-login:
  image: docker:26.1-cli
  script:
    - docker pull -q $CI_REGISTRY_IMAGE/docker:20.10.16
    - saved=$(cat ~/.docker/config.json)
    - rm -rf ~/.docker; mkdir -p ~/.docker
    - "! docker pull -q $CI_REGISTRY_IMAGE/docker:20.10.16"
    - printf %s "$saved" >~/.docker/config.json
    - docker pull -q $CI_REGISTRY_IMAGE/docker:20.10.16
"""


def test_jobs_that_bring_contexts_builders_and_logins(pushed: Pushed, rig: Rig) -> None:
    """Each has what it makes itself, and its own daemon where it says nothing."""
    text = JOBS.format(bare=rig.special("tools/docker-cli:1"))

    jobs = pushed.run(parse_pipeline(text, "test"))

    logs = "\n".join(trace.plain(job.trace) for job in jobs.values())
    assert {job.state for job in jobs.values()} == {"success"}, logs
    assert len(jobs) == 5
