"""Which values of a job are secret, and where they must not show."""

import base64

import pytest

from executor.plan.credentials import Catalogue, Entry
from executor.plan.secrets import secret_values
from executor.plan.transport import Transport
from executor.plan.variables import build_environment
from executor.shell import DOCKER_CONFIG
from tests.builders import RUNNER_VALUES, TOKEN, a_job, a_login, a_service, a_variable, some_inputs
from tests.plans import a_plan


@pytest.mark.parametrize(
    ("public", "masked", "hidden"),
    [(True, False, False), (True, True, True), (False, False, True), (False, True, True)],
)
def test_masked_and_private_variables(*, public: bool, masked: bool, hidden: bool) -> None:
    """What GitLab masks, and what it does not call public."""
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
    """Whether GitLab has expanded it or leaves that to gitlab-runner; nor does an administrator's."""
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
    """However short the secret is, which is not searched for in other values."""
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


def test_a_services_variable_that_refers_to_a_secret() -> None:
    """Its own variables come first, also where the job has one of the name."""
    variables = [
        {"key": "POSTGRES_DB", "value": "test"},
        {"key": "POSTGRES_PASSWORD", "value": "$PIN"},
        {"key": "OTHER", "value": "own"},
    ]
    inputs = some_inputs(
        variables=[a_variable("PIN", "123", public=False), a_variable("OTHER", "$PIN")],
        services=[a_service("postgres", variables=variables)],
    )
    service = inputs.job.services[0]

    shown, hidden = inputs.variables.split(inputs.variables.for_service(service), service)

    assert hidden == {"POSTGRES_PASSWORD": "123"}
    assert (shown["POSTGRES_DB"], shown["OTHER"]) == ("test", "own")


def test_a_variable_hides_both_its_forms() -> None:
    """As it was written, and as gitlab-runner expanded it."""
    job = a_job(variables=[a_variable("K", "pre-$OTHER", masked=True)])

    assert {"pre-$OTHER", "pre-hunter2"} <= set(secret_values(job, {"K": "pre-hunter2"}))


def test_tokens_and_registry_passwords() -> None:
    """Also in the form in which a docker configuration holds them."""
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


# --- what a container's configuration may hold ------------------------------------------------


def test_public_variables_stand_in_a_container() -> None:
    """Images that read their environment at start find them."""
    inputs = some_inputs(variables=[a_variable("A", "value")], values={"A": "expanded"})

    assert inputs.variables.public == {"A": "expanded"}


def test_no_secret_stands_in_a_container() -> None:
    """Not by itself, and not inside of a public variable."""
    inputs = some_inputs(
        variables=[
            a_variable("SECRET", "hunter2", public=False),
            a_variable("MASKED", "hunter3", masked=True),
            a_variable("URL", "https://u:$SECRET@host"),
            a_variable("BOTH", "a hunter3 b"),
            a_variable("TOKEN_URL", f"https://x:{TOKEN}@host"),
            a_variable("FINE", "value"),
        ],
        values={"URL": "https://u:hunter2@host"},
    )

    assert inputs.variables.split(inputs.variables.public)[0] == {"FINE": "value"}


def test_of_two_variables_of_one_name_the_last_is_secret_or_not() -> None:
    """As its value is the one that counts, even one too short to be looked for."""
    inputs = some_inputs(
        variables=[
            a_variable("PIN", "000"),
            a_variable("PIN", "123", masked=True),
            a_variable("OPEN", "000", masked=True),
            a_variable("OPEN", "456"),
        ],
        values={"PIN": "123", "OPEN": "456"},
    )

    assert inputs.variables.public == {"OPEN": "456"}


def test_no_secret_stands_in_the_labels_of_a_service() -> None:
    """Nor does its image's name, where a variable with a secret is in it."""
    inputs = some_inputs(
        variables=[a_variable("TAG", "hunter2-tag", masked=True)],
        services=[a_service("tools/web:hunter2-tag")],
        settings="[dind]\nmode = 'service'",
    )
    plan = a_plan(inputs)

    assert "hunter2-tag" not in str(plan.services[0].labels)


def test_no_secret_of_a_vault_stands_in_a_container() -> None:
    """A public variable may refer to one."""
    inputs = some_inputs(
        variables=[a_variable("URL", "https://u:$DB_PASSWORD@host")],
        values={"URL": "https://u:hunter2@host", "DB_PASSWORD": "hunter2"},
        secrets={"DB_PASSWORD": {"vault": {}}},
    )

    assert inputs.variables.split(inputs.variables.public)[0] == {}


def test_no_login_of_the_administrator_stands_in_a_container() -> None:
    """A credential of the runner's user is a secret of the job too."""
    inputs = some_inputs(
        variables=[a_variable("AUTH", "x hunter2 y"), a_variable("FINE", "value")],
        catalogue=Catalogue((Entry("registry", a_login("ci", "hunter2"), "/root/config.json"),)),
    )

    assert inputs.variables.split(inputs.variables.public)[0] == {"FINE": "value"}


def test_a_file_variable_is_a_path_in_a_container() -> None:
    """As the scripts put it there."""
    inputs = some_inputs(variables=[a_variable("CA", "-----BEGIN-----", file=True)])

    assert inputs.variables.public == {"CA": "/builds/group/project.tmp/CA"}


def test_an_entrypoint_gets_all_variables() -> None:
    """What may show stands in the configuration; the rest comes on stdin."""
    inputs = some_inputs(
        variables=[
            a_variable("FINE", "value"),
            a_variable("PRIVATE", "not public", public=False),
            a_variable("TOKEN_URL", f"https://x:{TOKEN}@host"),
            a_variable("CA", "-----BEGIN-----", file=True, public=False),
            # the last definition counts
            a_variable("TWICE", "first"),
            a_variable("TWICE", "second", masked=True),
        ],
        values={"ADMINISTRATORS": "of config.toml", "VAULTED": "a file", "CI_JOB_SERVICES": "[]"},
        secrets={"VAULTED": {"vault": {}}},
    )

    shown, hidden = build_environment(inputs.variables, None)

    assert shown == {"DOCKER_CONFIG": DOCKER_CONFIG, "FINE": "value"}
    assert {key: hidden[key] for key in hidden if key not in RUNNER_VALUES} == {
        "CI_JOB_TOKEN": TOKEN,
        "PRIVATE": "not public",
        "TOKEN_URL": f"https://x:{TOKEN}@host",
        "CA": "/builds/group/project.tmp/CA",
        "TWICE": "second",
        "ADMINISTRATORS": "of config.toml",
        "VAULTED": "/builds/group/project.tmp/VAULTED",
    }
    assert set(RUNNER_VALUES) < set(hidden)


def test_the_jobs_own_docker_variables_stay() -> None:
    """Ours are for jobs that have none, whether theirs are public or not."""
    inputs = some_inputs(
        variables=[
            a_variable("DOCKER_HOST", "tcp://elsewhere:2376"),
            a_variable("DOCKER_CERT_PATH", "/secret", public=False),
        ]
    )

    shown, hidden = build_environment(inputs.variables, Transport(tls=True, cert_dir="/certs"))

    assert shown["DOCKER_HOST"] == "tcp://elsewhere:2376"
    assert hidden["DOCKER_CERT_PATH"] == "/secret"
