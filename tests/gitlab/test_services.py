"""Services of jobs through a real gitlab-runner: what it expands, masks and prints by itself."""

import re
from dataclasses import replace

from executor.local.pipeline.file import parse_pipeline
from tests.gitlab import trace
from tests.gitlab.pipelines import Pushed, project_variables
from tests.rig.state import Rig

SECRET = "a-masked-secret-of-the-project"

SHARED = """
.dind:
  image: docker:20.10.16
  variables: {{DOCKER_TLS_CERTDIR: /certs}}
  script:
    - docker -H tcp://builder:2376 info --format '{{{{.Name}}}}'
    - docker run --rm -v $(pwd):$(pwd) -w $(pwd) busybox touch made-by-dind
    - ls made-by-dind
"""
FETCH = """
fetch:
  extends: .dind
  services:
    - name: $ENGINE
      alias: "docker, $NAME"
      entrypoint: ["sh", "-c"]
      command: ["dockerd-entrypoint.sh"]
  variables: {{ENGINE: "docker:26.1-dind", NAME: builder, GIT_STRATEGY: fetch}}
"""
CLONE = """
clone:
  extends: .dind
  services:
    - name: $ENGINE
      alias: docker $NAME
      entrypoint: ["sh", "-c"]
      command: ["dockerd-entrypoint.sh"]
  variables: {{ENGINE: "docker:20.10.16-dind", NAME: builder, GIT_STRATEGY: clone}}
"""
NAMED_BY_VARIABLES = """
talks:
  image: alpine
  variables: {{CI_DEBUG_SERVICES: "true", WEB: "{web}", ALIAS: page}}
  services:
    - name: $WEB
      alias: $ALIAS
      command: ["sh", "-c", "echo $SHOWN; exec httpd -f -p 80 -h /www"]
      variables: {{SHOWN: "told $SECRET to the log"}}
  script: ["wget -qO- http://page/"]
doubts:
  image: alpine
  variables: {{CI_DEBUG_SERVICES: sometimes}}
  services: [{{name: "{web}", alias: page}}]
  script: ["wget -qO- http://page/"]
"""
URLS = """
job:
  image: alpine
  variables: {{DATABASE_URL: "postgres://app:$SECRET@db/app"}}
  services:
    - {{name: "{lone}", alias: queue}}
    - name: "{web}"
      alias: page
      variables: {{discovery.type: single-node, url.hidden: $SECRET}}
      command: ["sh", "-c", "busybox xargs -0 -n 1 </proc/1/environ >/www/env; exec httpd -f -p 80 -h /www"]
  script:
    - wget -qO seen http://page/env
    - grep -x discovery.type=single-node seen
    - grep -qFx "DATABASE_URL=$DATABASE_URL" seen
    - "! grep url.hidden seen"
    - ping -c 1 queue
"""
NO_NAME = """
job:
  image: alpine
  services: [{name: $NOTHING, alias: a}]
  script: ["true"]
"""


def test_dind_by_variables_and_with_a_program_of_its_own(pushed: Pushed) -> None:
    """It starts by whatever entrypoint, answers to each alias, and sees the project's directory."""
    text = (SHARED + FETCH + CLONE).format()

    jobs = pushed.run(parse_pipeline(text, "test"))

    logs = {name: trace.plain(job.trace) for name, job in jobs.items()}
    assert {name: job.state for name, job in jobs.items()} == dict.fromkeys(
        ("fetch", "clone"), "success"
    ), "\n".join(logs.values())
    assert all("made-by-dind" in log.splitlines() for log in logs.values())


def test_services_by_variables(pushed: Pushed, rig: Rig) -> None:
    """Name and alias are expanded; what the service prints is shown where asked for, and masked.

    gitlab-runner itself tells of a CI_DEBUG_SERVICES that is neither true nor false.
    """
    given = replace(project_variables({"SECRET": SECRET})[0], masked=True)
    pipeline = parse_pipeline(NAMED_BY_VARIABLES.format(web=rig.special("tools/web:1")), "test")

    jobs = replace(pushed, variables=(*pushed.variables, given)).run(pipeline)

    logs = {name: trace.plain(job.trace) for name, job in jobs.items()}
    assert all("a service that is not dind" in log for log in logs.values()), logs
    assert re.search(
        r"^\[service:\S+-page\] \d{4}-\S+Z told \[MASKED\] to the log$",
        logs["talks"],
        re.MULTILINE,
    ), logs["talks"]
    assert all(SECRET.encode() not in job.trace for job in jobs.values())
    assert 'CI_DEBUG_SERVICES: expected bool got "sometimes"' in logs["doubts"]
    assert "[service:" not in logs["doubts"]


def test_a_secret_in_a_variable_of_the_job_keeps_no_service_from_running(
    pushed: Pushed, rig: Rig
) -> None:
    """gitlab-runner expands it; the service without a shell runs without it, and the job says so."""
    given = replace(project_variables({"SECRET": SECRET})[0], masked=True)
    lone, web = rig.special("tools/no-shell:1"), rig.special("tools/web:1")
    pipeline = parse_pipeline(URLS.format(lone=lone, web=web), "test")

    job = replace(pushed, variables=(*pushed.variables, given)).start_only(pipeline).wait()

    log = trace.plain(job.trace)
    assert job.state == "success", log
    assert (
        f'WARNING: The service "{lone}" does not get the variable DATABASE_URL of the job: ' in log
    )
    assert f'WARNING: The service "{web}" does not get the variable url.hidden: ' in log
    assert SECRET not in log


def test_a_service_without_a_name_is_the_authors_mistake(pushed: Pushed) -> None:
    """It ends the job at the first try."""
    job = pushed.start_only(parse_pipeline(NO_NAME, "test")).wait()

    log = trace.plain(job.trace)
    assert (job.state, job.failure_reason) == ("failed", "script_failure"), log
    assert "invalid service image name" in log
    assert "Will be retried" not in log
