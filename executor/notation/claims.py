"""How claims are written (see `budgets.claims`): labels of volumes, and their names.  Pure."""

from executor.names import LABEL_PREFIX

CLAIM_LABEL = f"{LABEL_PREFIX}claim"
"""On a volume that is nothing but a claim: what its job has for itself alone."""

USES_LABEL = f"{LABEL_PREFIX}uses"
"""On the first volume of a job: what the job uses beside others, before any container has it."""

LAYERS_LABEL = f"{LABEL_PREFIX}layers"
"""On a volume with a sidecar's layers: what its slot's jobs claim, whatever version of dockerd they run."""

KEPT_NETWORK_LABEL = f"{LABEL_PREFIX}kept-network"
"""On a network that a slot keeps, which is of no job: what it was made with."""

CLAIM_PREFIX = "dind-executor-claim-"
"""How the names of claims begin: after what is claimed, and not after the job that claims it."""
