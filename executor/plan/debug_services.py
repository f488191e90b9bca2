"""Whose logs a job sees that sets CI_DEBUG_SERVICES, and how its log calls them.

Pure: no I/O.
"""

from executor.plan.inputs import Inputs
from executor.spec import ContainerSpec, Plan

_TRUE = frozenset(("1", "t", "T", "TRUE", "true", "True"))
"""What gitlab-runner takes for true; it warns by itself of a value that is neither."""


def shown_services(inputs: Inputs, plan: Plan, *, with_dind: bool) -> tuple[tuple[str, str], ...]:
    """Return container and label of each service whose log the job wants to see.

    `with_dind` says whether the sidecar is one of the services that somebody asked for.
    """
    wanted = inputs.values.get("CI_DEBUG_SERVICES", "") in _TRUE
    if not wanted or inputs.settings.debug_trace_disabled:
        return ()
    dind = (plan.dind,) if plan.dind and with_dind else ()
    return tuple((each.name, _label(each)) for each in (*plan.services, *dind))


def _label(spec: ContainerSpec) -> str:
    """Return the names of a service, or that of its image where others have them all."""
    return "-".join(spec.aliases) or spec.image
