"""Job + settings + facts → plan: everything that is decided for a job, before anything is done.

Pure: no I/O, no clock, no dice.
"""

from collections.abc import Sequence

from executor.address_pools import ipv6_subnet
from executor.certs import Certificates
from executor.containers import build_container, dind_container, helper_container, service_container
from executor.errors import PolicyViolation, SettingsError, UnsupportedJobOption
from executor.images import (
    ImageReference,
    InvalidImage,
    is_allowed,
    is_bare_id,
    pull_policy_notice,
    with_default_tag,
)
from executor.job import Job
from executor.proxies import direct_names, proxy_notices, with_direct_names
from executor.request import Request
from executor.services import NamedService, free_aliases, looks_like_dind
from executor.settings import Settings
from executor.sidecar import Sidecar, service_pulls, services_of, sidecar_aliases, sidecar_notices
from executor.spec import ImagePlan, NetworkSpec, Plan, Pull, VolumeSpec
from executor.variables import expand

_CERT_MARGIN_SECONDS = 2 * 3600
"""How long the certificates outlive the job's timeout: prepare and after_script come on top."""


def certificate_seconds(job: Job) -> int:
    """Return how long the job's certificates stay valid."""
    return job.timeout_seconds + _CERT_MARGIN_SECONDS


def plan_images(request: Request) -> ImagePlan:
    """Decide which images to pull.

    Raises PolicyViolation for what the allow-lists keep out, UnsupportedJobOption for a name that
    is none.
    """
    settings, job = request.settings, request.job
    default = expand(settings.docker.image, request.value)
    name = job.image.name or default
    if not name:
        raise UnsupportedJobOption(
            "The job names no image, and the runner has no default one: add `image:` to the job,"
            " or `[docker] image` to the runner's settings."
        )
    _admit(name, settings.docker.allowed_images, "image", (default,))
    services = services_of(request)
    _admit_services(services, settings)
    wanted = settings.dind.mode == "always" and not any(looks_like_dind(s.name) for s in services)
    notices = [] if job.image.name else ["Using default image"]
    notices += [
        sentence
        for asked, pull in ((job.image, name), *((s.request, s.request.name) for s in services))
        if (sentence := pull_policy_notice(pull, asked.pull_policies))
    ]
    return ImagePlan(
        helper=expand(settings.docker.helper_image, request.value) or _runners_helper(request),
        build=Pull(_pullable(name), expand(job.image.platform, request.value)),
        services=service_pulls(services, settings),
        default_dind=with_default_tag(settings.dind.image) if wanted else "",
        notices=tuple(notices),
    )


def helper_for(image: str, architecture: str) -> str:
    """Return the helper image for an engine's architecture, in gitlab-runner's spelling of it.

    Raises SettingsError where the job's variables made no image's name of it.
    """
    spelled = {"amd64": "x86_64", "armv6l": "arm", "armv7l": "arm", "aarch64": "arm64"}
    try:
        return with_default_tag(image.replace("{arch}", spelled.get(architecture, architecture)))
    except InvalidImage as error:
        raise SettingsError(f"`[docker] helper_image`: {error}.") from None


def plan_network(request: Request) -> NetworkSpec:
    """Return the job's network; it can be made before anything is pulled."""
    docker = request.settings.docker
    return NetworkSpec(
        request.names.network,
        request.labels("network"),
        mtu=docker.network_mtu or request.surroundings.mtu,
        # Given by us, as engines before 27 have no IPv6 networks of their own.
        ipv6_subnet=ipv6_subnet(request.names.key, 0) if docker.enable_ipv6 else "",
    )


def plan_environment(
    request: Request,
    images: ImagePlan,
    sidecar: Sidecar | None,
    certificates: Certificates | None,
) -> Plan:
    """Decide what exists for the job, given its sidecar."""
    own = (sidecar.own, *sidecar.stands_for) if sidecar else ()
    others = [each for each in services_of(request) if each not in own]
    dind, notices = None, []
    if sidecar:
        dind = dind_container(request, sidecar, sidecar_aliases(sidecar), certificates)
        notices = sidecar_notices(sidecar, request.settings)
    named, skipped = free_aliases(others, set(dind.aliases if dind else ()))
    services = [service_container(request, each, aliases) for each, aliases in named]
    taken = [*(dind.aliases if dind else ()), *(each for spec in services for each in spec.aliases)]
    direct = direct_names(taken)
    build = build_container(request, images.build, sidecar, certificates)
    return Plan(
        network=plan_network(request),
        volumes=_volumes(request, with_dind=dind is not None),
        helper=helper_container(request, images.helper),
        build=with_direct_names(build, direct, request.values),
        dind=with_direct_names(dind, direct) if dind else None,
        services=tuple(with_direct_names(each, direct) for each in services),
        notices=(*notices, *skipped, *_label_notices(request), *proxy_notices(request.values)),
    )


def _label_notices(request: Request) -> list[str]:
    return [
        f'WARNING: The label "{name}" is left out: its value holds a secret of the job.'
        for name in request.container_labels()[1]
    ]


def _admit(name: str, patterns: Sequence[str], kind: str, internal: Sequence[str]) -> None:
    if is_bare_id(name):
        raise PolicyViolation(
            f'The {kind} "{name}" is an image id, which no registry can be asked for: name an'
            " image with its registry, repository and tag or digest."
        )
    if is_allowed(name, patterns, internal):
        return
    listed = "\n".join(f"- {pattern}" for pattern in patterns)
    raise PolicyViolation(
        f'The "{name}" image is not present on list of allowed {kind}s:\n{listed}\n'
        f"Use an image of the list, or ask the runner's operator to add it to `[docker]"
        f" allowed_{kind}s`."
    )


def _pullable(name: str) -> str:
    try:
        ImageReference.parse(name)
    except InvalidImage as error:
        raise UnsupportedJobOption(f"image: {error}.") from None
    return with_default_tag(name)


def _runners_helper(request: Request) -> str:
    """Return the image that gitlab-runner's own executors use for this version of it.

    `{arch}` stands for the engine's architecture: `helper_for` puts it in.
    """
    version = request.values.get("CI_RUNNER_VERSION", "")
    tag = f"v{version}" if version.count(".") == 2 and version[:1].isdigit() else "latest"  # noqa: PLR2004
    return f"registry.gitlab.com/gitlab-org/gitlab-runner/gitlab-runner-helper:{{arch}}-{tag}"


def _admit_services(services: Sequence[NamedService], settings: Settings) -> None:
    """Check number and images; the operator's own count, and need no admission."""
    limit = settings.docker.services_limit
    if 0 <= limit < len(services):
        raise PolicyViolation(
            f"too many services requested: {len(services)}, only {limit} allowed."
        )
    internal = [each.request.name for each in services if each.internal]
    for each in services:
        if not each.internal:
            _admit(each.request.name, settings.docker.allowed_services, "service", internal)


def _volumes(request: Request, *, with_dind: bool) -> tuple[VolumeSpec, ...]:
    names = [request.names.builds_volume, *([request.names.docker_volume] if with_dind else [])]
    return tuple(VolumeSpec(name, request.labels("volume")) for name in names)
