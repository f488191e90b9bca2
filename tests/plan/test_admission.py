"""The user that scripts run as."""

import pytest

from executor.errors import (
    PolicyViolation,
)
from executor.plan.admission import admit_transport
from executor.plan.images import plan_images
from executor.plan.inputs import Inputs
from executor.plan.transport import Transport, transport
from tests.builders import (
    a_service,
    a_variable,
    some_inputs,
    some_settings,
)
from tests.plans import (
    CACHE,
    CACHE_VARIABLES,
    a_plan,
    dind_of,
    planned,
)

ADMITTING = '[docker]\nallowed_images = ["ruby:*", "team/**"]\nallowed_services = ["postgres:*"]'


def _inputs(runner: str, job: str, allowed: list[str] | None) -> Inputs:
    return some_inputs(
        image=a_service("alpine", executor_opts={"docker": {"user": job, "platform": ""}}),
        variables=[a_variable("WHO", "baba")],
        settings=f'[docker]\nuser = "{runner}"\nallowed_users = {allowed or []}'.replace("'", '"'),
    )


@pytest.mark.parametrize(
    ("allowed", "runner", "job", "expected"),
    [
        ([], "", "", ""),
        ([], "baba", "", "baba"),
        ([], "", "baba", "baba"),
        ([], "baba", "yaga", "baba"),
        (["baba"], "", "", ""),
        (["baba"], "baba", "", "baba"),
        (["baba"], "", "baba", "baba"),
        (["baba"], "baba", "yaga", "baba"),
        (["baba"], "", "$WHO", "baba"),
        (["1000:1000"], "", "1000:1000", "1000:1000"),
    ],
)
def test_the_administrators_user_goes_first(
    allowed: list[str], runner: str, job: str, expected: str
) -> None:
    """The user of the settings comes first, then the job's; without a list anyone is admitted."""
    inputs = _inputs(runner, job, allowed)

    assert a_plan(inputs).build.user == expected


@pytest.mark.parametrize(
    ("allowed", "runner", "job", "refused"),
    [
        (["yaga"], "baba", "", "baba"),
        (["yaga"], "", "baba", "baba"),
        (["blammo"], "baba", "yaga", "baba"),
        (["yaga", "root"], "", "$WHO", "baba"),
    ],
)
def test_a_user_who_is_not_allowed(allowed: list[str], runner: str, job: str, refused: str) -> None:
    """The author reads it before anything is pulled, in gitlab-runner's words."""
    inputs = _inputs(runner, job, allowed)

    with pytest.raises(PolicyViolation) as caught:
        plan_images(inputs)

    assert str(caught.value) == (f'user "{refused}" is not an allowed user: [{" ".join(allowed)}].')


@pytest.mark.parametrize(
    ("values", "culprit"),
    [
        ({"DOCKER_TLS_CERTDIR": ""}, 'DOCKER_TLS_CERTDIR to ""'),
        ({"DOCKER_HOST": "tcp://docker:2375"}, "DOCKER_HOST to tcp://docker:2375"),
    ],
)
def test_plain_tcp_that_is_not_admitted(values: dict[str, str], culprit: str) -> None:
    """The sentence names the variable and the setting."""
    with pytest.raises(PolicyViolation) as caught:
        admit_transport(
            transport(values, {}), some_settings("[dind]\nallow_plain_tcp = false").dind
        )

    assert culprit in str(caught.value)
    assert "allow_plain_tcp" in str(caught.value)


@pytest.mark.parametrize("tls_job", [{}, {"DOCKER_TLS_CERTDIR": "/certs"}])
def test_tls_is_always_admitted(tls_job: dict[str, str]) -> None:
    """A runner that forbids plain TCP admits TLS, asked for or not."""
    way = transport(tls_job, {})
    admit_transport(way, some_settings("[dind]\nallow_plain_tcp = false").dind)
    assert way == Transport(tls=True, cert_dir="/certs")


@pytest.mark.parametrize("image", ["ruby:3", "team/a/b:1"])
def test_an_image_that_is_admitted(image: str) -> None:
    """A pattern of the list admits the image."""
    assert plan_images(some_inputs(image=a_service(image), settings=ADMITTING)).build.image == image


def test_an_image_that_is_not_admitted() -> None:
    """The sentence has gitlab-runner's words, the list, and what to do."""
    with pytest.raises(PolicyViolation) as caught:
        plan_images(some_inputs(image=a_service("alpine:3"), settings=ADMITTING))

    assert str(caught.value) == (
        'The "alpine:3" image is not present on list of allowed images:\n'
        "- ruby:*\n- team/**\n"
        "Use an image from this list, or ask the administrator to add yours to `[docker]"
        " allowed_images`."
    )


def test_a_service_that_is_not_admitted() -> None:
    """Services have a list of their own and the same sentence."""
    inputs = some_inputs(
        image=a_service("ruby:3"), services=[a_service("mysql:8")], settings=ADMITTING
    )

    with pytest.raises(
        PolicyViolation, match='"mysql:8" image is not present on list of allowed services:'
    ):
        plan_images(inputs)


def test_the_administrators_own_image_is_always_admitted() -> None:
    """A default image need not be on the list."""
    settings = ADMITTING.replace("[docker]", '[docker]\nimage = "alpine:3"')

    assert (
        plan_images(some_inputs(image=a_service(""), settings=settings)).build.image == "alpine:3"
    )
    named = plan_images(some_inputs(image=a_service("alpine:3"), settings=settings))
    assert named.build.image == "alpine:3"


@pytest.mark.parametrize(("image", "admitted"), [("alpine:3", False), ("ruby:3", True)])
def test_a_default_image_by_a_variable_is_not(image: str, *, admitted: bool) -> None:
    """The job chooses it as much as the administrator, so the list has its say."""
    inputs = some_inputs(
        image=a_service(""),
        settings=ADMITTING.replace("[docker]", '[docker]\nimage = "$ANY"'),
        variables=[a_variable("ANY", image)],
    )

    if admitted:
        assert plan_images(inputs).build.image == image
    else:
        with pytest.raises(PolicyViolation, match="not present on list of allowed images"):
            plan_images(inputs)


@pytest.mark.parametrize("bare", ["sha256:" + "a" * 64, "a" * 64])
def test_the_id_of_a_local_image(bare: str) -> None:
    """It names no registry that could be asked, and would go around the allow-lists."""
    with pytest.raises(PolicyViolation, match="is an image id"):
        plan_images(some_inputs(image=a_service(bare)))


@pytest.mark.parametrize(("limit", "admitted"), [(-1, True), (2, True), (1, False), (0, False)])
def test_the_number_of_services(limit: int, *, admitted: bool) -> None:
    """Too many services are refused in gitlab-runner's words."""
    inputs = some_inputs(
        services=[a_service("redis:7"), a_service("postgres:16")],
        settings=f"[docker]\nservices_limit = {limit}",
    )

    if admitted:
        assert len(plan_images(inputs).services) == 2
    else:
        with pytest.raises(PolicyViolation, match=f"too many services requested: 2, only {limit}"):
            plan_images(inputs)


def test_an_administrator_who_forbids_plain_tcp_forbids_nothing_else() -> None:
    """A job without a sidecar may say what it likes of TLS."""
    inputs = some_inputs(
        variables=[a_variable("DOCKER_TLS_CERTDIR", "")],
        settings='[dind]\nmode = "service"\nallow_plain_tcp = false',
    )

    assert planned(inputs)


@pytest.mark.parametrize(
    ("settings", "image", "privileged"),
    [
        ("", "ruby:3", False),
        ("privileged = true", "ruby:3", True),
        ("privileged = true\nallowed_privileged_images = ['ruby:*']", "ruby:3", True),
        ("privileged = true\nallowed_privileged_images = ['ruby:*']", "perl:5", False),
        ("privileged = true\nallowed_privileged_images = ['**', '!perl:*']", "perl:5", False),
        ("allowed_privileged_images = ['ruby:*']", "ruby:3", False),
        ("image = 'ruby:3'\nprivileged = true\nallowed_privileged_images = ['ruby:*']", "", True),
        ("services_privileged = true", "ruby:3", False),
    ],
)
def test_privileged_build_containers(settings: str, image: str, privileged: bool) -> None:  # noqa: FBT001
    """`privileged` and patterns over the image's name decide; the helper is never privileged."""
    plan = a_plan(some_inputs(settings=f"[docker]\n{settings}", image=a_service(image)))

    assert plan.build.privileged is privileged
    assert not plan.helper.privileged


@pytest.mark.parametrize(
    ("name", "privileged"),
    [("corp/builder$TO", False), ("corp/builder-$LAST", True), ("$EVIL", False)],
)
def test_a_name_with_variables_is_judged_by_what_it_becomes(name: str, *, privileged: bool) -> None:
    """The patterns see the image that runs."""
    variables = [
        a_variable("TO", "-evil/image"),
        a_variable("LAST", "go:1"),
        a_variable("EVIL", "perl:5"),
    ]
    settings = "[docker]\nprivileged = true\nallowed_privileged_images = ['corp/*', '!perl:*']"
    plan = a_plan(some_inputs(settings=settings, image=a_service(name), variables=variables))

    assert plan.build.privileged is privileged


@pytest.mark.parametrize(
    ("settings", "privileged"),
    [
        ("", False),
        ("privileged = true", True),
        ("privileged = true\nservices_privileged = false", False),
        ("services_privileged = true", True),
        ("services_privileged = true\nallowed_privileged_services = ['postgres:*']", True),
        ("services_privileged = true\nallowed_privileged_services = ['mysql:*']", False),
        (
            "services_privileged = true\nallowed_privileged_services = ['**', '!postgres:*']",
            False,
        ),
        ("privileged = true\nallowed_privileged_services = ['mysql:*']", False),
        ("privileged = true\nallowed_privileged_images = ['mysql:*']", True),
    ],
)
def test_privileged_services(settings: str, privileged: bool) -> None:  # noqa: FBT001
    """`services_privileged`, else `privileged`, and patterns decide; the sidecar has its own key."""
    inputs = some_inputs(settings=f"[docker]\n{settings}", services=[a_service("postgres:16")])

    plan = a_plan(inputs)

    assert plan.services[0].privileged is privileged
    assert dind_of(plan).privileged


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


@pytest.mark.parametrize(
    ("limit", "wanted", "admitted"),
    [(-1, 3, True), (0, 0, False), (1, 0, True), (1, 1, False), (2, 1, True), (2, 2, False)],
)
def test_it_counts(limit: int, wanted: int, *, admitted: bool) -> None:
    """A service of the settings counts against `services_limit` as the job's own do."""
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
    """The list does not ask for it, nor for a job's service of exactly the same image."""
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
    """An exclusion counts however the image is spelled and whatever else admits it."""
    inputs = some_inputs(
        settings='[docker]\nallowed_services = ["**", "!kali:*"]', services=[a_service(name)]
    )

    with pytest.raises(PolicyViolation, match="not present on list of allowed services"):
        plan_images(inputs)
