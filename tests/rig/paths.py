"""Where everything of the rig lies."""

import os
from pathlib import Path

RUN = Path("/run/dind-executor-rig")
STATE = RUN / "rig.json"
LOGS = RUN / "log"
ADMINISTRATORS_LOG = "dind-executor.jsonl"
SETTINGS = RUN / "settings.toml"
REGISTRATION = RUN / "config.toml"
SOCKET = RUN / "docker.sock"

CACHE = Path(os.environ.get("DIND_EXECUTOR_RIG_CACHE", "/var/cache/dind-executor-rig"))
HUB_STORAGE = CACHE / "hub"
BUILT = CACHE / "built.json"
# Not in RUN, which is a small tmpfs on many machines. Removed by `down`.
WORK = CACHE / "work"
ENGINE_DATA = WORK / "engine"

CERTS_D = Path("/etc/docker/certs.d")
SOURCES = Path(__file__).parent
IMAGE_FILES = SOURCES / "image"
PROJECT_FILES = SOURCES / "project"
