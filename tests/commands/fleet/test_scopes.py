"""What a token may do besides what it is for."""

import pytest

from executor.commands.fleet.options import read_options
from executor.commands.fleet.scopes import advice, unneeded
from executor.commands.gitlab.client import Client
from tests.gitlab import moods
from tests.gitlab.server import GitLab

URL = ("--url", "https://gitlab.example.com")


@pytest.mark.parametrize(
    ("action", "scopes", "more"),
    [
        (["audit"], {"read_api"}, []),
        (["audit"], {"read_api", "read_user", "read_repository"}, []),
        (["audit"], {"api"}, ["api"]),
        (["audit"], {"read_api", "manage_runner", "create_runner"}, ["create_runner", "manage_runner"]),
        (["stale"], {"read_api", "manage_runner"}, []),
        (["drain", "--runner", "1"], {"api", "sudo"}, ["api", "sudo"]),
        (["reconcile"], {"api"}, ["api"]),
        (["reconcile", "--yes"], {"api", "manage_runner", "read_api"}, []),
        (["reconcile", "--yes"], {"api", "admin_mode"}, ["admin_mode"]),
    ],
)  # fmt: skip
def test_what_is_not_needed(action: list[str], scopes: set[str], more: list[str]) -> None:
    """Reading something else is nothing to warn of, and what `api` includes is no more than it."""
    assert unneeded(scopes, read_options([*action, *URL], {})) == more


def test_a_sentence(gitlab: GitLab) -> None:
    """Where there is too much; nothing where there is not, or where GitLab does not say."""
    options = read_options(["audit", *URL], {})

    def said(*scopes: str) -> str:
        token = gitlab.registry.add_user(scopes)
        return advice(Client(gitlab.url, token, sleep=lambda _: None), options)

    assert said("read_api") == ""
    assert said("api").startswith("The token has more scopes than `fleet audit` needs (`api`)")
    gitlab.mood = moods.login_page
    assert said("api") == ""
