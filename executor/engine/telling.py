"""What the engine is told without waiting until it has done it: for the end of a job alone."""

from executor.engine.api import TIMEOUT_SECONDS, Api
from executor.engine.wire import request_head
from executor.errors import EngineUnavailable
from executor.quick_json import dumps


def tell(api: Api, path: str, body: object) -> None:
    """Send a POST with a JSON body, and leave the answer; raises nothing.

    The engine does what it has read also for somebody who is gone: what it does so does not depend on
    the connection (disconnecting from a network, 20.10 to 29).
    """
    data = dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    try:
        connection = api.connect(TIMEOUT_SECONDS)
    except EngineUnavailable:
        return
    try:
        connection.sendall(request_head("POST", api.prefix + path, len(data), headers) + data)
    except OSError:
        pass  # nobody is told; cleanup does it then
    finally:
        connection.close()
