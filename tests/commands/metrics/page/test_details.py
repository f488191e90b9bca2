"""The page of one job."""

import pytest

from executor.commands.metrics.page.details import details
from executor.commands.metrics.page.history import Told
from tests.commands.metrics.page.samples import NOW, ended, going
from tests.commands.metrics.page.test_markup import EVIL, Reader


def words(told: Told) -> str:
    return " ".join(" ".join(Reader(details(told, NOW)).texts).split())


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        (ended(), "failed , because of the job author: script"),
        (ended("system_failure", "registry_down"), ", because of the host: registry down"),
        (ended("success", "none"), "passed"),
        (going(), "Runs. Last heard of"),
    ],
)
def test_how_it_ended(told: Told, sentence: str) -> None:
    """And whose fault that is, if anybody's."""
    assert sentence in words(told)


def test_its_timeline() -> None:
    """Each call has a bar, and a row with what it took."""
    page = Reader(details(ended(), NOW))

    assert sum(name == "rect" for name, _ in page.tags) > 5
    assert {"prepare", "get_sources", "build_script", "cleanup"} <= set(page.texts)
    assert "dind-executor timeline 4711" in page.texts
    assert "style" not in {name for name, _ in page.tags}


def test_names_that_mean_harm() -> None:
    """They are texts, in the picture too."""
    told = going(1)
    record = {
        **told.records[0],
        **dict.fromkeys(("job", "project", "gitlab", "stage", "step", "outcome", "reason"), EVIL),
        "did": [{"what": "pull", "from": 0, "to": 1, "image": EVIL, "why": EVIL}],
    }

    page = Reader(details(told._replace(records=(record,)), NOW))

    assert not {name for name, _ in page.tags} & {"script", "img", "style"}
    assert not {each for _, found in page.tags for each in found if each.startswith("on")}
    assert sum(EVIL in each for each in page.texts) > 4
