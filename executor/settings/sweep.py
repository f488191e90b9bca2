"""The `[sweep]` table of the settings: pure."""

from executor.notation.paths import wrong_path
from executor.settings.keys import Section, key


class SweepSettings(Section):
    """What is done about jobs whose gitlab-runner ended before they did, or whose cleanup failed."""

    enabled: bool = key(
        "Let each job's prepare stage look for what such jobs left, beside its own work, and remove"
        " it. Only what is proved to belong to nobody any more is removed.",
        default=True,
    )
    end_ghosts: bool = key(
        "End such a job in GitLab, with its own token, if its gitlab-runner is proved dead. GitLab"
        " runs it again at once if it has `retry: when: runner_system_failure`. Otherwise it hangs"
        " for about an hour, until GitLab calls it stuck.",
        default=True,
    )
    state_dir: str = key(
        "Absolute path of the directory in which a sweep leaves its time, its result, and what it"
        " saw, and in which jobs leave that fetching into kept sources failed. `dind-executor"
        " install` makes it. gitlab-runner's user must be able to write to it: without it, what"
        " takes two looks, such as a cleanup that failed, stays, and so do sources into which"
        " fetching fails.",
        default="/var/lib/dind-executor",
        check=wrong_path,
    )
    gitlab_url: str = key(
        "Address of the GitLab that `gitlab_token_file` is for, such as `https://gitlab.example.com`."
        " No other GitLab gets the token.",
        default="",
    )
    gitlab_token_file: str = key(
        "Absolute path of a file with a token of yours of the scope `read_api`, which only you may"
        " read. `dind-executor reap` asks GitLab with it about jobs of which nothing on this host"
        " tells whether they still run, such as those of another host that uses this Docker Engine."
        " Jobs and their prepare stage never use it.",
        default="",
        check=wrong_path,
    )
