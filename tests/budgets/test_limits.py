"""The settings' budgets."""

from executor.budgets.choice import Budget
from executor.budgets.limits import budgets_of
from executor.budgets.things import BUILDS, CACHE, IMAGE, LAYERS, Thing
from tests.builders import some_settings


def test_volumes_layers_and_images_have_a_budget_each() -> None:
    """Builds directories and caches share one."""
    things = [Thing(kind, kind, kind, 0.0) for kind in (IMAGE, CACHE, BUILDS, LAYERS)]
    settings = some_settings(
        '[budgets]\nvolumes_size = "2k"\nvolumes_days = 3\nimages_size = "1m"\nimages_days = 4\n'
        '[dind]\nkeep_layers_size = "1g"\nkeep_layers_budget = "3g"\n'
    )

    assert budgets_of(settings, things) == (
        (Budget(2048, 3), (things[1], things[2])),
        (Budget(3 * 1024**3, 3, 1024**3), (things[3],)),
        (Budget(1024**2, 4), (things[0],)),
    )


def test_nothing_is_bounded_unless_the_settings_say_so() -> None:
    """But for the layers of a single slot."""
    layers = Budget(each=20 * 1024**3)
    assert [budget for budget, _ in budgets_of(some_settings(), [])] == [Budget(), layers, Budget()]
