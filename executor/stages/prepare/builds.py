"""Looks whether the sources that a job would fetch into are another job's at the moment.

A runner gives a slot to one job at a time.  But a job whose cleanup never came is still there, and
two processes of gitlab-runner with one token on one engine know nothing of each other.
"""

from executor.engine.docker import Engine
from executor.log import say
from executor.names import LABEL
from executor.plan.inputs import Inputs
from executor.stages.prepare.claims import Claims


def builds_are_taken(engine: Engine, inputs: Inputs, claims: Claims) -> bool:
    """Tell whether another job uses the builds directory that this one would find again.

    A claim counts from before the job has any container.  Containers count too: somebody may have
    pruned the engine's volumes, and jobs of an older version have no claims.
    """
    builds = inputs.volumes.builds
    if not builds.lasts:
        return False  # they go with the job anyway, or are the administrator's own
    labels = (each.get("Labels") for each in engine.running_with(builds.source))
    jobs = {str(each[LABEL]) for each in labels if isinstance(each, dict) and LABEL in each}
    others = (jobs | {claims.builds_taken_by()}) - {inputs.names.key, ""}
    if others:
        say(
            f"WARNING: Job {min(others).partition('-')[0]} is still using this slot's builds directory."
            " This job clones into a temporary one, which is deleted afterwards."
        )
    return bool(others)
