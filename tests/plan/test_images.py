"""Which images a job gets, and which helper goes with them."""

import pytest

from executor.errors import (
    SettingsError,
    UnsupportedJobOption,
)
from executor.plan.images import for_architecture, helper_for, plan_images
from executor.spec import Pull
from tests.builders import a_service, a_variable, some_inputs
from tests.limited import limited


@pytest.mark.parametrize(
    ("image", "settings", "pull"),
    [
        ("alpine", "", "alpine:latest"),
        ("alpine:3", "", "alpine:3"),
        ("r:5000/a/b", "", "r:5000/a/b:latest"),
        ("a@sha256:" + "a" * 64, "", "a@sha256:" + "a" * 64),
        ("", '[docker]\nimage = "ruby:3"', "ruby:3"),
        ("$UNKNOWN", '[docker]\nimage = "ruby:3"', "ruby:3"),
        ("", '[docker]\nimage = "registry/$TEAM:1"', "registry/blue:1"),
        ("alpine:3", '[docker]\nimage = "ruby:3"', "alpine:3"),
    ],
)
def test_the_build_image(image: str, settings: str, pull: str) -> None:
    """The job's image counts, else that of the settings with the job's variables in it."""
    inputs = some_inputs(
        image=a_service(image), settings=settings, variables=[a_variable("TEAM", "blue")]
    )

    assert plan_images(inputs).build == Pull(pull)


def test_the_default_image_is_said() -> None:
    """The job log says it in gitlab-runner's words."""
    inputs = some_inputs(image=a_service(""), settings='[docker]\nimage = "ruby:3"')

    assert plan_images(inputs).notices == ("Using default image",)


@pytest.mark.parametrize("image", ["", "$UNKNOWN"])
def test_no_image_at_all(image: str) -> None:
    """The sentence names what author and administrator can each do."""
    with pytest.raises(UnsupportedJobOption, match=r"Add `image:` .*`\[docker\] image`"):
        plan_images(some_inputs(image=a_service(image)))


@pytest.mark.parametrize("image", ["Alpine:3", "a b", "https://registry/a", "a:"])
def test_an_image_that_is_no_name(image: str) -> None:
    """The author is told that the name is not valid."""
    with pytest.raises(UnsupportedJobOption, match="invalid image name"):
        plan_images(some_inputs(image=a_service(image)))


def test_variables_in_images_and_allow_lists() -> None:
    """The lists see what the job gets, and its dind service is the sidecar all the same."""
    inputs = some_inputs(
        image=a_service("$REGISTRY/group/app:$VERSION"),
        services=[a_service("registry.example.com/docker:27-dind", alias="docker")],
        variables=[
            a_variable("REGISTRY", "registry.example.com"),
            a_variable("VERSION", "$MAJOR.1"),
            a_variable("MAJOR", "2"),
        ],
        values={"VERSION": "2.1"},
        settings="""
[docker]
allowed_images = ["registry.example.com/**"]
allowed_services = ["**/docker:*-dind"]
""",
    )

    images = plan_images(inputs)

    assert images.build.image == "registry.example.com/group/app:2.1"
    assert images.services == (Pull("registry.example.com/docker:27-dind"),)
    assert images.default_dind is None


@pytest.mark.parametrize(
    ("flavor", "tag"),
    [
        ("", "x86_64-v17.9.0"),
        ("alpine", "x86_64-v17.9.0"),
        ("ubuntu", "ubuntu-x86_64-v17.9.0"),
        ("$FLAVOR", "alpine3.21-x86_64-v17.9.0"),
    ],
)
def test_the_flavor_of_the_runners_helper(flavor: str, tag: str) -> None:
    """The tag is that of gitlab-runner's images; variables are expanded."""
    inputs = some_inputs(
        settings=f'[docker]\nhelper_image_flavor = "{flavor}"',
        variables=[a_variable("FLAVOR", "alpine3.21")],
    )

    image = helper_for(plan_images(inputs).helper, "amd64")

    assert image == f"registry.gitlab.com/gitlab-org/gitlab-runner/gitlab-runner-helper:{tag}"


@pytest.mark.parametrize(
    ("flavor", "architecture", "archive"),
    [
        ("", "amd64", "prebuilt-alpine-x86_64"),
        ("alpine", "arm64", "prebuilt-alpine-arm64"),
        ("$FLAVOR", "s390x", "prebuilt-ubuntu-s390x"),
    ],
)
def test_the_archive_of_the_runners_helper(flavor: str, architecture: str, archive: str) -> None:
    """The name is that of gitlab-runner's packages, which is not quite the image's tag."""
    inputs = some_inputs(
        settings=f'[docker]\nhelper_image_flavor = "{flavor}"',
        variables=[a_variable("FLAVOR", "ubuntu")],
    )

    assert for_architecture(plan_images(inputs).helper_archive, architecture) == archive


@pytest.mark.parametrize(
    ("services", "settings", "wanted"),
    [
        ([], "", "docker:29-dind"),
        ([], '[dind]\nimage = "registry/dind"', "registry/dind:latest"),
        ([], '[dind]\nmode = "service"', None),
        ([a_service("postgres:16")], "", "docker:29-dind"),
        # a service that may well be dind: nothing is pulled in vain
        ([a_service("docker:dind")], "", None),
        ([a_service("docker:dind")], '[dind]\nmode = "service"', None),
    ],
)
def test_the_administrators_dind_is_pulled_early(
    services: list[dict[str, object]], settings: str, wanted: str | None
) -> None:
    """It is pulled at once where the services' names show that it is needed."""
    inputs = some_inputs(services=services, settings=settings)

    assert plan_images(inputs).default_dind == (Pull(wanted) if wanted else None)


@pytest.mark.parametrize(
    ("version", "tag"),
    [
        ("17.9.0", "{arch}-v17.9.0"),
        ("19.4.0~pre.12.g123", "{arch}-latest"),
        ("development version", "{arch}-latest"),
        ("", "{arch}-latest"),
    ],
)
def test_the_runners_own_helper(version: str, tag: str) -> None:
    """The helper is the one that gitlab-runner's own executors take for its version."""
    inputs = some_inputs(values={"CI_RUNNER_VERSION": version})

    assert plan_images(inputs).helper == (
        f"registry.gitlab.com/gitlab-org/gitlab-runner/gitlab-runner-helper:{tag}"
    )


@pytest.mark.parametrize(
    ("image", "architecture", "expected"),
    [
        ("r/h:{arch}-v17.9.0", "amd64", "r/h:x86_64-v17.9.0"),
        ("r/h:{arch}-v17.9.0", "arm64", "r/h:arm64-v17.9.0"),
        ("r/h:{arch}-v17.9.0", "aarch64", "r/h:arm64-v17.9.0"),
        ("r/h:{arch}-v17.9.0", "armv7l", "r/h:arm-v17.9.0"),
        ("r/h:{arch}-v17.9.0", "s390x", "r/h:s390x-v17.9.0"),
        # without a tag the engine would pull all of them
        ("r:5000/h", "amd64", "r:5000/h:latest"),
    ],
)
def test_the_helper_for_an_engine(image: str, architecture: str, expected: str) -> None:
    """The name has the architecture in gitlab-runner's spelling."""
    assert helper_for(image, architecture) == expected


def test_the_administrators_helper() -> None:
    """It takes the place of the runner's own, with the job's variables in its name."""
    inputs = some_inputs(
        settings='[docker]\nhelper_image = "$PLACE/helper:$CI_RUNNER_VERSION"',
        variables=[a_variable("PLACE", "registry.corp.example")],
    )

    image = helper_for(plan_images(inputs).helper, "amd64")

    assert image == "registry.corp.example/helper:17.9.0"


def test_a_helper_that_the_jobs_variables_make_no_name_of() -> None:
    """The sentence names the setting, as the administrator chose it."""
    inputs = some_inputs(settings='[docker]\nhelper_image = "registry/helper:$NOWHERE"')

    with pytest.raises(SettingsError, match=r"`\[docker\] helper_image`: invalid image name"):
        helper_for(plan_images(inputs).helper, "amd64")


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("fail", {"job": False, "dind": False, "helper": False}),
        ("use-own-images", {"job": False, "dind": True, "helper": True}),
        ("use-all-images", {"job": True, "dind": True, "helper": True}),
    ],
)
def test_which_images_may_be_the_hosts(how: str, expected: dict[str, bool]) -> None:
    """The settings say whose are where a registry is down, whoever names the sidecar's."""
    settings = f"docker.when_registry_is_down = '{how}'\n[dind]\nimage = 'docker:29-dind'"

    plan = plan_images(some_inputs(settings=settings, services=[a_service("postgres:16")]))
    listed = plan_images(some_inputs(settings=settings, services=[a_service("docker:29-dind")]))

    assert plan.default_dind
    assert {
        "job": plan.build.falls_back,
        "dind": plan.default_dind.falls_back,
        "helper": plan.helper_falls_back,
    } == expected
    assert plan.services[0].falls_back == expected["job"]
    assert listed.services[0].falls_back == expected["dind"]


@pytest.mark.parametrize("where", ["image", "service", "platform", "variable"])
def test_variables_that_make_a_name_of_any_length(where: str) -> None:
    """A hundred kilobytes a thousand times are never made, and no sentence has more than its end."""
    shown = limited(f"""
from executor.errors import UnsupportedJobOption
from executor.plan.images import plan_images
from tests.builders import a_service, a_variable, some_inputs
long = "$A" * 1_000
job = {{
    "image": dict(image=a_service(long)),
    "service": dict(services=[a_service("x" * 10_000_000)]),
    "platform": dict(image=a_service("a", executor_opts={{"docker": {{"platform": long}}}})),
    "variable": dict(services=[a_service("a", variables=[a_variable("B", long)])]),
}}[{where!r}]
inputs = some_inputs(variables=[a_variable("A", "x" * 100_000)], **job)
try:
    plan_images(inputs)
    inputs.variables.services_own(inputs.job.services[0])
except UnsupportedJobOption as error:
    print(error)
""")

    assert "characters" in shown
    assert len(shown) < 700
