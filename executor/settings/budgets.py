"""The `[budgets]` table of the settings: pure."""

from executor.notation.amounts import byte_size
from executor.settings import checks
from executor.settings.keys import Section, key


def wrong_budget(text: str) -> str:
    """Check how much may be kept: nothing at all is no budget, and must not pass for any amount."""
    if wrong := checks.wrong_size(text):
        return wrong
    if byte_size(text):
        return ""
    return f"{text!r} must be more than 0: leave it empty for any amount, or use `disable_cache`"


class BudgetSettings(Section):
    """What may be kept between jobs: `dind-executor prune` removes what is least recently used."""

    volumes_size: str = key(
        "How much the kept builds directories and cache volumes may take together, such as `50g`."
        " Empty: any amount.",
        default="",
        check=wrong_budget,
    )
    volumes_days: int = key(
        "For how long a builds directory or cache volume is kept that no job uses. 0: for ever.",
        default=0,
        unit="days",
        minimum=0,
        maximum=36500,
    )
    images_size: str = key(
        "How much the images that jobs pulled may take together, such as `100g`. Layers that images"
        " share count for each of them. Empty: any amount.",
        default="",
        check=wrong_budget,
    )
    images_days: int = key(
        "For how long an image that a job pulled is kept that no job uses. 0: for ever.",
        default=0,
        unit="days",
        minimum=0,
        maximum=36500,
    )
