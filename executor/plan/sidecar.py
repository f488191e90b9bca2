"""Which image the sidecar runs, and which of the job's services it stands for.

Pure: no I/O, no clock, no dice.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from executor.notation.allow_lists import is_allowed
from executor.notation.image_names import with_default_tag
from executor.plan.inputs import Inputs
from executor.plan.pull_policies import own_policies
from executor.plan.services import (
    ALIAS,
    NamedService,
    Transport,
    find_dinds,
    transport,
)
from executor.settings.file import Settings
from executor.spec import ImageFacts, ImagePlan, Pull


@dataclass(frozen=True, slots=True)
class Sidecar:
    """Which image the sidecar runs, and the job's own service that it stands for."""

    pull: Pull
    own: NamedService | None
    transport: Transport
    replaced: bool = False
    """Whether the operator's image runs in place of the service's own."""
    stands_for: tuple[NamedService, ...] = ()
    """The job's own services that the operator's dind service takes the place of."""


def choose_sidecar(
    inputs: Inputs, images: ImagePlan, facts: Mapping[Pull, ImageFacts]
) -> Sidecar | None:
    """Decide what the sidecar is once the services' images are known; None where there is none.

    `facts` has an entry for every service of `images`.  Raises ServiceConflict where the name
    `docker` has no single owner, PolicyViolation for a transport that is not admitted.
    """
    services, settings = inputs.services, inputs.settings
    dinds = find_dinds(services, [facts[pull] for pull in images.services])
    own = dinds[0] if dinds else None
    if own is None and settings.dind.mode != "always":
        return None
    variables: dict[str, str] = {}
    for each in dinds:
        variables |= inputs.service_variables(each.asked)
    way = transport(inputs.values, variables, allow_plain_tcp=settings.dind.allow_plain_tcp)
    if own and is_admitted(own, settings):
        return Sidecar(images.services[own.index], own, way, stands_for=dinds[1:])
    pull = operators_dind(inputs)
    return Sidecar(pull, own, way, replaced=own is not None, stands_for=dinds[1:])


def operators_dind(inputs: Inputs) -> Pull:
    """Return the dind image of the settings."""
    settings = inputs.settings
    return Pull(
        with_default_tag(settings.dind.image), policies=own_policies(settings.docker.images)
    )


def is_admitted(dind: NamedService, settings: Settings) -> bool:
    """Tell whether a dind service may run its own image, perhaps privileged: the operator's may.

    One whose name has variables in it is the job's choice as well.
    """
    if dind.internal and "$" not in settings.docker.services.services[dind.index].name:
        return True
    return is_allowed(dind.asked.name, settings.dind.allowed_images)


def sidecar_aliases(sidecar: Sidecar) -> tuple[str, ...]:
    """Return every name that leads to the sidecar."""
    dinds = (sidecar.own, *sidecar.stands_for) if sidecar.own else ()
    return tuple(dict.fromkeys((ALIAS, *(alias for each in dinds for alias in each.aliases))))


def sidecar_notices(sidecar: Sidecar, settings: Settings) -> list[str]:
    """Return sentences about what the job asked for and does not get."""
    own = sidecar.own
    if own is None:
        return []
    replaced = [_replaced(own, settings)] if sidecar.replaced else []
    return [*replaced, *(_stood_in(each, own) for each in sidecar.stands_for)]


def _stood_in(service: NamedService, own: NamedService) -> str:
    return (
        f'WARNING: Skipping service "{service.asked.name}": this runner\'s own Docker-in-Docker'
        f' service "{own.asked.name}" runs in its place and answers to its names.'
    )


def _replaced(service: NamedService, settings: Settings) -> str:
    return (
        f'WARNING: The dind image "{service.asked.name}" is not admitted by `[dind]'
        f' allowed_images`; "{settings.dind.image}" runs in its place, without the service\'s'
        " command and entrypoint."
    )
