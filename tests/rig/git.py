"""The sample project over git's smart HTTP, with a login.

As a process: `python -m tests.rig.git ADDRESS PORT ROOT USERS-JSON`.
"""

import json
import shutil
import sys
from pathlib import Path

from tests import git
from tests.rig import processes
from tests.rig.paths import PROJECT_FILES, SOURCES, WORK
from tests.web import Answer, Request, Server, login_needed

PORT = 5080
PROCESS = "git"
PROJECT = "group/project"
_ROOT = WORK / "git"
_USERS = WORK / "git-users.json"


def start(address: str, users: dict[str, str]) -> str:
    """Ensure that the server runs; return its base URL, to which `group/project.git` is added."""
    repository = _ROOT / f"{PROJECT}.git"
    if not repository.exists():
        create(repository, PROJECT_FILES)
    _USERS.touch(mode=0o600)
    _USERS.write_text(json.dumps(users), encoding="utf-8")
    module = [sys.executable, "-m", "tests.rig.git", address, str(PORT), str(_ROOT), str(_USERS)]
    processes.start(PROCESS, module, {"PYTHONPATH": str(SOURCES.parent.parent)})
    url = f"http://{address}:{PORT}"
    processes.await_answer(PROCESS, url, asks_login=True)
    return url


def stop() -> bool:
    """End the server and return whether there was one."""
    return processes.stop(PROCESS)


def create(repository: Path, files: Path) -> None:
    """Make a bare repository whose branch `main` holds these files."""
    tree = git.copied(files, repository.with_name(repository.name + ".tree"))
    git.git(tree, "clone", "--quiet", "--bare", str(tree), str(repository))
    # Runners fetch a commit by its id, also one that no branch names any more.
    git.git(repository, "config", "uploadpack.allowAnySHA1InWant", "true")
    shutil.rmtree(tree)


def main(arguments: list[str]) -> None:
    """Serve the repositories to the users, name to password, until the process is ended."""
    address, port, root, users = arguments
    logins = json.loads(Path(users).read_text(encoding="utf-8"))

    def answer(request: Request) -> Answer:
        user, password = request.login
        is_known = user in logins and logins[user] == password
        return git.answer(request, Path(root)) if is_known else login_needed("git")

    Server((address, int(port)), answer).serve_forever()


if __name__ == "__main__":
    main(sys.argv[1:])
