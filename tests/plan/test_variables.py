"""Which variables each container gets, and which of them may show."""

from executor.plan.credentials import Catalogue, Entry
from executor.plan.transport import Transport
from executor.plan.variables import build_environment
from tests.builders import RUNNER_VALUES, TOKEN, a_login, a_service, a_variable, some_inputs


def test_a_services_variables_see_the_jobs() -> None:
    """Its own count first, then all of the job's; a raw one stays, a file one is a path."""
    inputs = some_inputs(
        services=[
            a_service(
                "redis:7",
                variables=[
                    a_variable("A", "$NAME-$B-$CA"),
                    a_variable("B", "own"),
                    a_variable("R", "$NAME", raw=True),
                ],
            )
        ],
        variables=[
            a_variable("NAME", "shop"),
            a_variable("B", "the job's"),
            a_variable("CA", "x", file=True),
        ],
    )

    (service,) = inputs.job.services
    assert inputs.variables.services_own(service) == {
        "A": "shop-own-/builds/group/project.tmp/CA",
        "B": "own",
        "R": "$NAME",
    }


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


def test_public_variables_stand_in_a_container() -> None:
    """Images that read their environment at start find them."""
    inputs = some_inputs(variables=[a_variable("A", "value")], values={"A": "expanded"})

    assert inputs.variables.public == {"A": "expanded"}


def test_no_secret_stands_in_a_container() -> None:
    """No secret shows by itself or inside a public variable."""
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
    """The last one's value counts, even one too short to be looked for."""
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
    """It is the path where the scripts put the file."""
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

    shown, hidden = build_environment(inputs.variables, {"DOCKER_HOST": "tcp://docker:2376"})

    assert shown == {"DOCKER_HOST": "tcp://docker:2376", "FINE": "value"}
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

    ours = Transport(tls=True, cert_dir="/certs").client_environment()
    shown, hidden = build_environment(inputs.variables, ours)

    assert shown["DOCKER_HOST"] == "tcp://elsewhere:2376"
    assert hidden["DOCKER_CERT_PATH"] == "/secret"
