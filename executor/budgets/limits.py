"""The settings' budgets, each with the things that count in it.  Pure."""

from collections.abc import Iterable

from executor.budgets.choice import Budget
from executor.budgets.things import Thing
from executor.notation.amounts import byte_size
from executor.settings.file import Settings


def budgets_of(
    settings: Settings, things: Iterable[Thing]
) -> tuple[tuple[Budget, tuple[Thing, ...]], ...]:
    """Return the budget of volumes and that of images, each with its things."""
    given, listed = settings.budgets, tuple(things)
    return (
        (
            Budget(_bytes(given.volumes_size), given.volumes_days),
            tuple(each for each in listed if not each.is_image),
        ),
        (
            Budget(_bytes(given.images_size), given.images_days),
            tuple(each for each in listed if each.is_image),
        ),
    )


def _bytes(text: str) -> int:
    return byte_size(text) if text else 0
