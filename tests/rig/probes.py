"""Short containers that show what this engine can do."""

import docker
from docker.errors import DockerException

from tests.rig.runtime import Wrapper, missing_capabilities
from tests.rig.say import RigError


def pull(client: docker.APIClient, image: str) -> str | None:
    """Pull anonymously; return None, or why it could not be."""
    repository, _, tag = image.rpartition(":")
    try:
        lines = client.pull(repository, tag, stream=True, decode=True, auth_config={})
        errors = [line["error"] for line in lines if "error" in line]
    except DockerException as error:
        return str(getattr(error, "explanation", None) or error)
    return str(errors[-1]) if errors else None


def privileged_runtime(client: docker.APIClient, wrapper: Wrapper | None) -> str | None:
    """Return the runtime that a privileged container needs here; None means the default one."""
    refused = _refusal(client, None)
    if refused is None:
        return None
    if wrapper is None:
        raise RigError(f"This engine starts no privileged container, which dind is: {refused}")
    if wrapper.name in client.info()["Runtimes"]:
        refused = _refusal(client, wrapper.name)
        if refused is None:
            return wrapper.name
    raise RigError(
        f"This engine starts no privileged container, which dind is ({refused}), because this"
        f" machine's root lacks {', '.join(missing_capabilities())}: stop that engine, and the rig"
        f' starts one of its own; or give it the rig\'s runtime by `"runtimes": {{"{wrapper.name}":'
        f' {{"path": "{wrapper.path}"}}}}` in /etc/docker/daemon.json.'
    )


def _refusal(client: docker.APIClient, name: str | None) -> str | None:
    host_config = client.create_host_config(privileged=True, network_mode="none", runtime=name)
    container = client.create_container("busybox:latest", ["true"], host_config=host_config)
    try:
        client.start(container)
        client.wait(container)
    except DockerException as error:
        return str(getattr(error, "explanation", error)).strip()
    finally:
        client.remove_container(container, force=True, v=True)
    return None
