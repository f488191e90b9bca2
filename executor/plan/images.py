"""Which images a job gets and by which pull policies, decided before any of them is there.

Pure: no I/O.
"""

from collections.abc import Iterator, Sequence

from executor.dataclass import replace
from executor.errors import SettingsError, UnsupportedJobOption
from executor.notation.expansion import expand
from executor.notation.image_names import LONGEST_REFERENCE, InvalidImage, with_default_tag
from executor.notation.platforms import checked_platform
from executor.plan.admission import (
    admit_image,
    admit_number_of_services,
    admit_service,
    admits_dind,
    build_user,
)
from executor.plan.inputs import Inputs
from executor.plan.mounts import keeps_umask
from executor.plan.pull_policies import (
    effective_policies,
    falls_back,
    helper_falls_back,
    own_policies,
    unified,
)
from executor.plan.services import NamedService, check_command, looks_like_dind, named_docker
from executor.plan.sidecar import replaced_notice, settings_dind
from executor.runner.payload import JobImage
from executor.spec import ImagePlan, Pull

IMAGE_KEY = "[docker] image"
SERVICES_KEY = "[[docker.services]]"
HELPER_KEY = "[docker] helper_image"
"""The settings that choose an image, as `Pull.chosen_by` has them."""

_HELPER = "registry.gitlab.com/gitlab-org/gitlab-runner/gitlab-runner-helper"


def plan_images(inputs: Inputs) -> ImagePlan:
    """Decide which images to get.

    Raises PolicyViolation for what the settings keep out, UnsupportedJobOption for a
    name or platform that cannot be read.
    """
    settings, job = inputs.settings, inputs.job
    notices = [*inputs.volumes.notices]
    if keeps_umask(inputs):
        notices.append("Not using umask - FF_DISABLE_UMASK_FOR_DOCKER_EXECUTOR is set!")
    build = _build(inputs, notices)
    build_user(inputs)
    services = inputs.services
    admit_number_of_services(inputs)
    pulls = [build, *_services(inputs, services, notices)]
    unlisted = not any(looks_like_dind(s.name) for s in services) and not named_docker(services)
    wanted = settings.dind.mode == "always" and unlisted
    if wanted:
        pulls.append(settings_dind(settings))
    if settings.docker.images.disable_entrypoint_overwrite:
        asked = [each for each in (job.image, *job.services) if each.entrypoint]
        notices += ["WARNING: Entrypoint override disabled"] * len(asked)
    pulls = list(unified(pulls))
    runners = _runners_helper(inputs)
    return ImagePlan(
        helper=_expanded(inputs, settings.docker.images.helper_image) or runners,
        build=pulls[0],
        services=tuple(pulls[1 : len(services) + 1]),
        default_dind=pulls[-1] if wanted else None,
        runners_helper=runners,
        helper_archive=f"prebuilt-{_flavor(inputs)}-{{arch}}",
        helper_policies=own_policies(settings.docker.images),
        helper_falls_back=helper_falls_back(settings),
        notices=tuple(notices),
    )


def for_engine(images: ImagePlan, architecture: str) -> ImagePlan:
    """Return the images with the helper's for the engine's architecture."""
    return replace(
        images,
        helper=helper_for(images.helper, architecture),
        runners_helper=helper_for(images.runners_helper, architecture),
        helper_archive=for_architecture(images.helper_archive, architecture),
    )


def helper_for(image: str, architecture: str) -> str:
    """Return the helper image for an engine's architecture, in gitlab-runner's spelling of it.

    Raises SettingsError where the job's variables made no image's name of it.
    """
    try:
        return with_default_tag(for_architecture(image, architecture))
    except InvalidImage as error:
        raise SettingsError(f"`[docker] helper_image`: {error}.") from None


def for_architecture(text: str, architecture: str) -> str:
    """Put an engine's architecture into a name, in gitlab-runner's spelling of it."""
    spelled = {"amd64": "x86_64", "armv6l": "arm", "armv7l": "arm", "aarch64": "arm64"}
    return text.replace("{arch}", spelled.get(architecture, architecture))


def _build(inputs: Inputs, notices: list[str]) -> Pull:
    docker, asked = inputs.settings.docker, inputs.job.image
    check_command("job's image", asked)
    default = _expanded(inputs, docker.images.image)
    name = inputs.image_name
    if default and not _expanded(inputs, asked.name):
        notices.append("Using default image")
    if not name:
        raise UnsupportedJobOption(
            "The job names no image and this runner has no default image. Add `image:` to the"
            " job, or `[docker] image` to the runner's settings."
        )
    policies = effective_policies(name, asked.pull_policies, docker.images)
    admit_image(inputs, policies)
    try:
        image = with_default_tag(name)
    except InvalidImage as error:
        raise UnsupportedJobOption(f"image: {error}.") from None
    key = "" if asked.name else IMAGE_KEY
    may = falls_back(image, inputs.settings)
    return Pull(image, _platform(inputs, asked, notices), policies, key, falls_back=may)


def _services(
    inputs: Inputs, services: Sequence[NamedService], notices: list[str]
) -> Iterator[Pull]:
    """Yield the services' images, without a dind that one of the settings will replace.

    For a dind that is not admitted the administrator's image comes.
    """
    docker = inputs.settings.docker
    own_dinds = [each for each in services if each.internal and looks_like_dind(each.name)]
    for each in services:
        asked = each.asked
        policies = own_policies(docker.images)
        if not each.internal:
            policies = effective_policies(asked.name, asked.pull_policies, docker.images)
        admit_service(inputs, each, policies)
        if own_dinds and not each.internal and looks_like_dind(each.name):
            own = own_dinds[0].name.image
            yield Pull(
                own,
                policies=own_policies(docker.images),
                chosen_by=SERVICES_KEY,
                falls_back=falls_back(own, inputs.settings),
            )
        elif looks_like_dind(each.name) and not admits_dind(each, inputs.settings):
            notices.append(replaced_notice(each, inputs.settings))
            yield settings_dind(inputs.settings, each)
        else:
            platform = _platform(inputs, asked, notices)
            key = SERVICES_KEY if each.internal else ""
            may = falls_back(each.name.image, inputs.settings)
            yield Pull(each.name.image, platform, policies, key, falls_back=may)


def _platform(inputs: Inputs, asked: JobImage, notices: list[str]) -> str:
    platform, warning = checked_platform(_expanded(inputs, asked.platform))
    if warning:
        notices.append(warning)
    return platform


def _runners_helper(inputs: Inputs) -> str:
    """Return the image that gitlab-runner's own executors use for this version of it.

    `{arch}` stands for the engine's architecture: `helper_for` puts it in.
    """
    version = inputs.values.get("CI_RUNNER_VERSION", "")
    tag = f"v{version}" if _is_release(version) else "latest"
    flavor = _flavor(inputs)
    prefix = "" if flavor == "alpine" else f"{flavor}-"
    return f"{_HELPER}:{prefix}{{arch}}-{tag}"


def _flavor(inputs: Inputs) -> str:
    return _expanded(inputs, inputs.settings.docker.images.helper_image_flavor) or "alpine"


def _expanded(inputs: Inputs, name: str) -> str:
    """Return a name of an image, or a part of one, with the job's variables."""
    return expand(name, inputs.variables.value, LONGEST_REFERENCE)


def _is_release(version: str) -> bool:
    parts = version.split(".")
    return len(parts) == 3 and parts[0].isdigit()  # noqa: PLR2004
