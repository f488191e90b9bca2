"""A job's services: what counts as dind, which aliases each gets, whose logs show.

Pure: no I/O.
"""

from collections.abc import Iterable, Mapping, Sequence

from executor.dataclass import dataclass
from executor.errors import (
    ExecutorError,
    ServiceConflict,
    SettingsError,
    UnsupportedJobOption,
)
from executor.names import TCP_PORT, TLS_PORT
from executor.notation.booleans import is_true
from executor.notation.expansion import LONGEST
from executor.notation.image_names import InvalidImage
from executor.notation.paths import DATA_ROOT
from executor.notation.service_names import ServiceName, split_aliases
from executor.plan.transport import ALIAS
from executor.runner.payload import JobImage
from executor.settings.file import Settings
from executor.spec import ContainerSpec, ImageFacts, Plan

_MOST_SERVICES = 200
"""Whatever the settings say: each is a container, and begins in a thread of its own."""
LONGEST_ALIASES = 1024
"""How many characters the aliases of a service may have together."""
_DATA_ROOTS = (DATA_ROOT, "/home/rootless/.local/share/docker")


@dataclass(frozen=True, slots=True)
class NamedService:
    """A service of the job with everything that its name and alias say."""

    index: int
    asked: JobImage
    name: ServiceName
    aliases: tuple[str, ...]
    internal: bool = False
    """Whether it is the administrator's, which every job gets."""


def name_services(services: Sequence[JobImage], internal: int = 0) -> tuple[NamedService, ...]:
    """Parse the services' images and aliases; the first `internal` ones are the administrator's.

    Raises UnsupportedJobOption, or SettingsError for one of the administrator's, that has no good name.
    """
    if len(services) > _MOST_SERVICES:
        raise UnsupportedJobOption(
            f"The job has {len(services)} services, and no job may have more than {_MOST_SERVICES}."
            " Remove some from `services`."
        )
    named = []
    for index, asked in enumerate(services):
        try:
            name = ServiceName.parse(asked.name)
        except InvalidImage as error:
            if index < internal:
                raise SettingsError(f"`[[docker.services]]`: {error}.") from None
            raise UnsupportedJobOption(f"services[{index - internal}]: {error}.") from None
        check_command(f"service {name.image}", asked)
        if len(asked.alias) > LONGEST_ALIASES:
            raise UnsupportedJobOption(
                f'The service "{name.image}" has an `alias` of more than {LONGEST_ALIASES} characters.'
                " Shorten it."
            )
        # Docker's DNS knows no case: `Docker` is `docker`.
        given = (*name.aliases, *split_aliases(asked.alias))
        aliases = dict.fromkeys(alias.lower() for alias in given)
        named.append(NamedService(index, asked, name, tuple(aliases), index < internal))
    return tuple(named)


def check_command(what: str, asked: JobImage) -> None:
    """Refuse a command that no program could get, and that the engine would list with every container.

    Raises UnsupportedJobOption.
    """
    if sum(map(len, (*asked.command, *(asked.entrypoint or ())))) > LONGEST:
        raise UnsupportedJobOption(
            f"The {what} has an `entrypoint` and `command` of more than {LONGEST // 1024} KiB."
            " Shorten them, or put a script into the image."
        )


def looks_like_dind(name: ServiceName) -> bool:
    """Tell by its name alone whether a service is likely to be dind."""
    last = name.service.rpartition("/")[2]
    words = f"{last}-{name.version}" if last == "docker" else last
    return "dind" in words.replace("_", "-").replace(".", "-").split("-")


def is_dind(name: ServiceName, facts: ImageFacts) -> bool:
    """Tell whether a service is dind: by what its image is, else by its name."""
    if any(part.rpartition("/")[2].startswith("dockerd") for part in facts.entrypoint):
        return True
    ports = {port.partition("/")[0] for port in facts.ports}
    if ports & {str(TCP_PORT), str(TLS_PORT)} and set(facts.volumes) & set(_DATA_ROOTS):
        return True
    return looks_like_dind(name)


def find_dinds(
    services: Sequence[NamedService], facts: Sequence[ImageFacts]
) -> tuple[NamedService, ...]:
    """Return the service that takes the sidecar's place, and those that it stands in for.

    The administrator's goes before those of the job.  Raises ServiceConflict where the job has more than
    one otherwise, or where another service claims their alias; SettingsError where the administrator's do.
    """
    dinds = [each for each, fact in zip(services, facts, strict=True) if is_dind(each.name, fact)]
    own = [each for each in dinds if each.internal]
    names = " and ".join(f'"{each.asked.name}"' for each in own or dinds)
    both = (
        f' are both Docker-in-Docker, and only one of them can have the name "{ALIAS}":'
        " keep one of them"
    )
    if len(own) > 1:
        raise SettingsError(f"`[[docker.services]]`: {names}{both}.")
    if not own and len(dinds) > 1:
        raise ServiceConflict(f"The services {names}{both} in `services`.")
    another = next((each for each in services if each not in dinds and ALIAS in each.aliases), None)
    if dinds and another:
        raise _claims_docker(another)
    return tuple(dinds)


def named_docker(services: Iterable[NamedService]) -> NamedService | None:
    """Return the service that has the sidecar's name, which a job without a dind service keeps."""
    return next((each for each in services if ALIAS in each.aliases), None)


def _claims_docker(service: NamedService) -> ExecutorError:
    claims = f'"{service.asked.name}" uses the name "{ALIAS}" and is not Docker-in-Docker'
    if service.internal:
        return SettingsError(f"`[[docker.services]]`: {claims}. Give it another alias.")
    return ServiceConflict(
        f"The service {claims}, while another service of the job is. Give one of them another alias,"
        " or remove it."
    )


def free_aliases(
    services: Sequence[NamedService], taken: set[str]
) -> tuple[list[tuple[NamedService, tuple[str, ...]]], list[str]]:
    """Give every alias to the first service that claims it; return sentences for the others."""
    result, notices = [], []
    for each in services:
        kept = []
        for alias in each.aliases:
            if alias in taken:
                notices.append(
                    f'WARNING: Skipping alias "{alias}" for service "{each.asked.name}"'
                    f" (services[{each.index}]): alias is already in use by another service."
                )
            else:
                taken.add(alias)
                kept.append(alias)
        result.append((each, tuple(kept)))
    return result, notices


def shown_services(
    values: Mapping[str, str], settings: Settings, plan: Plan, *, with_dind: bool
) -> tuple[tuple[str, str], ...]:
    """Return container and label of each service whose log the job wants to see.

    A job asks for them by CI_DEBUG_SERVICES; gitlab-runner warns by itself of a value that is
    neither true nor false.

    `with_dind` says whether the sidecar is one of the services that somebody asked for.
    """
    wanted = is_true(values.get("CI_DEBUG_SERVICES", ""))
    if not wanted or settings.debug_trace_disabled:
        return ()
    dind = (plan.dind,) if plan.dind and with_dind else ()
    return tuple((each.name, _label(each)) for each in (*plan.services, *dind))


def _label(spec: ContainerSpec) -> str:
    """Return the names of a service, or that of its image where others have them all."""
    return "-".join(spec.aliases) or spec.image
