"""What a job may have: every allow-list and limit of the settings, and its sentence for the author.

Pure: no I/O.
"""

from collections.abc import Iterable, Sequence

from executor.errors import PolicyViolation
from executor.notation.allow_lists import is_allowed
from executor.notation.expansion import expand
from executor.notation.image_names import is_bare_id
from executor.plan.inputs import Inputs
from executor.plan.pull_policies import go_list, may_pull
from executor.plan.services import NamedService
from executor.plan.transport import Transport
from executor.runner.payload import JobImage
from executor.settings.dind import DindSettings
from executor.settings.file import Settings


def admit_image(inputs: Inputs, policies: Sequence[str]) -> None:
    """Refuse an image for the job's scripts that `allowed_images` does not admit.

    The administrator's own image is always admitted, unless variables stand in it: then the job
    chooses it as well.  Raises PolicyViolation.
    """
    docker, name = inputs.settings.docker, inputs.image_name
    own = _without_variables((docker.images.image,))
    if name not in own:
        _admit_id(name, "image", docker.images.allowed_images, policies)
    _admit(name, docker.images.allowed_images, "image", own)


def admit_service(inputs: Inputs, service: NamedService, policies: Sequence[str]) -> None:
    """Refuse a service that `allowed_services` does not admit; raises PolicyViolation.

    Services of the settings are always admitted, unless variables stand in their names.
    """
    docker, name = inputs.settings.docker, service.asked.name
    if service.internal and "$" not in docker.services.services[service.index].name:
        return
    _admit_id(name, "service", docker.services.allowed_services, policies)
    own = _without_variables(each.name for each in docker.services.services)
    _admit(name, docker.services.allowed_services, "service", own)


def admit_number_of_services(inputs: Inputs) -> None:
    """Refuse more services than `services_limit`; raises PolicyViolation."""
    limit, number = inputs.settings.docker.services.services_limit, len(inputs.services)
    if 0 <= limit < number:
        raise PolicyViolation(f"too many services requested: {number}, only {limit} allowed.")


def admits_dind(dind: NamedService, settings: Settings) -> bool:
    """Tell whether a dind service may run its own image, perhaps privileged.

    The administrator's may, unless variables stand in its name: then the job chooses it as well.
    """
    if dind.internal and "$" not in settings.docker.services.services[dind.index].name:
        return True
    return is_allowed(dind.asked.name, settings.dind.allowed_images)


def admit_transport(way: Transport, dind: DindSettings) -> None:
    """Refuse plain TCP where `[dind] allow_plain_tcp` is off; raises PolicyViolation."""
    if not way.tls and not dind.allow_plain_tcp:
        raise PolicyViolation(
            f"The job sets {way.asked_by}, which asks for Docker without TLS. This runner does not"
            " allow that (`[dind] allow_plain_tcp`). Remove the variable from the job."
        )


def admits_privileged_build(settings: Settings, name: str) -> bool:
    """Tell whether the build container is privileged; `name` is its image as the job writes it."""
    docker = settings.docker
    return docker.containers.privileged and is_allowed(
        name, docker.containers.allowed_privileged_images
    )


def admits_privileged_service(settings: Settings, name: str) -> bool:
    """Tell whether a service is privileged; `name` is its image as the job writes it."""
    docker = settings.docker
    wanted = (
        docker.containers.privileged
        if docker.services.services_privileged is None
        else docker.services.services_privileged
    )
    return wanted and is_allowed(name, docker.services.allowed_privileged_services)


def build_user(inputs: Inputs) -> str:
    """Return the user of the build container; empty stands for the image's own.

    The `user` of the settings goes before the job's.  Raises PolicyViolation where `allowed_users`
    does not admit it.
    """
    docker = inputs.settings.docker
    user = docker.images.user or expand(inputs.job.image.user, inputs.variables.value)
    allowed = docker.images.allowed_users or (
        () if not docker.images.user else (docker.images.user,)
    )
    if not user or not allowed or user in allowed:
        return user
    raise PolicyViolation(f'user "{user}" is not an allowed user: {go_list(allowed)}.')


def entrypoint(inputs: Inputs, image: JobImage) -> tuple[str, ...] | None:
    """Return the entrypoint that the job gives an image, None for the image's own.

    A job gives none where `disable_entrypoint_overwrite` is on; services of the settings still do.
    """
    disabled = inputs.settings.docker.images.disable_entrypoint_overwrite
    if disabled and any(image is each for each in (inputs.job.image, *inputs.job.services)):
        return None
    return image.entrypoint


def _without_variables(names: Iterable[str]) -> list[str]:
    """Return the names that are the administrator's alone."""
    return [name for name in names if "$" not in name]


def _admit_id(name: str, kind: str, patterns: Sequence[str], policies: Sequence[str]) -> None:
    """Refuse an image by its id unless the settings have given up asking the registry.

    An id has no name, so a list that excludes names cannot be held against it.
    """
    if not is_bare_id(name):
        return
    if may_pull(policies):
        raise PolicyViolation(
            f'The {kind} "{name}" is an image id, and no registry can be asked for an id. Name an'
            " image by its registry, repository and tag or digest."
        )
    if any(pattern.startswith("!") for pattern in patterns):
        raise PolicyViolation(
            f'The {kind} "{name}" is an image id, and this runner allows images only by name.'
            " Name an image by its registry, repository and tag or digest."
        )


def _admit(name: str, patterns: Sequence[str], kind: str, internal: Sequence[str]) -> None:
    if is_allowed(name, patterns, internal):
        return
    listed = "\n".join(f"- {pattern}" for pattern in patterns)
    raise PolicyViolation(
        f'The "{name}" image is not present on list of allowed {kind}s:\n{listed}\n'
        f"Use an image from this list, or ask the administrator to add yours to `[docker]"
        f" allowed_{kind}s`."
    )
