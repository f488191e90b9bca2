"""GitLab's API as commands use it: what is asked again, pages of both kinds, refusals as sentences."""

import email.utils
import json
import time
from collections.abc import Callable, Iterator
from http import HTTPStatus
from pathlib import Path

import pytest

from executor.commands.gitlab.client import Client, GitLabFailed, Need
from tests.gitlab import moods, server
from tests.gitlab.moods import Mood
from tests.gitlab.samples import payload
from tests.gitlab.server import GitLab
from tests.web import Answer, Request

READ = Need("read_api")
CREATE = Need("create_runner", "needs the role Owner in group 7")
NEW = {"runner_type": "group_type", "group_id": 7, "description": "builder"}


@pytest.fixture(name="gitlab")
def _gitlab(tmp_path: Path) -> Iterator[GitLab]:
    with server.serving(tmp_path) as gitlab:
        yield gitlab


class Slept(list[float]):
    """How long a client has waited, without anybody waiting."""

    def __call__(self, seconds: float) -> None:
        self.append(seconds)


def client(gitlab: GitLab, token: str, slept: Slept | None = None, budget: float = 120) -> Client:
    """Return a client that does not wait."""
    return Client(
        gitlab.url,
        token,
        "the token in F",
        budget_seconds=budget,
        sleep=Slept() if slept is None else slept,
    )


def reader(gitlab: GitLab, slept: Slept | None = None, budget: float = 120) -> Client:
    """Return a client whose token has the scope read_api."""
    return client(gitlab, gitlab.administrators_token, slept, budget)


def counting(mood: Mood, seen: list[str]) -> Mood:
    """Return a mood that notes what it is asked."""

    def answer(request: Request) -> Answer | None:
        seen.append(request.method)
        return mood(request)

    return answer


# --- what may be asked ---------------------------------------------------------------------------


def test_a_runner_is_created_with_the_least_scope(gitlab: GitLab) -> None:
    """`create_runner` alone creates a runner, whose token then counts."""
    token = gitlab.registry.add_user({"create_runner"}, groups={7})

    told = client(gitlab, token).post("/user/runners", CREATE, NEW)

    assert isinstance(told, dict)
    row = gitlab.registry.of_token(told["token"])
    assert row is not None
    assert (row.runner_type, row.group_id, row.description) == ("group_type", 7, "builder")


@pytest.mark.parametrize(
    ("scopes", "groups", "words"),
    [
        (
            {"read_api"},
            {7},
            "it needs the scope `create_runner`, and its user needs the role Owner",
        ),
        ({"create_runner"}, {8}, "the role Owner in group 7"),
    ],
)
def test_a_refusal_names_the_least_scope_and_the_role(
    gitlab: GitLab, scopes: set[str], groups: set[int], words: str
) -> None:
    """GitLab says 403 for both, so the sentence has both."""
    token = gitlab.registry.add_user(scopes, groups=groups)

    with pytest.raises(GitLabFailed, match=words) as raised:
        client(gitlab, token).post("/user/runners", CREATE, NEW)

    assert raised.value.status == 403
    assert not raised.value.may_be_done
    assert token not in str(raised.value)


def test_a_token_that_is_none(gitlab: GitLab) -> None:
    """The sentence says which token, and not what it is."""
    with pytest.raises(GitLabFailed, match="does not know the token in F: check that") as raised:
        client(gitlab, "glpat-nobody").get("/version", READ)

    assert "nobody" not in str(raised.value)


def test_what_gitlab_says_is_quoted_without_the_token(gitlab: GitLab) -> None:
    """The words of a 400 are there, cut and without secrets and control characters."""
    said = {"message": {"tag_list": ["is glpat-secret\x1b[2J " + "x" * 5000]}}
    body = json.dumps(said).encode()
    headers = {"Content-Type": "application/json"}
    gitlab.mood = lambda _: Answer(HTTPStatus.BAD_REQUEST, body, headers)

    with pytest.raises(GitLabFailed, match="HTTP 400: ") as raised:
        client(gitlab, "glpat-secret").post("/user/runners", CREATE, NEW)

    text = str(raised.value)
    assert "tag_list" in text
    assert "secret" not in text
    assert text.isprintable()
    assert len(text) < 400


def test_deleting_what_is_gone_is_done(gitlab: GitLab) -> None:
    """404 is what a deletion is for; other refusals are told."""
    token = gitlab.registry.add_user({"manage_runner"})

    client(gitlab, token).delete("/runners/1", Need("manage_runner"))
    client(gitlab, token).delete("/runners/1", Need("manage_runner"))
    with pytest.raises(GitLabFailed, match="manage_runner"):
        reader(gitlab).delete("/runners/1", Need("manage_runner"))

    assert 1 not in gitlab.registry.rows


def test_a_runners_own_token_deletes_its_runner(gitlab: GitLab) -> None:
    """It travels in the body, as URLs are logged."""
    row = gitlab.registry.add({})

    client(gitlab, "").delete("/runners", READ, {"token": row.token})

    assert row.id not in gitlab.registry.rows


# --- asked again ---------------------------------------------------------------------------------


def in_seconds() -> str:
    return "7"


def as_date() -> str:
    return email.utils.formatdate(time.time() + 30, usegmt=True)


@pytest.mark.parametrize(("form", "between"), [(in_seconds, (7, 7)), (as_date, (25, 31))])
def test_a_limit_is_waited_for_as_long_as_gitlab_says(
    gitlab: GitLab, form: Callable[[], str], between: tuple[float, float]
) -> None:
    """Both forms of Retry-After count."""
    slept = Slept()
    gitlab.mood = moods.limited(2, form)

    told = reader(gitlab, slept).get("/version", READ)

    assert isinstance(told, dict)
    assert len(slept) == 2
    assert all(between[0] <= each <= between[1] for each in slept)


@pytest.mark.parametrize(
    ("retry_after", "when"),
    [("3600", "in 3600 seconds"), ("-5", "in some minutes"), ("soon", "in some minutes"),
     ("9" * 40, "in some minutes"), ("Wed, 99 Foo", "in some minutes")],
)  # fmt: skip
def test_a_limit_that_lasts_is_told(gitlab: GitLab, retry_after: str, when: str) -> None:
    """Nobody waits for an hour: the sentence says when to call again."""
    slept = Slept()
    gitlab.mood = moods.limited(99, lambda: retry_after)

    with pytest.raises(GitLabFailed, match=rf"\(429\): try again {when}"):
        reader(gitlab, slept).get("/version", READ)

    assert sum(slept) < 60


def test_the_budget_ends_the_waiting(gitlab: GitLab) -> None:
    """What all calls of a client wait is limited together."""
    slept = Slept()
    gitlab.mood = moods.limited(99, lambda: "40")
    asked = reader(gitlab, slept, 100)

    for _ in range(3):
        with pytest.raises(GitLabFailed):
            asked.get("/version", READ)

    assert slept == [40, 40]


@pytest.mark.parametrize("mood", [moods.broken(HTTPStatus.BAD_GATEWAY), moods.refusing])
def test_a_fault_is_asked_about_again_and_nothing_is_sent_twice(gitlab: GitLab, mood: Mood) -> None:
    """A GET has several tries, a POST one; afterwards the POST may have been done."""
    seen: list[str] = []
    gitlab.mood = counting(mood, seen)

    with pytest.raises(GitLabFailed):
        reader(gitlab).get("/version", READ)
    gets = len(seen)
    with pytest.raises(GitLabFailed) as raised:
        reader(gitlab).post("/user/runners", CREATE, NEW)

    assert gets == 6
    assert seen[gets:] == ["POST"]
    assert raised.value.may_be_done


@pytest.mark.parametrize("verb", ["get", "post", "put", "delete"])
def test_a_limit_refuses_what_changes_something_at_once(gitlab: GitLab, verb: str) -> None:
    """Only a GET waits; the other's sentence says for how long to."""
    slept = Slept()
    gitlab.mood = moods.limited(1, in_seconds)
    asked = reader(gitlab, slept)
    if verb == "get":
        asked.get("/version", READ)
        assert slept == [7]
        return
    with pytest.raises(GitLabFailed, match="try again in 7 seconds"):
        getattr(asked, verb)("/runners/1", READ, {})
    assert slept == []


def test_a_login_page_is_no_answer(gitlab: GitLab) -> None:
    """Neither one that says 200, nor a proxy's that says 403, nor a redirect to one."""
    for mood, words in (
        (moods.login_page, "such as a login page"),
        (moods.broken(HTTPStatus.FORBIDDEN), "such as the page of a proxy"),
        (moods.redirecting("https://login.example.com/"), "sends elsewhere"),
    ):
        gitlab.mood = mood
        with pytest.raises(GitLabFailed, match=words):
            reader(gitlab).get("/version", READ)


# --- pages ---------------------------------------------------------------------------------------


def ids(things: Iterator[object]) -> list[int]:
    return [each["id"] for each in things if isinstance(each, dict)]


def test_pages_by_numbers(gitlab: GitLab) -> None:
    """All are there once, whatever GitLab calls itself in its links."""
    rows = [gitlab.registry.add({}) for _ in range(24)]
    gitlab.host = "gitlab.internal"
    asked = Client(f"http://127.0.0.1:{gitlab.port}", gitlab.administrators_token)

    assert ids(asked.pages("/runners", READ, per_page=10)) == [1, *(row.id for row in rows)]


def test_pages_behind_a_cursor(gitlab: GitLab) -> None:
    """The jobs of one host, of hundreds, are there once, also where a page fails at first."""
    jobs = [gitlab.enqueue(payload(gitlab.url, id=gitlab.next_id())) for _ in range(23)]
    for number, job in enumerate(jobs):
        gitlab.take(job, f"s_{number % 2}")
    failing = moods.limited(1, lambda: "0")
    pages = []

    def mood(request: Request) -> Answer | None:
        pages.append(request.query)
        return failing(request) if "cursor" in request.query else None

    gitlab.mood = mood
    query = {"pagination": "keyset", "order_by": "id", "per_page": 5, "system_id": "s_0"}
    found = ids(reader(gitlab).pages("/runners/1/jobs", READ, **query))

    assert found == [job.id for job in reversed(jobs[::2])]
    assert len(pages) == 4


def test_a_list_that_breaks_off_is_no_list(gitlab: GitLab) -> None:
    """What came before is not passed off as all: the second page's fault is raised."""
    for _ in range(9):
        gitlab.registry.add({})
    broken = moods.broken(HTTPStatus.BAD_GATEWAY)
    gitlab.mood = lambda request: broken(request) if "page=2" in request.query else None

    pages = reader(gitlab).pages("/runners", READ, per_page=5)
    with pytest.raises(GitLabFailed, match="HTTP 502"):
        list(pages)


@pytest.mark.parametrize(
    ("body", "words"), [(b"{}", "with no list"), (b"[", "not GitLab's API"), (b"", "with no list")]
)
def test_what_is_no_list(gitlab: GitLab, body: bytes, words: str) -> None:
    """Whatever else comes ends the listing."""
    headers = {"Content-Type": "application/json"}
    gitlab.mood = lambda _: Answer(HTTPStatus.OK, body, headers)

    with pytest.raises(GitLabFailed, match=words):
        list(reader(gitlab).pages("/runners", READ))


def test_pages_without_end(gitlab: GitLab) -> None:
    """A page that names itself as the next one ends the listing."""
    link = f'<{gitlab.url}/api/v4/runners?page=2&per_page=100>; rel="next"'
    headers = {"Content-Type": "application/json", "Link": link}
    gitlab.mood = lambda _: Answer(HTTPStatus.OK, b"[]", headers)

    with pytest.raises(GitLabFailed, match="pages without end"):
        list(reader(gitlab).pages("/runners", READ))
