"""The settings' budgets, each with the things that count in it.  Pure."""

from collections.abc import Iterable

from executor.budgets.choice import Budget
from executor.budgets.things import IMAGE, LAYERS, Thing
from executor.notation.amounts import byte_size
from executor.settings.file import Settings


def budgets_of(
    settings: Settings, things: Iterable[Thing]
) -> tuple[tuple[Budget, tuple[Thing, ...]], ...]:
    """Return the budget of volumes, that of kept layers, and that of images, each with its things."""
    given, dind, listed = settings.budgets, settings.dind, tuple(things)
    layers = Budget(
        _bytes(dind.keep_layers_budget), given.volumes_days, _bytes(dind.keep_layers_size)
    )
    images = Budget(_bytes(given.images_size), given.images_days)
    return (
        (
            Budget(_bytes(given.volumes_size), given.volumes_days),
            tuple(each for each in listed if each.kind not in (LAYERS, IMAGE)),
        ),
        (layers, tuple(each for each in listed if each.kind == LAYERS)),
        (images, tuple(each for each in listed if each.is_image)),
    )


def _bytes(text: str) -> int:
    return byte_size(text) if text else 0
