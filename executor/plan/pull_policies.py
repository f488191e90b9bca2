"""Where an image may come from: `always`, `if-not-present` and `never`: pure.

A job's list goes before the administrator's, and `allowed_pull_policies` admits.  The words for authors
are gitlab-runner's own.
"""

from collections.abc import Iterable, Sequence

from executor.dataclass import replace
from executor.errors import ExecutorError, PolicyViolation, SettingsError
from executor.notation.image_names import with_default_tag
from executor.settings.file import Settings
from executor.settings.images import FAIL, USE_ALL_IMAGES, USE_OWN_IMAGES, ImageSettings
from executor.spec import ALWAYS, IF_NOT_PRESENT, NEVER, Pull

_BY_FRESHNESS = (ALWAYS, IF_NOT_PRESENT, NEVER)
DEFAULT = (ALWAYS,)


def effective_policies(
    image: str, requested: Sequence[str], settings: ImageSettings
) -> tuple[str, ...]:
    """Return the policies to try for an image, in order; one may stand there twice.

    `requested` is the job's own list.  Raises PolicyViolation where none of them is admitted, and
    SettingsError where the list was the administrator's.
    """
    wanted = tuple(requested) or settings.pull_policy or DEFAULT
    allowed = settings.allowed_pull_policies or settings.pull_policy or DEFAULT
    found = tuple(policy for policy in wanted if policy in allowed)
    if found:
        return found
    kind: type[ExecutorError] = PolicyViolation if requested else SettingsError
    raise kind(
        f'invalid pull policy for image "{image}": pull_policy ({go_list(wanted)}) defined in'
        f" {_source(requested, settings)} is not one of the allowed_pull_policies"
        f" ({go_list(allowed)})."
    )


def own_policies(settings: ImageSettings) -> tuple[str, ...]:
    """Return the policies for the administrator's own images, which no list has to admit."""
    wanted = settings.pull_policy or DEFAULT
    allowed = settings.allowed_pull_policies or wanted
    return tuple(policy for policy in wanted if policy in allowed) or wanted


def falls_back(image: str, settings: Settings) -> bool:
    """Tell whether the host's image will do where the registry of an image cannot be reached.

    That is so for `[dind] image` too where a job names it.
    """
    how = settings.docker.images.when_registry_is_down
    return how == USE_ALL_IMAGES or (
        how == USE_OWN_IMAGES and image == with_default_tag(settings.dind.image)
    )


def helper_falls_back(settings: Settings) -> bool:
    """Tell the same of the helper image."""
    return settings.docker.images.when_registry_is_down != FAIL


def may_pull(policies: Iterable[str]) -> bool:
    """Tell whether a registry is asked though the engine has an image of that name."""
    return ALWAYS in policies


def unified(pulls: Sequence[Pull]) -> tuple[Pull, ...]:
    """Return the pulls with one list of policies for each image: the one that wants it freshest.

    An image is taken once for a job, so what asks for it twice gets the same.  What the job names
    is the job's choice, even where the settings name it too.
    """
    chosen: dict[Pull, Pull] = {}
    for pull in pulls:
        known = chosen.setdefault(pull, pull)
        policies = min(known, pull, key=_rank).policies
        both = known.chosen_by if pull.chosen_by else ""
        chosen[pull] = replace(
            known,
            policies=policies,
            chosen_by=both,
            falls_back=known.falls_back or pull.falls_back,
        )
    return tuple(chosen[pull] for pull in pulls)


def go_list(words: Iterable[str]) -> str:
    """Return a list as gitlab-runner prints it."""
    return f"[{' '.join(words)}]"


def _rank(pull: Pull) -> tuple[int, ...]:
    return tuple(_BY_FRESHNESS.index(policy) for policy in pull.policies)


def _source(requested: Sequence[str], settings: ImageSettings) -> str:
    if requested:
        return "GitLab pipeline config"
    return "Runner config" if settings.pull_policy else "Runner config (default)"
