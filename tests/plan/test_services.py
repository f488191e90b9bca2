"""What counts as dind, who owns which name, and how the job talks to the sidecar."""

import pytest

from executor.errors import ServiceConflict, SettingsError, UnsupportedJobOption
from executor.notation.service_names import ServiceName
from executor.plan.images import plan_images
from executor.plan.services import (
    NamedService,
    find_dinds,
    free_aliases,
    is_dind,
    looks_like_dind,
    name_services,
    named_docker,
    shown_services,
)
from executor.spec import ImageFacts
from tests.builders import a_job, a_service, some_inputs
from tests.plans import CACHE, CACHE_VARIABLES, DIND_SERVICE, a_plan, service

SERVICES = [a_service("postgres:16", alias="db"), a_service("docker:dind"), a_service("postgres:9")]


DIND = ImageFacts(
    "sha256:1", ("dockerd-entrypoint.sh",), (), ("2375/tcp", "2376/tcp"), ("/var/lib/docker",)
)
CLIENT = ImageFacts("sha256:2", ("docker-entrypoint.sh",), ("sh",))
DATABASE = ImageFacts("sha256:3", ("postgres",), (), ("5432/tcp",), ("/var/lib/postgresql",))


def named(services: list[dict[str, object]], internal: int = 0) -> tuple[NamedService, ...]:
    """Return services by their payload; the first ones may be the administrator's."""
    return name_services(a_job(services=services).services, internal)


@pytest.mark.parametrize(
    ("service", "aliases"),
    [
        (a_service("docker:dind"), ("docker",)),
        (a_service("docker:dind", alias="docker"), ("docker",)),
        (a_service("docker:dind", alias="engine, other"), ("docker", "engine", "other")),
        (
            a_service("registry.example.com:5000/group/docker:1"),
            ("registry.example.com__group__docker", "registry.example.com-group-docker"),
        ),
        (a_service("a/b", alias="a__b x\tx"), ("a__b", "a-b", "x")),
    ],
)
def test_aliases(service: dict[str, object], aliases: tuple[str, ...]) -> None:
    """Those of the image's name come first, the author's follow, each once."""
    (found,) = named([service])

    assert found.aliases == aliases


@pytest.mark.parametrize("name", ["", "Docker:dind", "a:b:c", "-", "https://docker:dind"])
def test_a_service_without_a_name(name: str) -> None:
    """The sentence says which of the services it is."""
    with pytest.raises(UnsupportedJobOption, match=r"^services\[1\]: invalid service image name"):
        named([a_service("docker:dind"), a_service(name)])


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("docker:dind", True),
        ("docker:20.10.16-dind", True),
        ("docker:27-dind-rootless", True),
        ("registry:5000/group/project/docker:20.10.16-dind", True),
        ("gitlab.com:443/group/dependency_proxy/containers/docker:18.09.7-dind", True),
        ("registry/my-dind:1", True),
        ("registry/dind", True),
        ("docker", False),
        ("docker:20.10.16", False),
        ("docker@sha256:" + "a" * 64, False),
        ("postgres:dind", False),
        ("registry/dind/postgres:1", False),
    ],
)
def test_names_that_look_like_dind(name: str, *, expected: bool) -> None:
    """The name is a first guess before the image is there."""
    assert looks_like_dind(ServiceName.parse(name)) is expected


@pytest.mark.parametrize(
    ("name", "facts", "expected"),
    [
        # by what it is, whatever it is called
        ("registry/engine:1", DIND, True),
        ("registry/engine:1", ImageFacts("i", ("dockerd",)), True),
        ("registry/engine:1", ImageFacts("i", ("/usr/local/bin/dockerd-entrypoint.sh",)), True),
        ("r/e:1", ImageFacts("i", ("tini", "--", "dockerd-entrypoint.sh")), True),
        ("r/e:1", ImageFacts("i", ("run",), (), ("2376/tcp",), ("/var/lib/docker",)), True),
        (
            "r/e:1",
            ImageFacts("i", ("run",), (), ("2375",), ("/home/rootless/.local/share/docker",)),
            True,
        ),
        ("r/e:1", ImageFacts("i", ("run",), (), ("2376/tcp",)), False),
        ("r/e:1", ImageFacts("i", ("run",), (), ("8080/tcp",), ("/var/lib/docker",)), False),
        ("docker:20.10.16", CLIENT, False),
        ("postgres:16", DATABASE, False),
        # by its name where the image says nothing
        ("docker:dind", ImageFacts("i"), True),
        ("r/dind-rootless:1", ImageFacts("i"), True),
        ("r/findindex:1", ImageFacts("i"), False),
    ],
)
def test_what_is_dind(name: str, facts: ImageFacts, *, expected: bool) -> None:
    """The image's entrypoint tells, or its ports and volumes, or else its name."""
    assert is_dind(ServiceName.parse(name), facts) is expected


def test_no_service_is_no_dind() -> None:
    """Without a dind service the sidecar is the administrator's."""
    assert find_dinds((), ()) == ()


def test_the_jobs_dind_among_other_services() -> None:
    """It is found wherever it stands in the list."""
    services = named([a_service("postgres:16"), a_service("r/engine:1")])

    found = find_dinds(services, (DATABASE, DIND))

    assert found == (services[1],)


def test_two_dinds() -> None:
    """The message names both; the last one never wins silently."""
    services = named([a_service("docker:dind"), a_service("r/engine:1")])

    with pytest.raises(ServiceConflict) as caught:
        find_dinds(services, (DIND, DIND))

    assert '"docker:dind" and "r/engine:1"' in str(caught.value)
    assert "keep one of them" in str(caught.value)


@pytest.mark.parametrize(
    "service",
    [
        a_service("docker:20.10.16"),
        a_service("postgres:16", alias="db docker"),
        a_service("postgres:16", alias="DOCKER"),
    ],
)
def test_a_service_that_claims_the_name_docker(service: dict[str, object]) -> None:
    """It is refused beside dind, as the job could not reach its daemon; alone, it keeps its name."""
    alone = named([service])
    assert find_dinds(alone, (DATABASE,)) == ()
    assert named_docker(alone) == alone[0]

    with pytest.raises(ServiceConflict, match='uses the name "docker"') as caught:
        find_dinds(named([service, a_service("docker:dind")]), (DATABASE, DIND))

    assert str(service["name"]) in str(caught.value)


def test_an_alias_belongs_to_the_first_who_claims_it() -> None:
    """The others keep their own, and the author reads which were skipped."""
    services = named([a_service("a/b", alias="x"), a_service("c", alias="x a-b"), a_service("c")])

    given, notices = free_aliases(services, {"docker"})

    assert [aliases for _, aliases in given] == [("a__b", "a-b", "x"), ("c",), ()]
    assert notices == [
        f'WARNING: Skipping alias "{alias}" for service "c" ({place}): alias is already in use by'
        " another service."
        for alias, place in (("x", "services[1]"), ("a-b", "services[1]"), ("c", "services[2]"))
    ]


def shown(value: str, *, with_dind: bool = False, settings: str = "") -> list[str]:
    """Return what is shown, by the end of its container's name and its label."""
    values = {"CI_DEBUG_SERVICES": value}
    inputs = some_inputs(services=SERVICES, values=values, settings=settings)
    found = shown_services(inputs.values, inputs.settings, a_plan(inputs), with_dind=with_dind)
    return [f"{name.partition('0123456789-')[2]} {label}" for name, label in found]


@pytest.mark.parametrize("value", ["true", "True", "TRUE", "t", "T", "1"])
def test_what_gitlab_runner_takes_for_true(value: str) -> None:
    """All names of a service stand in front of its lines; without a name its image's does."""
    assert shown(value) == ["service-0 postgres-db", "service-2 postgres:9"]


@pytest.mark.parametrize("value", ["", "false", "yes", "tRUE", "0", "2"])
def test_what_is_not_true(value: str) -> None:
    """Any other value shows nothing; gitlab-runner warns by itself of what is neither."""
    assert shown(value) == []


def test_a_sidecar_that_is_a_service() -> None:
    """The sidecar's log shows where it is one of the job's services."""
    assert shown("true", with_dind=True)[-1] == "dind docker"


def test_an_administrator_who_turns_logs_of_services_off() -> None:
    """`debug_trace_disabled` hides them, as it does in config.toml."""
    assert shown("true", settings="debug_trace_disabled = true") == []


def test_it_comes_before_the_jobs_own() -> None:
    """The job's variables stand in its name, alias and environment; command and entrypoint stay."""
    plan = a_plan(
        some_inputs(settings=CACHE, variables=CACHE_VARIABLES, services=[a_service("postgres:16")])
    )

    cache = service(plan, 0)
    assert [each.image for each in plan.services] == ["tools/cache:3", "postgres:16"]
    assert cache.aliases == ("tools__cache", "tools-cache", "cache", "fast-here")
    assert (cache.entrypoint, cache.command) == (("sh", "-c"), ("serve",))
    assert (cache.environment["SIZE"], cache.environment["PLAIN"]) == ("12 GB", "a=b")


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
    ("settings", "sentence"),
    [
        (DIND_SERVICE * 2, "keep one of them"),
        (
            f'{DIND_SERVICE}[[docker.services]]\nname = "redis"\nalias = "docker"',
            "Give it another alias",
        ),
        ('[[docker.services]]\nname = "$NOTHING"', "invalid service image name"),
    ],
)
def test_a_mistake_of_the_administrators(settings: str, sentence: str) -> None:
    """The job fails as the runner's failure, not as the author's."""
    with pytest.raises(SettingsError, match=sentence) as caught:
        a_plan(some_inputs(settings=settings))

    assert str(caught.value).startswith("`[[docker.services]]`")


def test_more_services_than_any_job_has() -> None:
    """Each would be a container and a thread."""
    with pytest.raises(UnsupportedJobOption, match="The job has 201 services"):
        named([a_service("postgres")] * 201)


def test_an_alias_of_any_length() -> None:
    """It is refused before it is split."""
    with pytest.raises(
        UnsupportedJobOption, match="`alias` of more than 1024 characters"
    ) as raised:
        named([a_service("postgres", alias="a," * 1_000_000)])
    assert len(str(raised.value)) < 300


@pytest.mark.parametrize("key", ["command", "entrypoint"])
def test_a_command_of_any_length(key: str) -> None:
    """No program could get it, and the engine would show it wherever it lists containers."""
    long = ["x" * 1000] * 200
    changes: dict[str, object] = {key: long}

    with pytest.raises(UnsupportedJobOption, match="`command` of more than 128 KiB"):
        named([a_service("postgres", **changes)])
    with pytest.raises(UnsupportedJobOption, match="The job's image has an `entrypoint`"):
        plan_images(some_inputs(image=a_service("alpine", **changes)))
