"""Which user gitlab-runner runs as."""

from pathlib import Path

from executor.commands.doctor.facts import Process, Service
from executor.commands.doctor.files import Files
from executor.commands.doctor.users import user_of
from tests.commands.doctor.hosts import plant, plant_host


def test_a_name_has_its_groups_from_the_files(tmp_path: Path) -> None:
    """Its own group, and those that list it."""
    user = user_of(Files(str(plant_host(tmp_path))), "gitlab-runner", None, None)

    assert (user.uid, user.groups) == (995, frozenset({994, 993}))


def test_a_process_has_the_groups_that_it_began_with(tmp_path: Path) -> None:
    """A group that somebody has added since is not one of the process."""
    plant_host(tmp_path)
    plant(
        tmp_path,
        {"/proc/9/status": "Uid:\t995\t995\t995\t995\nGid:\t994\t994\t994\t994\nGroups:\t994 \n"},
    )
    process = Process(9, ("gitlab-runner", "run"), {}, in_container=False)

    user = user_of(Files(str(tmp_path)), "", process, None)

    assert (user.name, user.uid, user.groups) == ("gitlab-runner", 995, frozenset({994}))


def test_a_unit_names_a_user_or_means_root(tmp_path: Path) -> None:
    """Without a process the unit counts, and without a user in it root does."""
    files = Files(str(plant_host(tmp_path)))

    assert (
        user_of(files, "", None, Service(found=True, properties={"User": "gitlab-runner"})).uid
        == 995
    )
    assert user_of(files, "", None, Service(found=True, properties={})).uid == 0


def test_a_user_that_is_not_there_may_nothing(tmp_path: Path) -> None:
    """A name without an entry is said to be none, and is in no group."""
    user = user_of(Files(str(plant_host(tmp_path))), "nobody-knows", None, None)

    assert "no such user" in user.how
    assert not user.groups
