"""The network of a job, made to fit into what is around it."""

from collections.abc import Callable
from dataclasses import replace

from executor.engine.api import Api
from executor.engine.network import ensure_network, survey
from executor.host_network import with_host
from executor.plan import plan_network
from executor.request import Request
from executor.spec import Surroundings

Step = Callable[[str, Callable[[], None]], None]
"""Does one thing at the engine, and notes it in the operator's log under a name."""


def make_network(api: Api, request: Request, step: Step) -> Surroundings:
    """Make the job's network; return what is around it, with its own subnets."""
    found: list[Surroundings] = []
    step("surroundings known", lambda: found.append(survey(api)))
    around = with_host(found[0], request.settings, local=api.local)
    spec = plan_network(replace(request, surroundings=around))
    subnets: list[str] = []
    step("network created", lambda: subnets.extend(ensure_network(api, spec)))
    return replace(around, subnets=(*around.subnets, *subnets))
