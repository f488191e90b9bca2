"""Services beside a job's secrets: what reaches them, and what is said of the rest."""

from pathlib import Path

import pytest

from tests.rig.state import Rig
from tests.stages.calls import BUILD_FAILURE, SYSTEM_FAILURE, JobCalls, assert_error
from tests.stages.conftest import Changes, Start
from tests.stages.registry import Images
from tests.stages.request import JobRequest, Variable
from tests.stages.witness import Witness, eventually

SECRET = "a-masked-value-of-the-project"
WORD = "a-private-word-of-the-project"
NO_DIND: Changes = {"dind": {"mode": "service"}}
VARIABLES = (
    Variable("DB_PASS", SECRET, public=False, masked=True),
    Variable("TEAM_WORD", WORD, public=False),
    Variable("DATABASE_URL", f"postgres://app:{SECRET}@db/app"),
    Variable("CI_COMMIT_MESSAGE", f"Say {WORD} once more"),
)


def asked(name: str, *command: str, **own: str) -> dict[str, object]:
    """Return a service with variables of its own."""
    variables = [{"key": key, "value": value} for key, value in own.items()]
    return {"name": name, "command": list(command), "variables": variables}


@pytest.fixture(scope="module")
def job(rig: Rig, start_standing: Start, images: Images) -> JobCalls:
    """Return a job with secrets in its variables, and services of some kinds."""
    odd = rig.special("tests/odd-names:1")
    images.publish(images.variant("alpine", "odd", "ENV image.mode=own 1st=x"), odd)
    none = rig.special("tools/no-shell:1")
    operators = {"name": none, "command": ["601"], "environment": ["PLAIN=told"]}
    services = [
        asked(none, "602"),
        {**asked(none, "603", SIZE="3"), **as_user("1000")},
        asked(
            odd,
            "sleep",
            "604",
            **{
                "discovery.type": "single node",
                "spring.datasource.password": "$DB_PASS",
                "spring.datasource.url": "jdbc:db",
                "UID": "7",
                "QUOTED": "it's $DB_PASS",
            },
        ),
        {**asked("alpine", "sleep", "605", TOKEN="$DB_PASS"), **as_user("1000")},
    ]
    job = start_standing(
        JobRequest(services=services, variables=VARIABLES),
        {**NO_DIND, "docker": {"services": [operators]}},
    )
    job.config().passed()
    job.prepare().passed()
    return job


def as_user(user: str) -> dict[str, object]:
    """Return what a service says of its user."""
    return {"executor_opts": {"docker": {"platform": "", "user": user}}}


def environment(job: JobCalls, witness: Witness, number: int) -> list[str]:
    """Return the variables of a service's program, by the service's place in the whole list."""
    (found,) = (
        each
        for each in witness.containers(job.id, "service")
        if str(each.name).endswith(f"-{number}")
    )
    process = Path("/proc") / str(found.attrs["State"]["Pid"])
    own = f"sleep\0{600 + number + 1}\0"
    eventually(lambda: (process / "cmdline").read_text().endswith(own), "its own program runs")
    return (process / "environ").read_text().split("\0")


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_service_without_a_shell_runs(job: JobCalls, witness: Witness, number: int) -> None:
    """It gets what holds no secret; that a variable or a commit holds one is none of its business."""
    variables = environment(job, witness, number)

    assert "CI_JOB_ID=" + str(job.id) in variables
    assert not [each for each in variables if SECRET in each or WORD in each]
    assert not [each for each in variables if each.startswith(("DATABASE_URL=", "CI_COMMIT_ME"))]


def test_what_they_do_not_get_is_said(job: JobCalls, rig: Rig) -> None:
    """The job log has the names of the variables, once for each service."""
    (said,) = (call.output for call in job.calls if call.stage == "prepare")

    name = rig.special("tools/no-shell:1")
    left_out = (
        f'WARNING: The service "{name}" does not get the variables DATABASE_URL, CI_COMMIT_MESSAGE of'
        " the job: the value holds a secret, and the image has no `sh` to take it unseen."
    )
    odd = f'WARNING: The service "{rig.special("tests/odd-names:1")}" does not get the variable'
    assert said.count(left_out) == 3
    assert said.count(f"{odd} spring.datasource.password: ") == 1
    assert "such as SPRING_DATASOURCE_PASSWORD." in said
    assert said.count("does not get") == 4


def test_odd_names_reach_a_service_that_has_secrets(job: JobCalls, witness: Witness) -> None:
    """The shell that takes the secrets drops none of the others, whoever sets them."""
    variables = environment(job, witness, 3)

    for wanted in (
        "discovery.type=single node",
        "spring.datasource.url=jdbc:db",
        "image.mode=own",
        "1st=x",
        "UID=7",
        f"QUOTED=it's {SECRET}",
        f"DATABASE_URL=postgres://app:{SECRET}@db/app",
    ):
        assert wanted in variables
    assert not [each for each in variables if each.startswith("spring.datasource.password=")]


def test_a_service_of_another_user_gets_its_secrets(job: JobCalls, witness: Witness) -> None:
    """Its own and the job's reach it, whatever user it runs as."""
    variables = environment(job, witness, 4)

    assert f"TOKEN={SECRET}" in variables
    assert f"CI_COMMIT_MESSAGE=Say {WORD} once more" in variables


def test_nobody_who_asks_the_engine_reads_a_secret(job: JobCalls, witness: Witness) -> None:
    """What the engine shows of the job's containers has none."""
    shown = witness.inspected(job.id)

    assert "single node" in shown
    assert (SECRET in shown, WORD in shown) == (False, False)


@pytest.mark.family(2)
@pytest.mark.parametrize(("operators", "code"), [(False, BUILD_FAILURE), (True, SYSTEM_FAILURE)])
def test_a_secret_of_a_services_own_needs_a_shell(
    rig: Rig, start: Start, *, operators: bool, code: int
) -> None:
    """prepare fails at once and names the variable, and blames whoever set it."""
    name = rig.special("tools/no-shell:1")
    given = {"name": name, "environment": ["TOKEN=<$DB_PASS>"]}
    job = start(
        JobRequest(
            services=[] if operators else [asked(name, "600", TOKEN="<$DB_PASS>")],
            variables=VARIABLES,
        ),
        {**NO_DIND, "docker": {"services": [given] if operators else []}},
    )
    job.config().passed()
    sentence = f'The service "{name}" cannot get the variable TOKEN: the value holds a secret'
    blamed = f"`[[docker.services]]` of the runner's settings: {sentence}"
    assert_error(job.prepare(), code, blamed if operators else sentence, "has no `sh`")
