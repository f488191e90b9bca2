"""Which images a job gets and by which pull policies, decided before any of them is there.

Pure: no I/O.
"""

from collections.abc import Iterable, Iterator, Sequence

from executor.errors import PolicyViolation, SettingsError, UnsupportedJobOption
from executor.notation.allow_lists import is_allowed
from executor.notation.expansion import expand
from executor.notation.image_names import InvalidImage, is_bare_id, with_default_tag
from executor.notation.platforms import checked_platform
from executor.plan.admission import build_user
from executor.plan.inputs import Inputs
from executor.plan.mounts import keeps_umask
from executor.plan.pull_policies import effective_policies, may_pull, own_policies, unified
from executor.plan.services import NamedService, looks_like_dind
from executor.plan.sidecar import is_admitted, operators_dind
from executor.runner.payload import JobImage
from executor.spec import ImagePlan, Pull

_HELPER = "registry.gitlab.com/gitlab-org/gitlab-runner/gitlab-runner-helper"


def plan_images(inputs: Inputs) -> ImagePlan:
    """Decide which images to get.

    Raises PolicyViolation for what the operator's settings keep out, UnsupportedJobOption for a
    name or platform that is none.
    """
    settings, job = inputs.settings, inputs.job
    notices = [*inputs.volumes.notices]
    if keeps_umask(inputs):
        notices.append("Not using umask - FF_DISABLE_UMASK_FOR_DOCKER_EXECUTOR is set!")
    build = _build(inputs, notices)
    build_user(inputs)
    services = inputs.services
    limit = settings.docker.services.services_limit
    if 0 <= limit < len(services):
        raise PolicyViolation(
            f"too many services requested: {len(services)}, only {limit} allowed."
        )
    pulls = [build, *_services(inputs, services, notices)]
    wanted = settings.dind.mode == "always" and not any(looks_like_dind(s.name) for s in services)
    if wanted:
        pulls.append(operators_dind(inputs))
    if settings.docker.images.disable_entrypoint_overwrite:
        asked = [each for each in (job.image, *job.services) if each.entrypoint]
        notices += ["WARNING: Entrypoint override disabled"] * len(asked)
    pulls = list(unified(pulls))
    runners = _runners_helper(inputs)
    return ImagePlan(
        helper=expand(settings.docker.images.helper_image, inputs.value) or runners,
        build=pulls[0],
        services=tuple(pulls[1 : len(services) + 1]),
        default_dind=pulls[-1] if wanted else None,
        runners_helper=runners,
        helper_archive=f"prebuilt-{_flavor(inputs)}-{{arch}}",
        helper_policies=own_policies(settings.docker.images),
        notices=tuple(notices),
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
    default = expand(docker.images.image, inputs.value)
    name = inputs.image_name
    if default and not expand(asked.name, inputs.value):
        notices.append("Using default image")
    if not name:
        raise UnsupportedJobOption(
            "The job names no image, and the runner has no default one: add `image:` to the job,"
            " or `[docker] image` to the runner's settings."
        )
    policies = effective_policies(name, asked.pull_policies, docker.images)
    internal = _without_variables((docker.images.image,))
    if name not in internal:
        _admit_id(name, "image", docker.images.allowed_images, policies)
    _admit(name, docker.images.allowed_images, "image", internal)
    try:
        image = with_default_tag(name)
    except InvalidImage as error:
        raise UnsupportedJobOption(f"image: {error}.") from None
    return Pull(image, _platform(inputs, asked, notices), policies)


def _services(
    inputs: Inputs, services: Sequence[NamedService], notices: list[str]
) -> Iterator[Pull]:
    """Yield the services' images; what a dind service of the operator's will replace is not one.

    Nor is a dind that is not admitted: the operator's image runs in its place.
    """
    docker = inputs.settings.docker
    internal = _without_variables(each.name for each in docker.services.services)
    operators = [each for each in services if each.internal and looks_like_dind(each.name)]
    for each in services:
        asked = each.asked
        policies = own_policies(docker.images)
        if not each.internal:
            policies = effective_policies(asked.name, asked.pull_policies, docker.images)
        if not each.internal or "$" in docker.services.services[each.index].name:
            _admit_id(asked.name, "service", docker.services.allowed_services, policies)
            _admit(asked.name, docker.services.allowed_services, "service", internal)
        if operators and not each.internal and looks_like_dind(each.name):
            yield Pull(operators[0].name.image, policies=own_policies(docker.images))
        elif looks_like_dind(each.name) and not is_admitted(each, inputs.settings):
            yield operators_dind(inputs)
        else:
            yield Pull(each.name.image, _platform(inputs, asked, notices), policies)


def _platform(inputs: Inputs, asked: JobImage, notices: list[str]) -> str:
    platform, warning = checked_platform(expand(asked.platform, inputs.value))
    if warning:
        notices.append(warning)
    return platform


def _without_variables(names: Iterable[str]) -> list[str]:
    """Return the names that are the operator's alone: what has variables, the job chooses too."""
    return [name for name in names if "$" not in name]


def _admit_id(name: str, kind: str, patterns: Sequence[str], policies: Sequence[str]) -> None:
    """Refuse an image by its id unless the operator has given up asking the registry.

    An id has no name, so a list that excludes names cannot be held against it.
    """
    if not is_bare_id(name):
        return
    if may_pull(policies):
        raise PolicyViolation(
            f'The {kind} "{name}" is an image id, which no registry can be asked for: name an'
            " image with its registry, repository and tag or digest."
        )
    if any(pattern.startswith("!") for pattern in patterns):
        raise PolicyViolation(
            f'The {kind} "{name}" is an image id, and this runner admits images by their names:'
            " name an image with its registry, repository and tag or digest."
        )


def _admit(name: str, patterns: Sequence[str], kind: str, internal: Sequence[str]) -> None:
    if is_allowed(name, patterns, internal):
        return
    listed = "\n".join(f"- {pattern}" for pattern in patterns)
    raise PolicyViolation(
        f'The "{name}" image is not present on list of allowed {kind}s:\n{listed}\n'
        f"Use an image of the list, or ask the runner's operator to add it to `[docker]"
        f" allowed_{kind}s`."
    )


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
    return expand(inputs.settings.docker.images.helper_image_flavor, inputs.value) or "alpine"


def _is_release(version: str) -> bool:
    parts = version.split(".")
    return len(parts) == 3 and parts[0].isdigit()  # noqa: PLR2004
