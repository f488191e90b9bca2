"""The get_sources script: fetches the sources and checks the job's commit out.

Pure. The job token goes from a file to git: a process list shows nobody's arguments with it.
"""

import shlex

from executor.local.project.predefined import JOB_TOKEN_USER
from executor.local.runner.outcome import ConfigurationFailure
from executor.local.runner.script import ScriptContext, credentials_path, git_config_path

STRATEGIES = ("fetch", "clone", "none", "empty")


def git_strategy(context: ScriptContext) -> str:
    """Return how the job wants its sources."""
    return chosen_strategy(context.variables.get("GIT_STRATEGY"))


def chosen_strategy(value: str) -> str:
    """Return the strategy that a GIT_STRATEGY names."""
    strategy = value or "fetch"
    if strategy not in STRATEGIES:
        message = f'GIT_STRATEGY is "{strategy}"; set it to one of {", ".join(STRATEGIES)}'
        raise ConfigurationFailure(message)
    return strategy


def get_sources(context: ScriptContext) -> str:
    """Return the script of the get_sources sub-stage."""
    strategy = git_strategy(context)
    project = shlex.quote(context.where.project)
    body = [*context.exports(), "export GIT_TERMINAL_PROMPT=0 GCM_INTERACTIVE=Never"]
    if strategy == "none":
        said = context.say("Skipping Git repository setup")
        return context.whole([*body, said, f"mkdir -p {project}"])
    if strategy == "empty":
        said = context.say("Skipping Git repository setup and creating an empty build directory")
        return context.whole([*body, said, f"rm -rf {project}", f"mkdir -p {project}"])
    registration = context.registration
    if strategy == "clone":
        body.append(f"rm -rf {project}")
    body += [
        *_hook(registration.pre_get_sources_script),
        *_credentials(context),
        *_repository(context),
        *_checkout(context),
        *_hook(registration.post_get_sources_script),
    ]
    return context.whole(body)


def clear_worktree(context: ScriptContext) -> str:
    """Return the script that makes room for a second try to get the sources."""
    project = shlex.quote(context.where.project)
    return context.whole(
        [
            context.say("Deleting tracked and untracked files..."),
            f"if [ -d {project} ]; then",
            f"cd {project}",
            "git rm -rf --ignore-unmatch .",
            "git clean -ffdx",
            "fi",
        ]
    )


def _hook(script: str) -> list[str]:
    return [script] if script.strip() else []


def _credentials(context: ScriptContext) -> list[str]:
    site = context.assignment.facts.site
    store = credentials_path(context.where)
    entry = f"http://{JOB_TOKEN_USER}:{context.assignment.token}@{site.host}:{site.port}\n"
    # An empty helper first: the image's own helpers are not asked.
    config = f"[credential]\n\thelper =\n\thelper = store --file={store}\n"
    return [
        f"( umask 077; printf '%s' {shlex.quote(entry)} > {shlex.quote(store)} )",
        f"printf '%s' {shlex.quote(config)} > {shlex.quote(git_config_path(context.where))}",
    ]


def _repository(context: ScriptContext) -> list[str]:
    """Return the commands that make or repair the repository: a killed job may have left locks."""
    facts = context.assignment.facts
    project = shlex.quote(context.where.project)
    address = shlex.quote(f"{facts.site.url}/{facts.project.path}.git")
    include = shlex.quote(git_config_path(context.where))
    lines = [
        f"if [ -d {project}/.git ]; then",
        f"  rm -rf {project}/.git/config {project}/.git/hooks",
        f"  rm -f {project}/.git/index.lock {project}/.git/HEAD.lock {project}/.git/shallow.lock",
        f"  find {project}/.git/refs -name '*.lock' -type f -delete",
        "fi",
    ]
    if context.registration.safe_directory_checkout:
        lines.append(f"git config --global --add safe.directory {project}")
    return [
        *lines,
        f"git -c init.defaultBranch=none init {project}",
        f"cd {project}",
        f"git config include.path {include}",
        f"git remote add origin {address}",
    ]


def _checkout(context: ScriptContext) -> list[str]:
    assignment = context.assignment
    checkout = assignment.facts.checkout
    depth = ["--depth", str(assignment.depth)] if assignment.depth else []
    fetch = ["git", "fetch", "origin", "--no-recurse-submodules", *assignment.refspecs]
    said = f"with git depth set to {assignment.depth}" if assignment.depth else "with all history"
    return [
        context.say(f"Fetching changes {said}..."),
        shlex.join([*fetch, *depth, "--prune", "--quiet"]),
        context.say(f"Checking out {checkout.sha[:8]} as detached HEAD (ref is {checkout.branch})"),
        f"git -c submodule.recurse=false checkout --force --quiet {checkout.sha}",
        "git clean -ffdx",
    ]
