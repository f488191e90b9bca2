"""The settings' budgets."""

from executor.budgets.choice import Budget
from executor.budgets.limits import budgets_of
from executor.budgets.things import BUILDS, CACHE, IMAGE, Thing
from tests.builders import some_settings


def test_volumes_and_images_have_a_budget_each() -> None:
    """Builds directories and caches share one."""
    things = [Thing(kind, kind, kind, 0.0) for kind in (IMAGE, CACHE, BUILDS)]
    settings = some_settings(
        '[budgets]\nvolumes_size = "2k"\nvolumes_days = 3\nimages_size = "1m"\nimages_days = 4\n'
    )

    assert budgets_of(settings, things) == (
        (Budget(2048, 3), (things[1], things[2])),
        (Budget(1024**2, 4), (things[0],)),
    )


def test_nothing_is_bounded_unless_the_settings_say_so() -> None:
    """The defaults have no budget."""
    assert [budget for budget, _ in budgets_of(some_settings(), [])] == [Budget(), Budget()]
