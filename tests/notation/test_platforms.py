"""The platforms of images."""

import pytest

from executor.errors import UnsupportedJobOption
from executor.notation.platforms import checked_platform, fits
from executor.plan.images import plan_images
from tests.builders import a_service, a_variable, some_inputs


@pytest.mark.parametrize(
    "text", ["", "linux/amd64", "linux/arm/v7", "arm64", "s390x", "linux", "windows/amd64"]
)
def test_a_platform_is_the_engines_to_read(text: str) -> None:
    """The engine gets it as it was written: an architecture alone is Linux's there too."""
    assert checked_platform(text) == (text, "")


@pytest.mark.parametrize(
    ("text", "platform"), [("darwin/arm64", "linux/arm64"), ("freebsd/arm/v7", "linux/arm/v7")]
)
def test_a_system_that_has_no_containers(text: str, platform: str) -> None:
    """It becomes Linux, with gitlab-runner's warning."""
    found, warning = checked_platform(text)

    assert found == platform
    system = text.partition("/")[0]
    assert warning == (
        f'WARNING: Platform OS "{system}" in "{text}" is not a valid container OS;'
        ' using "linux" instead'
    )


@pytest.mark.parametrize("text", ["nonsense", "linux/", "/amd64", "a/b/c/d", "linux/am d64"])
def test_what_is_no_platform(text: str) -> None:
    """The author's mistake, told before anything is pulled."""
    with pytest.raises(UnsupportedJobOption, match="is not a platform"):
        checked_platform(text)


@pytest.mark.parametrize(
    ("platform", "architecture", "expected"),
    [
        ("linux/amd64", "amd64", True),
        ("amd64", "amd64", True),
        ("x86_64", "amd64", True),
        ("linux", "arm64", True),
        ("linux/arm64/v8", "arm64", True),
        ("aarch64", "arm64", True),
        ("linux/arm64", "amd64", False),
        ("arm64", "amd64", False),
        ("windows/amd64", "amd64", False),
    ],
)
def test_what_an_image_is_for(platform: str, architecture: str, *, expected: bool) -> None:
    """So that another job's platform is not taken for this one's."""
    assert fits(platform, "linux", architecture) is expected


def test_variables_in_platforms() -> None:
    """The platforms of the image and of services hold variables of the job."""
    options = {"docker": {"user": "", "platform": "linux/$ARCH"}}
    inputs = some_inputs(
        image=a_service("alpine", executor_opts=options),
        services=[a_service("redis:7", executor_opts=options)],
        variables=[a_variable("ARCH", "arm64")],
    )
    images = plan_images(inputs)

    assert images.build.platform == "linux/arm64"
    assert images.services[0].platform == "linux/arm64"
