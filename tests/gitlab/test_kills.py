"""gitlab-runner is killed in the middle of a job: the next jobs sweep what it left."""

import random
from collections.abc import Iterator

import pytest

from tests.load.kills import EARLIEST, LATEST, Host, host
from tests.rig.state import Rig


@pytest.fixture(scope="module")
def there(rig: Rig, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """A host on which another gitlab-runner works, whose job ends well whatever is killed."""
    with host(rig, tmp_path_factory.mktemp("kills")) as made:
        yield made


@pytest.mark.parametrize("alone", [False, True], ids=["with its stages", "alone"])
def test_what_a_killed_runner_left_is_swept(there: Host, *, alone: bool) -> None:
    """Jobs that follow remove objects and payload, end the job in GitLab, and a stage that lives on."""
    seconds = random.uniform(EARLIEST, LATEST)

    kill = there.kill(seconds, alone=alone)

    print(kill)
    assert there.left_of(kill.job) == ()
    assert kill.ghost == "failed runner_system_failure"
