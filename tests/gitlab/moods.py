"""What may answer in GitLab's place: a login page, a limit, a fault, silence.

A mood is for `GitLab.mood`, or for a server of its own.
"""

import threading
from collections.abc import Callable
from http import HTTPStatus

from tests.web import Answer, Request

Mood = Callable[[Request], Answer | None]

_LOGIN_PAGE = b"<!DOCTYPE html><html><body><form action='/login'>Sign in</form></body></html>"


def login_page(_: Request) -> Answer:
    """Answer as a single sign-on in front of GitLab does: with success, and a page."""
    return Answer(HTTPStatus.OK, _LOGIN_PAGE, {"Content-Type": "text/html; charset=utf-8"})


def busy(_: Request) -> Answer:
    """Answer that there were too many requests."""
    body = b'{"message": {"error": "This endpoint has been requested too many times."}}'
    headers = {"Content-Type": "application/json", "Retry-After": "60"}
    return Answer(HTTPStatus.TOO_MANY_REQUESTS, body, headers)


def limited(times: int, retry_after: Callable[[], str]) -> Mood:
    """Return a mood in which there were too many requests so many times, and then none too many.

    The header is a number of seconds or a date, of when it is sent.
    """
    left = [times]

    def answer(_: Request) -> Answer | None:
        if not left[0]:
            return None
        left[0] -= 1
        headers = {"Content-Type": "text/plain", "Retry-After": retry_after()}
        return Answer(HTTPStatus.TOO_MANY_REQUESTS, b"Retry later\n", headers)

    return answer


def broken(status: HTTPStatus) -> Mood:
    """Return a mood in which everything fails with a status, as behind a proxy."""

    def answer(_: Request) -> Answer:
        return Answer(
            status, b"<html>GitLab is not responding</html>", {"Content-Type": "text/html"}
        )

    return answer


def redirecting(location: str) -> Mood:
    """Return a mood in which everything is elsewhere."""

    def answer(_: Request) -> Answer:
        return Answer(HTTPStatus.FOUND, b"", {"Location": location})

    return answer


def slow(released: threading.Event) -> Mood:
    """Return a mood in which nothing is answered before an event."""

    def answer(_: Request) -> None:
        released.wait(60)

    return answer


def refusing(_: Request) -> Answer:
    """Hang up without an answer."""
    raise ConnectionResetError


def only_for(method: str, path: str, mood: Mood) -> Mood:
    """Return a mood that one kind of request meets; `path` is how the request's ends."""

    def answer(request: Request) -> Answer | None:
        is_it = request.method == method and request.path.endswith(path)
        return mood(request) if is_it else None

    return answer
