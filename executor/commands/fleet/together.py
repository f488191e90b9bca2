"""Does the same with many things, over a bounded number of connections."""

import threading
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from typing import TypeVar

from executor.commands.gitlab.client import Client

Thing = TypeVar("Thing")
Outcome = TypeVar("Outcome")


def together(
    clients: Sequence[Client], things: Sequence[Thing], act: Callable[[Client, Thing], Outcome]
) -> list[Outcome]:
    """Return what came of each thing, in their order; each client is used by one thread.

    Raises what an act raises, once the others have ended.
    """
    left: SimpleQueue[int] = SimpleQueue()
    for number in range(len(things)):
        left.put(number)
    outcomes: dict[int, Outcome] = {}
    faults: list[Exception] = []

    def work(client: Client) -> None:
        try:
            while not faults:
                number = left.get_nowait()
                outcomes[number] = act(client, things[number])
        except Empty:
            pass
        except Exception as error:  # noqa: BLE001 (raised again by the thread that waits)
            faults.append(error)

    threads = [
        threading.Thread(target=work, args=(each,), daemon=True) for each in clients[: len(things)]
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if faults:
        raise faults[0]
    return [outcomes[number] for number in range(len(things))]
