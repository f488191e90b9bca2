"""The embedded runner: calls the hooks for the jobs of a pipeline file, without GitLab.

| package or module | what it does |
|---|---|
| `command` | `dind-executor local`: from its options to its exit code. |
| `options` | What each option is, and what its value says. |
| `schedule`, `report` | Every job as soon as those that it waits for have passed; the closing table. |
| `runner` | gitlab-runner's part: it calls the hooks for a job and writes the job's log. |
| `server` | What a job asks GitLab for: sources, artifacts and caches over HTTP. |
| `project` | What GitLab knows of the project: its checkout, variables, and the jobs it hands out. |
| `pipeline` | The pipeline file: its language, and the jobs that it describes. |
| `errors` | Why the embedded runner cannot start. |

Each imports only from rows below its own (`runner` and `server` do not know each other), and
nothing of dind-executor but `notation`, `redaction` and the version: it must show what the hooks do
with a job, so it takes nothing from them. It loads YAML and docker, and nothing outside this
package but the command line imports it.
"""
