"""Images of dind in each engine generation that the rig has."""

import os

OLD = "docker:20.10.16-dind"
NEW = "docker:26.1-dind"
EXTRA = "docker:extra-dind"
"""Of the binaries that DIND_EXECUTOR_RIG_DOCKERD names, where it names some."""

GENERATIONS = (NEW, OLD, *([EXTRA] if "DIND_EXECUTOR_RIG_DOCKERD" in os.environ else []))
