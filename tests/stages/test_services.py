"""Services beside dind, seen on one job that has many of them."""

import re
import signal
from dataclasses import replace

import pytest
from docker.models.containers import Container

from tests.hooks import HOOKS
from tests.rig.state import Rig
from tests.stages.calls import BUILD_FAILURE, SYSTEM_FAILURE, Call, JobCalls, assert_error
from tests.stages.conftest import Changes, Start
from tests.stages.registry import Images
from tests.stages.request import JobRequest, Variable
from tests.stages.witness import Witness

NO_DIND: dict[str, object] = {"mode": "service"}
HTTPD = "exec httpd -f -h /www -p"
TIMEOUT = 4
OPERATORS = (
    '`[[docker.services]]` of the runner\'s settings: The service "{name}" could not start: '
)
UNREACHABLE = ("unshare", "--net", str(HOOKS / "prepare"))
"""A runner in a container, or a rootless engine: the socket is there, the network is not."""


def web(rig: Rig, command: str, alias: str, **variables: str) -> dict[str, object]:
    """Return a service that exposes port 80 and runs a command."""
    own = [{"key": key, "value": value} for key, value in variables.items()]
    return {
        "name": rig.special("tools/web:1"),
        "alias": alias,
        "command": ["sh", "-c", command],
        "variables": own,
    }


@pytest.fixture(scope="module")
def job(rig: Rig, start_standing: Start, images: Images) -> JobCalls:
    """Return a job with services that are up at once, late, never, and not at all."""
    ports = rig.special("tests/ports:25")
    images.publish(images.variant("alpine", "ports", "EXPOSE 9001-9025", "EXPOSE 9000/udp"), ports)
    operators = {
        "name": "$WHICH",
        "alias": "$WHERE-first, operators",
        "command": ["sh", "-c", f"echo $TOLD >/www/told; {HTTPD} 80"],
        "environment": ["TOLD=$GREETING from the administrator"],
    }
    changes: Changes = {
        "dind": NO_DIND,
        "docker": {"services": [operators], "wait_for_services_timeout": TIMEOUT},
    }
    request = JobRequest(
        variables=[
            Variable("WHICH", rig.special("tools/web:1")),
            Variable("WHERE", "here"),
            Variable("GREETING", "hello"),
            Variable("HIDDEN", "a private value", public=False),
        ],
        services=[
            web(
                rig,
                f'echo "$SEEN $QUOTED ${{HIDDEN-none}}" >/www/told; {HTTPD} 80',
                "site site web-1,web-1 Upper",
                SEEN="$GREETING",
                QUOTED="<$HIDDEN>",
            ),
            web(rig, f"sleep 1; {HTTPD} 80", "late"),
            web(rig, "sleep 600", "never"),
            web(rig, "echo last words; exit 3", "dead"),
            {"name": "alpine", "alias": "portless", "command": ["sleep", "600"]},
            web(rig, f"{HTTPD} 80", "mistaken", HEALTHCHECK_TCP_PORT="http"),
            web(rig, f"{HTTPD} 81", "elsewhere", HealthCheck_TCP_port="81"),
            {"name": ports, "alias": "many", "command": ["httpd", "-f", "-p", "9019"]},
            web(rig, "seq 100001 120000; sleep 600", "loud"),
        ],
    )
    job = start_standing(request, changes)
    job.up()
    return job


def prepared(job: JobCalls) -> Call:
    """Return what prepare said."""
    return next(call for call in job.calls if call.stage == "prepare")


def warning(job: JobCalls, number: int) -> str:
    """Return the warning about the service at a place in the whole list, "" where there is none."""
    name = rf"dind-executor-{job.id}-\w+-service-{number}"
    block = re.compile(
        rf"\n\x1b\[0;33m\*\*\* WARNING:\x1b\[0;m Service {name} probably didn't start properly\.\n"
        r"(.*?)\n\x1b\[0;33m\*{9}\x1b\[0;m\n",
        re.DOTALL,
    )
    return "".join(block.findall(prepared(job).stderr))


def service(job: JobCalls, witness: Witness, number: int) -> Container:
    """Return the service at a place in the whole list."""
    (found,) = (
        each
        for each in witness.containers(job.id, "service")
        if str(each.name).endswith(f"-{number}")
    )
    return found


def test_services_are_waited_for(job: JobCalls) -> None:
    """The job waits for all at once, in gitlab-runner's words, and the late one is up then."""
    said = prepared(job).output
    assert f"Waiting for services to be up and running (timeout {TIMEOUT} seconds)...\n" in said
    assert [number for number in range(10) if warning(job, number)] == [3, 4, 6, 9]
    assert job.script("wget -qO- http://late/").passed().output.endswith("not dind\n")


def test_a_service_that_never_listens(job: JobCalls) -> None:
    """The job goes on, and the author reads which port nobody answers on."""
    assert re.search(
        r"\nHealth check error:\nservice \"\S+/tools/web:1\" timeout: nothing accepts connections on"
        rf" its port 80 after {TIMEOUT} seconds\n\nService container logs:\n",
        warning(job, 3),
    )


def test_a_service_that_ends(job: JobCalls) -> None:
    """Its exit code is told, with its last words and their time."""
    assert re.search(r"\nservice \"\S+web:1\" exited with code 3\n", warning(job, 4))
    assert re.search(r"\n\d{4}-\d\d-\d\dT\S+Z last words\n", warning(job, 4))


def test_a_health_check_port_that_is_none(job: JobCalls) -> None:
    """It is said, and the service runs."""
    assert "\nHealth check error:\ninvalid health check tcp port: http\n" in warning(job, 6)
    assert job.script("wget -qO- http://mistaken/").passed().output.endswith("not dind\n")


def test_the_log_of_a_loud_service_is_cut(job: JobCalls) -> None:
    """The last 64 KiB are shown, which is enough to see what is wrong."""
    shown = warning(job, 9)
    assert 60_000 < len(shown) < 66_000
    assert shown.endswith(" 120000\n")
    assert " 100001\n" not in shown


def test_the_operators_service(job: JobCalls, rig: Rig) -> None:
    """It is the first, with the job's variables in image, alias and environment.

    So it has both names that follow from its image.
    """
    host = rig.hub.partition(":")[0]
    names = ("here-first", "operators", f"{host}__tools__web", f"{host}-tools-web")
    output = job.script(*(f"wget -qO- http://{name}/told" for name in names)).passed().output
    assert output.count("\nhello from the administrator\n") == len(names)


def test_every_alias_leads_to_its_service(job: JobCalls, witness: Witness) -> None:
    """Aliases listed twice or in another case work, and so does the container's short id."""
    names = ("site", "web-1", "Upper", "upper", str(service(job, witness, 1).id)[:12])
    output = job.script(*(f"wget -qO- http://{name}/told" for name in names)).passed().output
    assert output.count("\nhello <a private value> none\n") == len(names)
    assert "a private value" not in witness.inspected(job.id)
    in_the_helper = job.script(*(f"getent hosts {name}" for name in names), sub_stage="get_sources")
    assert len(set(re.findall(r"^\d+\.\S+", in_the_helper.passed().stdout, re.MULTILINE))) == 1


def test_a_service_reaches_the_job_and_other_services(job: JobCalls, witness: Witness) -> None:
    """Services reach the job by the name `build`, and each other by their names."""
    first = service(job, witness, 1)
    for name in ("build", "late"):
        assert witness.inside(first, "ping", "-c", "1", name).startswith(f"PING {name} (")


def test_a_name_that_is_taken_is_skipped(job: JobCalls, rig: Rig) -> None:
    """The derived names of one image belong to its first service; all of them are started."""
    name, host = rig.special("tools/web:1"), rig.hub.partition(":")[0]
    for place in (1, 2, 3, 4, 6, 7, 9):
        for alias in (f"{host}__tools__web", f"{host}-tools-web"):
            assert (
                f'WARNING: Skipping alias "{alias}" for service "{name}" (services[{place}]): alias'
                " is already in use by another service.\n"
            ) in prepared(job).output


def test_the_runners_labels(job: JobCalls, rig: Rig, witness: Witness) -> None:
    """Services carry the labels that the Docker executor gives them."""
    prefix = "com.gitlab.gitlab-runner."
    labels = {
        key.removeprefix(prefix): value
        for key, value in service(job, witness, 1).labels.items()
        if key.startswith(prefix)
    }
    assert labels == {
        "job.id": str(job.id),
        "job.url": f"https://gitlab.example.com/group/project/-/jobs/{job.id}",
        "job.sha": "0" * 40,
        "job.before_sha": "",
        "job.ref": "main",
        "job.timeout": "1h0m0s",
        "project.id": "7",
        "project.runner_id": "0",
        "pipeline.id": "11",
        "runner.id": "t3stt0ken",
        "runner.local_id": "0",
        "managed": "true",
        "type": "service",
        "service": f"{rig.hub.partition(':')[0]}/tools/web",
        "service.version": "1",
    }


def test_services_out_of_reach_are_asked_from_the_helper(rig: Rig, start: Start) -> None:
    """A service that listens is up, and one that does not is named."""
    services = [web(rig, f"{HTTPD} 80", "up"), web(rig, "sleep 600", "never")]
    job = start(
        JobRequest(services=services),
        {"dind": NO_DIND, "docker": {"wait_for_services_timeout": 2}},
    )
    job.config().passed()
    job.start("prepare", program=UNREACHABLE).finish().passed()
    assert (warning(job, 0), "timeout: nothing accepts" in warning(job, 1)) == ("", True)


def test_nothing_is_waited_for_where_the_operator_does_not_want_it(rig: Rig, start: Start) -> None:
    """`wait_for_services_timeout = -1` turns the health check off."""
    job = start(
        JobRequest(services=[web(rig, "exit 1", "dead")]),
        {"dind": NO_DIND, "docker": {"wait_for_services_timeout": -1}},
    )
    job.config().passed()
    output = job.prepare().passed().output
    assert "Waiting for services" not in output
    assert "WARNING" not in output


@pytest.mark.family(2)
@pytest.mark.parametrize(
    ("operators", "code", "sentence"),
    [
        (False, BUILD_FAILURE, 'The service "{name}" could not start: '),
        (True, SYSTEM_FAILURE, OPERATORS),
    ],
)
def test_a_service_that_cannot_start(
    rig: Rig, start: Start, *, operators: bool, code: int, sentence: str
) -> None:
    """prepare fails, names it, and blames whoever chose it; cleanup leaves nothing."""
    name = rig.special("tools/web:1")
    given: list[dict[str, object]] = [{"name": name, "command": ["no-such-program"]}]
    docker = {"services": given if operators else []}
    changes: Changes = {"dind": NO_DIND, "docker": docker}
    job = start(JobRequest(services=[] if operators else given), changes)
    job.config().passed()
    assert_error(job.prepare(), code, sentence.format(name=name), "no-such-program")


LOUD = 'n=0; while :; do n=$((n+1)); echo "line $n"; [ $((n % 7)) = 0 ] && sleep 0.05; done'
"""Numbers without an end, faster than a stage starts."""


def test_the_logs_of_services_are_shown(start: Start) -> None:
    """Each line is shown once over all stages, also where a script is cancelled."""
    services: list[dict[str, object]] = [
        {"name": "alpine", "alias": "loud", "command": ["sh", "-c", LOUD]},
        {
            "name": "alpine",
            "command": ["sh", "-c", "printf '%40000d\n' 7; echo >&2 oops; sleep 600"],
        },
        {"name": "docker:26.1-dind", "alias": "builder"},
    ]
    variables = [Variable("CI_DEBUG_SERVICES", "true")]
    job = start(JobRequest(services=services, variables=variables))
    job.up()
    for number in range(2):
        job.script(f"echo script {number}; sleep 0.3").passed()
    running = job.start_run("build_script", job.authors("echo going on; sleep 60"))
    running.wait_for("going on\n")
    running.signal(signal.SIGTERM)
    running.finish()
    job.script("sleep 0.2; echo last", sub_stage="cleanup_file_variables").passed()
    calls = [call.output for call in job.calls if call.stage != "config"]
    numbers = [
        int(number)
        for output in calls
        # The end of a section, as of the summary's, has no line of its own.
        for number in re.findall(
            r"(?:^|\r\x1b\[0K)\x1b\[0;37m\[service:alpine-loud\] \d{4}-\d\d-\d\dT\S+Z"
            r" line (\d+)\x1b\[0;m$",
            output,
            re.MULTILINE,
        )
    ]
    assert numbers == list(range(1, len(numbers) + 1))
    assert all("[service:alpine-loud]" in output for output in calls)
    shown = "".join(calls)
    assert re.search(r"\[service:alpine:latest\] \S+Z {40000}7\x1b", shown)
    assert re.search(r"\[service:alpine:latest\] \S+Z oops\x1b", shown)
    assert "[service:docker-builder]" in shown
    assert "API listen on" in shown


def test_the_logs_of_services_are_shown_only_where_asked_for(job: JobCalls) -> None:
    """CI_DEBUG_SERVICES is unset as a rule."""
    job.script("true").passed()
    assert not [call.stage for call in job.calls if "[service:" in call.output]


def test_the_operators_dind_is_the_sidecar(rig: Rig, start: Start, witness: Witness) -> None:
    """A job's own is not started: its names lead to the administrator's, as the author reads."""
    request = JobRequest(
        rig.special("tools/docker-cli:1"),
        services=[{"name": "docker:20.10.16-dind", "alias": "mine"}],
    )
    operators = [{"name": "docker:$GENERATION-dind", "command": ["--label=from=operators"]}]
    variables = [Variable("GENERATION", "26.1")]
    job = start(replace(request, variables=variables), {"docker": {"services": operators}})
    prepare = job.up()
    assert (
        'WARNING: Skipping service "docker:20.10.16-dind": this runner\'s own Docker-in-Docker'
        ' service "docker:26.1-dind" runs instead, under the same names.\n'
    ) in prepare.output
    script = "docker {} info -f '{{{{.ServerVersion}}}} {{{{.Labels}}}}'"
    tls = "DOCKER_TLS_VERIFY=1 DOCKER_CERT_PATH=/certs/client"
    named = f"{tls} {script.format('-H tcp://mine:2376')}"
    output = job.script(script.format(""), named).passed().output
    assert len(re.findall(r"^26\.1\.\S+ \[from=operators\]$", output, re.MULTILINE)) == 2
    assert len(witness.containers(job.id)) == 3


def test_a_service_without_a_shell(rig: Rig, start: Start, witness: Witness) -> None:
    """It can be given all that is no secret, whatever words GitLab calls private."""
    service = {
        "name": rig.special("tools/no-shell:1"),
        "command": ["600"],
        "variables": [{"key": "POSTGRES_DB", "value": "test"}],
    }
    variables = [Variable("CI", "true"), Variable("FEATURE", "true", public=False)]
    job = start(JobRequest(services=[service], variables=variables), {"dind": NO_DIND})
    job.config().passed()
    job.prepare().passed()
    container = witness.container(job.id, "service")
    assert {"POSTGRES_DB=test", "CI=true"} <= set(container.attrs["Config"]["Env"])
    assert container.attrs["State"]["Running"]
    assert container.labels["com.gitlab.gitlab-runner.job.ref"] == "main"
