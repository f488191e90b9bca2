"""dind-executor: a GitLab Runner custom executor for jobs that build container images.

The rooms from the top.  A room imports only from floors below its own (`pyproject.toml`, contracts).

| floor | room | what it does |
|---|---|---|
| 9 | `__main__` | Owns the process exit: whatever happens, the code says what gitlab-runner must believe. |
| 8 | `cli` | From a command's name to its module, from an error's class to an exit code. |
| 7 | `commands` | What a person types, one file a command. |
| 6 | `stages` | The four calls of gitlab-runner: each reads, decides and acts. |
| 6 | `local` | The embedded runner: calls the hooks for the jobs of a pipeline file, without GitLab. |
| 5 | `reading` | Reads settings, payload and host once. |
| 4 | `plan` | Decides everything that a job gets. |
| 4 | `scripts` | Runs one script in one standing container, and replaces the container where it was lost. |
| 4 | `services` | The sidecar and the other services while a job goes on: are they up, why did they end. |
| 4 | `disk` | Keeps room on the Docker Engine's disks: before a job begins, and while jobs run. |
| 4 | `sweep` | Finds what jobs of a dead gitlab-runner left, judges each job, and removes it. |
| 4 | `budgets` | Keeps what outlives jobs within bounds: who used what when, what it takes, what has to go. |
| 3 | `engine` | The Docker Engine: HTTP, about ten verbs, its refusals as our errors. |
| 3 | `settings` | The administrator's file: every key with its check and its documentation. |
| 3 | `runner` | What gitlab-runner hands to a call, and what one call leaves for the next. |
| 3 | `host` | What the runner's host has for jobs: docker configuration, routes, profiles, archives. |
| 3 | `record` | What took how long: closed words, one writer, one reader. Knows no secret of a job. |
| 2 | `notation` | How values are written by Docker's and gitlab-runner's rules: parsed, and checked. |
| 2 | `log` | Two audiences, two channels: the job log and the administrator's log. |
| 1 | `shell` | The shell programs that run in a job's containers. |
| 1 | `bounds`, `dataclass`, `digests`, `errors`, `excerpts`, `files`, `names`, `quick_json`, `spec`, `tasks`, `redaction` | Words that every room uses, and how far anybody's text goes. |
"""

__version__ = "0.1.0"
