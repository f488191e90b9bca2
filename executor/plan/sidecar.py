"""Which image the sidecar runs, and which of the job's services it stands for.

Pure: no I/O, no clock, no dice.
"""

from collections.abc import Mapping

from executor.dataclass import dataclass
from executor.errors import ExecutorError, PolicyViolation
from executor.notation.image_names import with_default_tag
from executor.notation.paths import CERTS_DIRECTORY
from executor.plan.admission import admit_transport, admits_dind, entrypoint
from executor.plan.dockerd import listens_plainly
from executor.plan.inputs import Inputs
from executor.plan.pull_policies import falls_back, own_policies
from executor.plan.services import (
    NamedService,
    find_dinds,
    named_docker,
)
from executor.plan.transport import (
    ALIAS,
    Transport,
    leads_to_sidecar,
    optional_transport,
    transport,
)
from executor.settings.file import Settings
from executor.spec import ImageFacts, ImagePlan, Pull

DIND_KEY = "[dind] image"
"""The setting that chooses the sidecar's image, as `Pull.chosen_by` has it."""


@dataclass(frozen=True, slots=True)
class Sidecar:
    """Which image the sidecar runs, and the job's own service that it stands for."""

    pull: Pull
    own: NamedService | None
    transport: Transport
    replaced: bool = False
    """Whether the administrator's image runs in place of the service's own."""
    stands_for: tuple[NamedService, ...] = ()
    """The job's own services that the administrator's dind service takes the place of."""
    asked: bool = True
    """Whether somebody lists a dind service, or the job's DOCKER_HOST names the sidecar.

    What else the job says of Docker is meant for that one, and for no sidecar that nobody asked for.
    """
    notices: tuple[str, ...] = ()
    """Sentences about a transport that the job does not get."""

    @property
    def optional(self) -> bool:
        """Return whether nobody lists it as a service: the job then runs without it if need be."""
        return self.own is None


def choose_sidecar(
    inputs: Inputs, images: ImagePlan, facts: Mapping[Pull, ImageFacts]
) -> Sidecar | None:
    """Decide what the sidecar is once the services' images are known; None where there is no sidecar.

    A service that has its name takes the place of one that nobody lists.
    `facts` has an entry for every service of `images`.  Raises ServiceConflict where the name
    `docker` has no single owner, PolicyViolation for a transport that is not admitted.
    """
    services, settings = inputs.services, inputs.settings
    dinds = find_dinds(services, [facts[pull] for pull in images.services])
    own = dinds[0] if dinds else None
    if own is None and (settings.dind.mode != "always" or named_docker(services)):
        return None
    pull = settings_dind(settings, own)
    if own is None:
        way, notices = _optional_transport(inputs)
        return Sidecar(pull, None, way, asked=_names_sidecar(inputs), notices=notices)
    variables: dict[str, str] = {}
    for each in dinds:
        variables |= inputs.variables.services_own(each.asked)
    image = images.services[own.index]
    runs_its_own = admits_dind(own, settings)
    plain = runs_its_own and settings.dind.allow_plain_tcp and _is_plain(inputs, own, facts[image])
    way = transport(inputs.values, variables, plain_by_itself=plain)
    admit_transport(way, settings.dind)
    if runs_its_own:
        return Sidecar(image, own, way, stands_for=dinds[1:])
    return Sidecar(pull, own, way, replaced=True, stands_for=dinds[1:])


def _optional_transport(inputs: Inputs) -> tuple[Transport, tuple[str, ...]]:
    """Return how a sidecar is reached that no service stands for, and what the author is told.

    A whole pipeline may share its variables, so what cannot be refuses no job.
    """
    way = optional_transport(inputs.values)
    try:
        admit_transport(way, inputs.settings.dind)
    except PolicyViolation as error:
        return Transport(tls=True, cert_dir=CERTS_DIRECTORY), (f"WARNING: {error}",)
    return way, ()


def _is_plain(inputs: Inputs, own: NamedService, image: ImageFacts) -> bool:
    given = entrypoint(inputs, own.asked)
    command = own.asked.command or (image.command if given is None else ())
    return listens_plainly((*(image.entrypoint if given is None else given), *command), image)


def _names_sidecar(inputs: Inputs) -> bool:
    """Tell whether the job itself, and not the administrator, says that its daemon is the sidecar.

    The other variables of a client or of dind do not count: pipelines set them for all of their
    jobs, and they name no daemon.
    """
    host = inputs.values.get("DOCKER_HOST", "")
    return "DOCKER_HOST" in inputs.variables.by_key and leads_to_sidecar(host)


def settings_dind(settings: Settings, instead_of: NamedService | None = None) -> Pull:
    """Return the dind image of the settings, perhaps for a service that is not admitted."""
    image = with_default_tag(settings.dind.image)
    replaced = instead_of.asked.name if instead_of else ""
    policies = own_policies(settings.docker.images)
    return Pull(
        image,
        policies=policies,
        chosen_by=DIND_KEY,
        instead_of=replaced,
        falls_back=falls_back(image, settings),
    )


def no_replacement(replaced: str, error: ExecutorError) -> PolicyViolation:
    """Return the error of a job whose dind is not admitted, and `[dind] image` cannot be had."""
    return PolicyViolation(
        f'The job\'s dind image "{replaced}" is not on the list of `[dind] allowed_images`, and'
        " `[dind] image`, which runs instead, is not available. Use an image of that list, or ask the"
        f" administrator to add yours to it or to correct `[dind] image`: {error}"
    )


def sidecar_aliases(sidecar: Sidecar) -> tuple[str, ...]:
    """Return every name that leads to the sidecar."""
    dinds = (sidecar.own, *sidecar.stands_for) if sidecar.own else ()
    return tuple(dict.fromkeys((ALIAS, *(alias for each in dinds for alias in each.aliases))))


def sidecar_notices(sidecar: Sidecar, settings: Settings) -> list[str]:
    """Return sentences about what the job asked for and does not get."""
    own = sidecar.own
    if own is None:
        return [*sidecar.notices]
    replaced = [replaced_notice(own, settings)] if sidecar.replaced else []
    return [*replaced, *(_stood_in(each, own) for each in sidecar.stands_for)]


def _stood_in(service: NamedService, own: NamedService) -> str:
    return (
        f'WARNING: Skipping service "{service.asked.name}": this runner\'s own Docker-in-Docker'
        f' service "{own.asked.name}" runs instead, under the same names.'
    )


def replaced_notice(service: NamedService, settings: Settings) -> str:
    """Return the sentence that the administrator's dind image runs in place of a job's own."""
    return (
        f'WARNING: `[dind] allowed_images` does not allow the dind image "{service.asked.name}":'
        f' "{settings.dind.image}" (`[dind] image`) runs instead, without the service\'s entrypoint,'
        " and of its command only with registry mirrors and insecure registries."
    )


def no_sidecar_notice(service: NamedService) -> str:
    """Return the sentence that a job has no sidecar because a service has its name."""
    return (
        f'WARNING: The service "{service.asked.name}" uses the name "{ALIAS}" and is not'
        " Docker-in-Docker, so this job gets no Docker-in-Docker sidecar. For one, use a"
        " docker:<version>-dind image, give the service another alias, or remove it."
    )
