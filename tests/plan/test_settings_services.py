"""`[[docker.services]]`: what the administrator gives to every job, beside what the job asks for."""

import pytest

from executor.errors import PolicyViolation, ServiceConflict, SettingsError
from executor.plan.images import plan_images
from executor.plan.sidecar import choose_sidecar
from executor.spec import ContainerSpec, Plan, Pull
from tests.builders import TOKEN, a_service, a_variable, some_inputs, some_settings
from tests.plans import DIND, OTHER, a_plan

CACHE = """
[[docker.services]]
name = "$CACHE_IMAGE"
alias = "cache, fast-$WHERE"
command = ["serve"]
entrypoint = ["sh", "-c"]
environment = ["SIZE=$HOW_MUCH", "PLAIN=a=b"]
"""
CACHE_VARIABLES = [
    a_variable("CACHE_IMAGE", "tools/cache:3"),
    a_variable("WHERE", "here"),
    a_variable("HOW_MUCH", "12 GB"),
]
DIND_SERVICE = """
[[docker.services]]
name = "registry.corp.example/docker:27-dind"
command = ["--debug"]
"""


def service(plan: Plan, number: int) -> ContainerSpec:
    """Return the service at a place in the whole list."""
    return next(each for each in plan.services if each.name.endswith(f"-service-{number}"))


def test_it_comes_before_the_jobs_own() -> None:
    """With the job's variables in name, alias and environment; command and entrypoint as they are."""
    plan = a_plan(
        some_inputs(settings=CACHE, variables=CACHE_VARIABLES, services=[a_service("postgres:16")])
    )

    cache = service(plan, 0)
    assert [each.image for each in plan.services] == ["tools/cache:3", "postgres:16"]
    assert cache.aliases == ("tools__cache", "tools-cache", "cache", "fast-here")
    assert (cache.entrypoint, cache.command) == (("sh", "-c"), ("serve",))
    assert (cache.environment["SIZE"], cache.environment["PLAIN"]) == ("12 GB", "a=b")


def test_its_entrypoint_is_not_the_jobs_to_lose() -> None:
    """The key that takes away what jobs ask for leaves alone what the administrator asks for."""
    inputs = some_inputs(
        settings=f"[docker]\ndisable_entrypoint_overwrite = true\n{CACHE}",
        variables=CACHE_VARIABLES,
        services=[a_service("postgres:16", entrypoint=["sh"])],
    )
    plan = a_plan(inputs)

    assert [each.entrypoint for each in plan.services] == [("sh", "-c"), None]
    assert plan_images(inputs).notices == ("WARNING: Entrypoint override disabled",)


def test_its_aliases_go_first() -> None:
    """The job's service loses a name that is taken, and is started all the same."""
    plan = a_plan(
        some_inputs(
            settings=CACHE,
            variables=CACHE_VARIABLES,
            services=[a_service("cache"), a_service("other", alias="cache")],
        )
    )

    assert [each.aliases for each in plan.services[1:]] == [(), ("other",)]
    assert plan.notices == tuple(
        f'WARNING: Skipping alias "cache" for service "{name}" (services[{place}]): alias is'
        " already in use by another service."
        for name, place in (("cache", 1), ("other", 2))
    )


@pytest.mark.parametrize(
    ("limit", "wanted", "admitted"),
    [(-1, 3, True), (0, 0, False), (1, 0, True), (1, 1, False), (2, 1, True), (2, 2, False)],
)
def test_it_counts(limit: int, wanted: int, *, admitted: bool) -> None:
    """Against `services_limit`, with the job's own."""
    inputs = some_inputs(
        settings=f"[docker]\nservices_limit = {limit}\n{CACHE}",
        variables=CACHE_VARIABLES,
        services=[a_service(f"service-{each}") for each in range(wanted)],
    )

    if admitted:
        assert len(plan_images(inputs).services) == wanted + 1
    else:
        with pytest.raises(PolicyViolation, match=f"requested: {wanted + 1}, only {limit} allowed"):
            plan_images(inputs)


@pytest.mark.parametrize(
    ("name", "admitted"),
    [("tools/cache:3", True), ("tools/cache:4", False), ("allowed/any:1", True), ("x", False)],
)
def test_it_is_exempt_from_the_allow_list(name: str, *, admitted: bool) -> None:
    """And so is a job's service of exactly the same image."""
    inputs = some_inputs(
        settings='[docker]\nallowed_services = ["allowed/*:*"]\n'
        '[[docker.services]]\nname = "tools/cache:3"',
        services=[a_service(name)],
    )

    if admitted:
        assert plan_images(inputs).services[0].image == "tools/cache:3"
    else:
        with pytest.raises(PolicyViolation, match="not present on list of allowed services"):
            plan_images(inputs)


@pytest.mark.parametrize(("pattern", "admitted"), [("allowed/*:*", False), ("tools/*:*", True)])
def test_one_that_the_jobs_variables_name_is_not(pattern: str, *, admitted: bool) -> None:
    """No variable of a job may decide what the administrator's list admits."""
    inputs = some_inputs(
        settings=f'[docker]\nallowed_services = ["{pattern}"]\n{CACHE}', variables=CACHE_VARIABLES
    )

    if admitted:
        assert plan_images(inputs).services[0].image == "tools/cache:3"
    else:
        with pytest.raises(PolicyViolation, match="not present on list of allowed services"):
            plan_images(inputs)


@pytest.mark.parametrize("name", ["kali:1", "docker.io/library/kali:1"])
def test_an_exclusion_keeps_a_service_out(name: str) -> None:
    """However it is spelled, and though another pattern admits it."""
    inputs = some_inputs(
        settings='[docker]\nallowed_services = ["**", "!kali:*"]', services=[a_service(name)]
    )

    with pytest.raises(PolicyViolation, match="not present on list of allowed services"):
        plan_images(inputs)


@pytest.mark.parametrize("mode", ["always", "service"])
def test_the_administrators_dind_is_every_jobs_sidecar(mode: str) -> None:
    """With its own image and arguments, whatever `[dind] allowed_images` says of authors."""
    settings = f'[dind]\nmode = "{mode}"\nallowed_images = ["nothing"]\n{DIND_SERVICE}'
    plan = a_plan(some_inputs(settings=settings))

    assert plan.dind
    assert plan.dind.image == "registry.corp.example/docker:27-dind"
    assert plan.dind.command[-1] == "--debug"
    assert plan.dind.aliases[0] == "docker"
    assert plan.services == ()


def test_a_variable_admits_no_dind() -> None:
    """Whoever chooses a privileged image has the host, and a job chooses its variables."""
    settings = '[[docker.services]]\nname = "$ENGINE"'
    variables = [a_variable("ENGINE", "evil.example/my-dind:1")]
    services = [a_service("docker:dind", alias="builder")]
    plan = a_plan(some_inputs(settings=settings, variables=variables, services=services))

    assert plan.dind
    assert (plan.dind.image, plan.services) == ("docker:28-dind", ())
    assert "builder" in plan.dind.aliases
    assert 'not allow the dind image "evil.example/my-dind:1"' in plan.notices[0]


def test_the_administrators_dind_stands_for_the_jobs_own() -> None:
    """Whose image is not even pulled; the names of both lead to it, and the author is told."""
    inputs = some_inputs(
        settings=DIND_SERVICE,
        services=[
            a_service(
                "docker:20.10.16-dind",
                alias="builder",
                variables=[a_variable("DOCKER_TLS_CERTDIR", "")],
            )
        ],
    )
    plan = a_plan(inputs)

    assert {each.image for each in plan_images(inputs).services} == {
        "registry.corp.example/docker:27-dind"
    }
    assert plan.dind
    assert plan.dind.image == "registry.corp.example/docker:27-dind"
    assert {"docker", "builder", "registry.corp.example-docker"} <= set(plan.dind.aliases)
    assert plan.dind.environment["DOCKER_TLS_CERTDIR"] == ""
    assert "".join(plan.notices) == (
        'WARNING: Skipping service "docker:20.10.16-dind": this runner\'s own Docker-in-Docker'
        ' service "registry.corp.example/docker:27-dind" runs in its place and answers to its'
        " names."
    )


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (DIND_SERVICE * 2, "keep one of them"),
        ('[[docker.services]]\nname = "redis"\nalias = "docker"', "give it another name"),
        ('[[docker.services]]\nname = "$NOTHING"', "invalid service image name"),
    ],
)
def test_a_mistake_of_the_administrators(settings: str, sentence: str) -> None:
    """It is not the author's failure."""
    with pytest.raises(SettingsError, match=sentence) as caught:
        a_plan(some_inputs(settings=settings))

    assert str(caught.value).startswith("`[[docker.services]]`")


def test_a_conflict_of_the_jobs_stays_the_jobs() -> None:
    """An administrator's service that is no dind changes nothing about it."""
    inputs = some_inputs(
        settings=CACHE,
        variables=CACHE_VARIABLES,
        services=[a_service("docker:dind"), a_service("docker:26-dind")],
    )
    facts = {
        Pull("tools/cache:3"): OTHER,
        Pull("docker:dind"): DIND,
        Pull("docker:26-dind"): DIND,
    }

    with pytest.raises(ServiceConflict, match='"docker:dind" and "docker:26-dind" are both'):
        choose_sidecar(inputs, plan_images(inputs), facts)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ('alias = "db"', "docker.services[0]: it has no name"),
        ('name = "a"\nenvironment = ["secret-thing"]', "environment[0]: a variable must be"),
        ('name = "a"\nenvironment = ["1=secret-thing"]', "environment[0]: '1' is not the name"),
        ('name = "a"\nalas = "b"', "docker.services[0].alas: unknown key; did you mean alias?"),
    ],
)
def test_a_mistake_in_the_file(line: str, sentence: str) -> None:
    """Named by its place; a variable's value is not repeated."""
    with pytest.raises(SettingsError) as caught:
        some_settings(f"[[docker.services]]\n{line}")

    assert sentence in str(caught.value)
    assert "secret-thing" not in str(caught.value)


def test_what_a_service_gets_of_the_variables() -> None:
    """Public ones of runner and job, and its own, which may refer to any; secrets stay hidden."""
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


@pytest.mark.parametrize(("alias", "expected"), [("db", ("build",)), ("build", ())])
def test_the_build_container_is_called_build(alias: str, expected: tuple[str, ...]) -> None:
    """Unless a service is."""
    plan = a_plan(some_inputs(services=[a_service("postgres:16", alias=alias)]))

    assert plan.build.aliases == expected
