"""The containers of a job, but for what they may use of the host."""

import pytest

from executor.engine.container_request import container_request
from executor.spec import ImageFacts
from tests.builders import TOKEN, a_service, a_variable, some_inputs
from tests.plans import a_plan, dind_of, everything


def test_the_hostname() -> None:
    """Build and helper container have that of the settings, else gitlab-runner's, dind its alias."""
    plan = everything()

    assert (plan.build.hostname, plan.helper.hostname) == ("builder", "builder")
    assert {each.hostname for each in plan.services} == {""}
    assert dind_of(plan).hostname == "docker"


def test_labels_of_containers() -> None:
    """Every container and nothing else carries them, expanded; services carry them twice."""
    plan = everything()

    name = "com.example.team"
    services = (*plan.services, dind_of(plan))
    containers = (plan.build, plan.helper, *services)
    assert {each.labels[name] for each in containers} == {"blue"}
    again = f"com.gitlab.gitlab-runner.{name}"
    assert {each.labels.get(again) for each in services} == {"blue"}
    assert {each.labels.get(again) for each in (plan.build, plan.helper)} == {None}
    assert name not in plan.network.labels


def test_a_label_never_takes_the_place_of_ours() -> None:
    """Our labels win, as tools and cleanup know by them what is whose."""
    settings = "docker.container_labels = { 'com.gitlab.gitlab-runner.job.id' = '1' }"

    plan = a_plan(some_inputs(settings=settings))

    assert plan.build.labels["com.gitlab.gitlab-runner.job.id"] == "4711"


def test_a_label_with_a_secret_is_left_out() -> None:
    """Everyone who may talk to the engine reads labels."""
    inputs = some_inputs(
        settings="docker.container_labels = { a = 'x-$KEY', b = '$TEAM' }",
        variables=[
            a_variable("KEY", "a-secret-key", public=False, masked=True),
            a_variable("TEAM", "blue"),
        ],
    )

    plan = a_plan(inputs)

    assert "a" not in plan.build.labels
    assert plan.build.labels["b"] == "blue"
    assert plan.notices == (
        (
            'WARNING: The label "a" is not set, because its value contains a secret of the job.'
            " Change it in `[docker] container_labels`."
        ),
    )


def test_log_options() -> None:
    """They go to logs that the engine keeps; it keeps none of scripts."""
    plan = everything()

    facts = ImageFacts("sha256:0")
    configs = [
        container_request(each, facts)["HostConfig"]["LogConfig"]  # type: ignore[index]
        for each in (plan.build, plan.helper, plan.services[0], dind_of(plan))
    ]
    kept = {
        "Type": "json-file",
        "Config": {"max-size": "10m", "max-file": "2", "labels": "com.example.team", "env": "TEAM"},
    }
    assert configs == [{"Type": "none"}, {"Type": "none"}, kept, kept]


@pytest.mark.parametrize(
    ("api", "of_endpoint"), [((1, 41), False), ((1, 43), False), ((1, 44), True)]
)
def test_the_mac_address(api: tuple[int, ...], of_endpoint: bool) -> None:  # noqa: FBT001
    """The build container alone has it, as two on a network may not share one."""
    plan = everything()

    inputs = container_request(plan.build, ImageFacts("sha256:0"), api)
    endpoints = inputs["NetworkingConfig"]["EndpointsConfig"]  # type: ignore[index]
    places = [inputs, endpoints[plan.network.name]]
    assert ["MacAddress" in each for each in places] == [not of_endpoint, of_endpoint]
    assert {each.mac_address for each in (plan.helper, *plan.services, dind_of(plan))} == {""}


def test_what_a_service_gets_of_the_variables() -> None:
    """It gets public ones of runner and job, and its own, which may refer to any."""
    inputs = some_inputs(
        variables=[
            a_variable("PUBLIC", "seen"),
            a_variable("NOTES", "content", file=True),
            a_variable("PRIVATE", "hidden-value", public=False),
        ],
        values={
            "CI_PROJECT_DIR": "/builds/group/project",
            "HTTP_PROXY": "http://proxy.corp.example:3128",
            "CI_SERVER_TLS_CA_FILE": "-----BEGIN CERTIFICATE-----",
            "DOCKER_AUTH_CONFIG": "{}",
            "FF_TIMESTAMPS": "true",
            "CI_JOB_SERVICES": "[]",
        },
        services=[
            a_service(
                "postgres:16",
                variables=[a_variable("A", "$PUBLIC"), a_variable("B", "x-$PRIVATE")],
            )
        ],
    )

    (spec,) = a_plan(inputs).services

    shown, hidden = spec.environment, spec.secret_environment
    assert (shown["PUBLIC"], shown["A"]) == ("seen", "seen")
    assert shown["NOTES"] == "/builds/group/project.tmp/NOTES"
    assert shown["CI_PROJECT_DIR"] == "/builds/group/project"
    assert shown["HTTP_PROXY"] == "http://proxy.corp.example:3128"
    assert shown["CI_SERVER_TLS_CA_FILE"] == "/builds/group/project.tmp/CI_SERVER_TLS_CA_FILE"
    assert hidden == {"B": "x-hidden-value"}
    absent = {"PRIVATE", "CI_JOB_TOKEN", "DOCKER_AUTH_CONFIG", "FF_TIMESTAMPS", "CI_JOB_SERVICES"}
    assert absent.isdisjoint(shown)
    assert TOKEN not in repr(list(shown.values()))
