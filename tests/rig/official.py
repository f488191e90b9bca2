"""The same image names from the real Docker Hub, where it is in reach."""

import os
import urllib.error
import urllib.request

import docker

from tests.rig import probes
from tests.rig.catalogue import PROXY_PREFIX
from tests.rig.engine import Engine, connect
from tests.rig.say import RigError, step
from tests.rig.state import Rig

_HUB = "https://registry-1.docker.io/v2/"
_COPIED = ("20.10.16", "20.10.16-dind", "18.09.7-dind")


def choice(foreign: Engine | None, mirror: str) -> str:
    """Return whose images serve: "official" or "debian"; the environment may say which.

    An engine of somebody else's needs Docker Hub, or a mirror: the rig's cannot be given to it.
    """
    wanted = os.environ.get("DIND_EXECUTOR_RIG_IMAGES")
    if wanted in {"official", "debian"}:
        return wanted
    if wanted:
        raise RigError(f'DIND_EXECUTOR_RIG_IMAGES is "{wanted}": it may be "official" or "debian".')
    if _hub_answers():
        return "official"
    if foreign is not None and not _has_mirror(foreign):
        raise RigError(f"The engine at {foreign.host} reaches no Docker Hub{_remedy(mirror)}")
    return "debian"


def require_docker_hub(client: docker.APIClient, engine: Engine, mirror: str) -> None:
    """Fail unless this engine resolves short image names, as every job needs it to."""
    refused = probes.pull(client, "busybox:latest")
    if refused is not None:
        where = f"The engine at {engine.host} cannot pull busybox:latest ({refused})"
        raise RigError(where if engine.ours else where + _remedy(mirror))


def _has_mirror(engine: Engine) -> bool:
    with connect(engine.host) as client:
        return bool(client.info()["RegistryConfig"].get("Mirrors"))


def _remedy(mirror: str) -> str:
    return (
        ": stop that engine, and the rig starts one of its own; or give it the rig's hub mirror by"
        f' `"registry-mirrors": ["{mirror}"]` in /etc/docker/daemon.json.'
    )


def copy(rig: Rig) -> None:
    """Put Docker Hub's images where the dependency proxy looks for them."""
    with connect(rig.engine_host) as client:
        for tag in _COPIED:
            with step(f"Copying docker:{tag} from Docker Hub"):
                refused = probes.pull(client, f"docker:{tag}")
                if refused is not None:
                    raise RigError(f"Docker Hub does not give docker:{tag}: {refused}")
                repository = f"{rig.hub}/{PROXY_PREFIX}/docker"
                client.tag(f"docker:{tag}", repository, tag)
                lines = client.push(repository, tag, stream=True, decode=True, auth_config={})
                errors = [line["error"] for line in lines if "error" in line]
                if errors:
                    raise RigError(f"The hub mirror does not take docker:{tag}: {errors[-1]}")


def _hub_answers() -> bool:
    try:
        urllib.request.urlopen(_HUB, timeout=3).close()
    except urllib.error.HTTPError as error:
        return error.code == 401
    except OSError:
        return False
    return True
