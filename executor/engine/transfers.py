"""How many bytes a pull brings, by what the engine says while it goes on."""

from collections.abc import Mapping

from executor.engine.wire import as_table

_BEGUN = frozenset(("Pulling fs layer", "Waiting"))
_HERE = "Already exists"
_GOING_ON = "Downloading"


class Transfer:
    """The layers of one pull.  Most engines say of each how long it is."""

    __slots__ = ("_layers",)

    def __init__(self) -> None:
        """Begin without any."""
        self._layers: dict[str, int | None] = {}

    def take(self, event: Mapping[str, object]) -> None:
        """Take an event of the pull's stream."""
        layer, status = event.get("id"), str(event.get("status"))
        if not isinstance(layer, str):
            return
        if status == _GOING_ON:
            total = as_table(event.get("progressDetail")).get("total")
            if isinstance(total, int) and total > 0:
                self._layers[layer] = total
        elif status == _HERE:
            self._layers[layer] = 0
        elif status in _BEGUN:
            self._layers.setdefault(layer, None)

    @property
    def moved(self) -> int | None:
        """Return the bytes that came; None where the engine has not said how long a layer is."""
        lengths = [each for each in self._layers.values() if each is not None]
        return sum(lengths) if len(lengths) == len(self._layers) else None
