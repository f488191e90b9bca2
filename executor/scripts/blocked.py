"""A container whose keeper does not begin a script.

Loaded only where that happens.
"""

from executor.engine.docker import Engine
from executor.errors import ContainerLost
from executor.scripts.cancel import signal_script
from executor.scripts.script import Copying, send

_SECONDS = 5.0


def unblock(engine: Engine, container: str, sent: bytes, copying: Copying) -> None:
    """End what keeps the keeper from taking a script, and return once it has begun after all.

    A keeper takes one at once, unless a `run` call was killed: that left its script running, which
    nobody waits for any more, or sent half of one, and then ours was taken for the other half.
    Raises ContainerLost where the keeper still does not begin; the container has ended then.
    """
    signal_script(engine, container, "KILL")
    if _begins(engine, container, sent, copying):
        return
    # It must not begin when nobody listens any more: the script will run elsewhere.
    engine.kill(container)
    raise ContainerLost(
        f"Container {container} no longer accepts scripts: a process left by an earlier script"
        " blocks its input, or the host is overloaded. Retry the job.",
        begun=copying.has_begun,
    )


def _begins(engine: Engine, container: str, sent: bytes, copying: Copying) -> bool:
    """Wait for a keeper that was freed; send the script again if it got lost.

    A keeper takes a nonce once only, so a script never runs twice.
    """
    if copying.begun.acquire(timeout=_SECONDS):
        return True
    reader = engine.attach(container, output=False)
    if reader is not None:
        # The keeper may still wait for the end of a line.
        reader.socket.settimeout(_SECONDS)
        send(reader, b"\n" + sent)
        reader.finish(_SECONDS)
    return copying.begun.acquire(timeout=_SECONDS)
