"""Secrets of services that cannot be handed over unseen."""

import pytest

from executor.errors import UnusableImage
from executor.plan.service_secrets import without_secrets
from executor.spec import ContainerSpec
from tests.builders import a_service, a_variable, some_inputs
from tests.plans import a_plan, service

SECRET = "hunter2-hunter2"
PASSWORD = a_variable("DB_PASS", SECRET, public=False, masked=True)


def planned(*variables: dict[str, object], **own: str) -> tuple[ContainerSpec, tuple[str, ...]]:
    """Return a service of a job with a masked password, and what its author reads."""
    inputs = some_inputs(
        variables=[PASSWORD, *variables],
        services=[a_service("nats:2", variables=[a_variable(*each) for each in own.items()])],
        settings='[dind]\nmode = "service"',
    )
    plan = a_plan(inputs)
    return service(plan, 0), plan.notices


def test_what_the_job_says_for_all_is_dispensable() -> None:
    """A variable of the job's that holds a secret is; one that the service asks for is not."""
    job = a_variable("DATABASE_URL", f"postgres://app:{SECRET}@db/app")
    message = a_variable("CI_COMMIT_MESSAGE", f"Rotate {SECRET}")

    spec, notices = planned(job, message, TOKEN=SECRET)

    assert set(spec.secret_environment) == {"DATABASE_URL", "CI_COMMIT_MESSAGE", "TOKEN"}
    assert set(spec.dispensable) == {"DATABASE_URL", "CI_COMMIT_MESSAGE"}
    assert notices == ()


def test_one_of_both_is_the_services_own() -> None:
    """A service that says the same variable anew asks for it."""
    spec, _ = planned(a_variable("URL", f"a://{SECRET}@db"), URL=f"b://{SECRET}@db")

    assert spec.dispensable == ()
    assert spec.secret_environment["URL"] == f"b://{SECRET}@db"


def test_without_a_shell_the_jobs_own_secrets_are_left_out() -> None:
    """The author reads which, and what to do; nothing is left that a shell would have to take."""
    spec, _ = planned(a_variable("URL", f"a://{SECRET}@db"), SIZE="2")

    left, notice = without_secrets(spec)

    assert (left.secret_environment, left.receives) == ({}, False)
    assert left.environment["SIZE"] == "2"
    assert notice == (
        'WARNING: The service "nats:2" does not get the variable URL of the job: the value holds a'
        " secret, and the image has no `sh` to take it unseen. If the service needs it, use an image"
        " with a shell."
    )


def test_many_variables_are_one_short_sentence() -> None:
    """A job may have thousands of them."""
    spec, _ = planned(*(a_variable(f"URL_{n}", f"a://{SECRET}@db") for n in range(1000)))

    assert (
        "the variables URL_0, URL_1, URL_2, URL_3, URL_4 and 995 more of"
        in without_secrets(spec)[1]
    )


def test_without_a_shell_a_secret_of_the_services_own_is_an_error() -> None:
    """It was asked for, and would be readable for everyone who may ask the engine."""
    spec, _ = planned(a_variable("URL", f"a://{SECRET}@db"), TOKEN="$DB_PASS")

    with pytest.raises(UnusableImage) as caught:
        without_secrets(spec)

    assert str(caught.value) == (
        'The service "nats:2" cannot get the variable TOKEN: the value holds a secret, which only a'
        " shell takes without showing it to everyone who may ask the Docker Engine, and the image"
        " has no `sh`. Use an image with a shell, or a value that is not secret."
    )


@pytest.mark.parametrize(
    ("key", "advice"),
    [
        ("spring.datasource.password", "SPRING_DATASOURCE_PASSWORD"),
        ("my-token", "MY_TOKEN"),
        ("1ST", "MY_1ST"),
        ("UID", "MY_UID"),
    ],
)
def test_a_name_that_no_shell_sets(key: str, advice: str) -> None:
    """A secret of that name is left out, and the author reads so; another one arrives."""
    spec, notices = planned(**{key: "$DB_PASS", "OTHER": "$DB_PASS"})

    assert spec.secret_environment == {"OTHER": SECRET}
    assert notices == (
        (
            f'WARNING: The service "nats:2" does not get the variable {key}: the value holds a'
            " secret, so a shell has to hand it over, and no shell can set a variable of this name."
            f" Use a name of letters, digits and underscores, such as {advice}."
        ),
    )
    assert SECRET not in notices[0]


def test_a_name_cannot_write_the_job_log() -> None:
    """An author chooses it: it is one line, and not a long one."""
    _, notices = planned(**{"a.b\nERROR: fooled" + "x" * 1000: "$DB_PASS"})

    assert "the variable a.b?ERROR: fooledxxx" in notices[0]
    assert (len(notices[0]) < 500, "\n" in notices[0]) == (True, False)


def test_an_odd_name_of_a_public_value_stays() -> None:
    """It stands in the container's configuration, as under the Docker executor."""
    spec, notices = planned(**{"discovery.type": "single-node"})

    assert spec.environment["discovery.type"] == "single-node"
    assert (spec.receives, notices) == (False, ())
