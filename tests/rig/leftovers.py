"""What dind-executor has left on the engine: nothing, if all is well."""

import docker

from tests.rig.engine import connect
from tests.rig.say import RigError
from tests.rig.state import Rig

_LABEL = "dind-executor."
_Labelled = dict[str, object]


def leftovers(rig: Rig) -> list[str]:
    """Return what bears a label of dind-executor's, and was not there when the rig came up."""
    try:
        client = connect(rig.engine_host)
    except OSError as error:
        raise RigError(f"The engine at {rig.engine_host} is gone: {error}") from error
    with client:
        return [name for name in labelled(client) if name not in rig.before]


def labelled(client: docker.APIClient) -> list[str]:
    """Return every container, network and volume that bears a label of dind-executor's."""
    containers = client.containers(all=True)
    networks = client.networks()
    volumes = client.volumes()["Volumes"] or []
    found = [f"container {item['Names'][0].lstrip('/')}" for item in containers if _is_ours(item)]
    found += [f"network {item['Name']}" for item in networks if _is_ours(item)]
    return found + [f"volume {item['Name']}" for item in volumes if _is_ours(item)]


def _is_ours(item: _Labelled) -> bool:
    labels = item.get("Labels")
    return isinstance(labels, dict) and any(str(key).startswith(_LABEL) for key in labels)
