"""Which values of a job are secret, and where they must not show."""

import base64

import pytest

from executor.plan.secrets import secret_values
from tests.builders import TOKEN, a_job, a_service, a_variable, some_inputs


@pytest.mark.parametrize(
    ("public", "masked", "hidden"),
    [(True, False, False), (True, True, True), (False, False, True), (False, True, True)],
)
def test_masked_and_private_variables(*, public: bool, masked: bool, hidden: bool) -> None:
    """Values that GitLab masks, or does not call public, are secret."""
    job = a_job(variables=[a_variable("K", "hunter2-2", public=public, masked=masked)])

    assert ("hunter2-2" in secret_values(job, {})) is hidden


def test_a_private_value_that_everyone_knows_is_none() -> None:
    """GitLab calls all variables of projects and groups private, whatever they hold."""
    private = [
        a_variable("FLAG", "true", public=False),
        a_variable("BRANCH", "development", public=False),
    ]
    branch = a_variable("CI_DEFAULT_BRANCH", "development")
    masked = a_variable("MASKED", "development", masked=True)

    for variables, secret in (
        (private, {"development"}),
        ([branch, *private], set()),
        ([branch, *private, masked], {"development"}),
    ):
        values = {str(each["key"]): str(each["value"]) for each in variables}
        found = secret_values(a_job(variables=variables), values)
        assert {"true", "development"} & set(found) == secret


@pytest.mark.parametrize("key", ["AUTH_URL", "CI_AUTH_URL", "GITLAB_AUTH_URL", "CI_REGISTRY"])
def test_no_name_of_an_authors_makes_a_secret_public(key: str) -> None:
    """It does not matter who expands it, nor does a name of the administrator's make it public."""
    for value in ("https://u:$TOKEN@host", "https://u:hunter2-hunter2@host", "$TOKEN"):
        inputs = some_inputs(
            variables=[
                a_variable("CI_REGISTRY", "registry.example.com"),
                a_variable("TOKEN", "hunter2-hunter2", public=False),
                a_variable(key, value),
            ],
            values={
                key: value.replace("$TOKEN", "hunter2-hunter2"),
                "CI_SERVER_URL": "hunter2-hunter2",
            },
        )

        assert key in inputs.variables.split(inputs.variables.public)[1]
        assert "hunter2-hunter2" in inputs.secrets


def test_what_refers_to_a_secret_is_one() -> None:
    """It counts however short the secret is, which is not searched for in other values."""
    inputs = some_inputs(
        variables=[
            a_variable("PIN", "123", public=False),
            a_variable("URL", "https://u:${PIN}@host"),
            a_variable("RAW", "$PIN", raw=True),
            a_variable("FINE", "value 123"),
        ],
        values={"URL": "https://u:123@host"},
    )

    shown, hidden = inputs.variables.split(inputs.variables.public)

    assert shown == {"RAW": "$PIN", "FINE": "value 123"}
    assert hidden == {"URL": "https://u:123@host"}


def test_a_variable_hides_both_its_forms() -> None:
    """The value is secret as it was written and as gitlab-runner expanded it."""
    job = a_job(variables=[a_variable("K", "pre-$OTHER", masked=True)])

    assert {"pre-$OTHER", "pre-hunter2"} <= set(secret_values(job, {"K": "pre-hunter2"}))


def test_tokens_and_registry_passwords() -> None:
    """They are secret also in the form in which a docker configuration holds them."""
    job = a_job(
        credentials=[{"type": "registry", "url": "r", "username": "ci", "password": "hunter2"}]
    )

    encoded = base64.b64encode(b"ci:hunter2").decode()
    assert {TOKEN, "hunter2", encoded} <= set(secret_values(job, {}))


def test_a_services_own_variables() -> None:
    """They stand in the pipeline: GitLab says of them neither that they are public nor private."""
    job = a_job(
        image=a_service("a", variables=[{"key": "K", "value": "hunter2-2"}]),
        services=[a_service("b", variables=[a_variable("K", "hunter3", masked=True)])],
    )

    assert {"hunter2-2", "hunter3"} & set(secret_values(job, {})) == {"hunter3"}


def test_secrets_of_a_vault() -> None:
    """They are in no list of variables; only their names are known."""
    job = a_job(secrets={"DB_PASSWORD": {"vault": {}}})

    assert "hunter2" in secret_values(job, {"DB_PASSWORD": "hunter2"})


def test_each_line_of_a_secret_file() -> None:
    """A log shows lines, and a key has many."""
    job = a_job(variables=[a_variable("KEY", "line-one\n  line-two\n", public=False, file=True)])

    assert {"line-one", "line-two"} <= set(secret_values(job, {}))


def test_short_values_are_not_searched_for() -> None:
    """Masking every `1` and `yes` would leave no text to read."""
    job = a_job(variables=[a_variable("K", "yes", public=False), a_variable("L", "", masked=True)])

    assert not {"yes", ""} & set(secret_values(job, {}))


def test_the_longest_comes_first() -> None:
    """A secret that holds another one goes whole."""
    job = a_job(
        variables=[
            a_variable("A", "hunter2", masked=True),
            a_variable("B", "hunter2-and-more", masked=True),
        ]
    )

    values = secret_values(job, {})
    assert values.index("hunter2-and-more") < values.index("hunter2")
