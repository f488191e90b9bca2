"""What is found is put together by job, and says of the job what its labels say."""

from typing import cast

from executor.notation.claims import CLAIM_PREFIX
from executor.sweep.files import LeftDirectory
from executor.sweep.jobs import Found, Thing, put_together
from tests.sweep.left import KEY, OTHER, belonging, dead_owner, listed, objects_of


def test_a_job_has_its_objects_of_all_kinds() -> None:
    """Containers, networks and volumes of one label are one job's; another label is another job."""
    said, other = belonging(dead_owner()), belonging(None, OTHER)

    found = put_together([*objects_of(said), *objects_of(other)])

    assert [each.key for each in found] == [KEY, OTHER]
    assert [(each.kind, each.name) for each in found[0].things] == [
        ("container", f"dind-executor-{KEY}-build"),
        ("network", f"dind-executor-{KEY}"),
        ("volume", f"dind-executor-{KEY}-builds"),
    ]
    assert found[0].belongings == (said,)
    assert [found[0].count(kind) for kind in ("container", "network", "volume")] == [1, 1, 1]


def test_a_directory_is_the_job_s_that_its_note_names() -> None:
    """A job is known by its directory alone, and what names no job is none."""
    said = belonging(dead_owner())
    left = LeftDirectory("/tmp", "custom-executor1", (1, 2), 0, said.labels())
    lone = LeftDirectory("/tmp", "custom-executor2", (1, 3), 0, {})

    (found,) = put_together([], [left, lone])

    assert found == Found(KEY, (said,), (), (left,))


def test_an_unsigned_directory_names_no_owner() -> None:
    """It tells which job it is, and its gitlab-runner is none that the job's objects may have."""
    said = belonging(None, deadline=100)
    left = LeftDirectory("/tmp", "custom-executor1", (1, 2), 0, said.labels(), is_signed=False)

    (alone,) = put_together([], [left])

    assert (alone.directories, alone.unsigned, alone.belongings) == ((left,), (said,), ())
    assert (alone.owners, alone.job_id, alone.deadline) == ((), "17", 100)
    assert alone.temp_dirs == ("/tmp/custom-executor1",)

    (both,) = put_together(objects_of(belonging(dead_owner(), deadline=200)), [left])
    assert (len(both.owners), both.deadline, both.unsigned) == (1, 200, (said,))


def test_what_has_no_label_of_ours_is_no_job_s() -> None:
    """Objects without labels, with labels of others or with strange ones are left out."""
    strange = cast("object", {"dind-executor.job": 17})

    assert (
        put_together(
            [
                ("container", listed("container", "web", None)),
                ("container", listed("container", "db", None, Labels=None)),
                ("network", listed("network", "net", None, Labels=strange)),
                ("volume", listed("volume", "data", None, Labels={"managed": "true"})),
            ]
        )
        == ()
    )


def test_a_second_attempt_says_other_things() -> None:
    """Each owner and each directory that is named counts, and the latest deadline."""
    first = belonging(dead_owner(), deadline=100)
    second = first._replace(temp_dir="/tmp/custom-executor2", deadline=200)

    (found,) = put_together([*objects_of(first), *objects_of(second)])

    assert found.owners == ((first.owner, ""),)
    assert found.temp_dirs == ("/tmp/custom-executor1", "/tmp/custom-executor2")
    assert found.deadline == 200


def test_a_deadline_that_is_missing_is_none() -> None:
    """Where one object names no deadline, the job has none."""
    first = belonging(None)

    (found,) = put_together([*objects_of(first), *objects_of(first._replace(deadline=None))])

    assert found.deadline is None


def test_a_stranger_is_named() -> None:
    """A container of an image that was made of a job's container has its labels, and another name."""
    said = belonging(dead_owner())
    longer = listed("container", f"dind-executor-{KEY}1", said)

    (own,) = put_together(objects_of(said))
    (web,) = put_together([*objects_of(said), ("container", listed("container", "web", said))])
    (near,) = put_together([*objects_of(said), ("container", longer)])

    assert (own.stranger, web.stranger, near.stranger) == ("", "web", f"dind-executor-{KEY}1")


def test_the_name_among_names_of_links() -> None:
    """A container that is linked with another has a second name; its own counts."""
    said = belonging(None)
    linked = listed("container", "", said, Names=["/other/db", "/dind-executor-1-build"])

    (found,) = put_together([("container", linked)])

    assert found.things[0].name == "dind-executor-1-build"


def test_the_age_is_the_oldest_object_s() -> None:
    """Containers say when they were made in seconds, all else as a date; what says nothing has none."""
    made = Thing("network", "n", "n", "2026-11-28T20:00:00.123456789Z")
    later = Thing("container", "c", "c", 1_795_896_100)
    silent = Thing("volume", "v", "v")

    assert Found(KEY, (), (later, made, silent)).created == 1_795_896_000.123456
    assert Found(KEY, (), (later,)).created == 1_795_896_100
    assert Found(KEY, (), (silent,)).created is None
    assert Found(KEY, (), (Thing("container", "c", "c", 10**400),)).created is None


def test_the_words_for_gitlab() -> None:
    """Job, project and GitLab are what the first object says that says anything of it."""
    silent = belonging(None, job_id="", project_id="", gitlab="")
    said = belonging(None, gitlab="https://gitlab.example.com")

    (found,) = put_together([*objects_of(silent), *objects_of(said)])

    assert (found.job_id, found.project_id, found.gitlab) == (
        "17",
        "3",
        "https://gitlab.example.com",
    )


def test_a_claim_is_no_stranger() -> None:
    """Its name is that of what is claimed; a container of such a name is another matter."""
    said = belonging(None)
    name = f"{CLAIM_PREFIX}0123456789abcdef-0"

    (found,) = put_together([("volume", listed("volume", name, said))])
    (other,) = put_together([("container", listed("container", name, said))])

    assert (found.stranger, other.stranger) == ("", name)
