"""dind-executor: a GitLab Runner custom executor for jobs that build container images.

| module        | meaning                                                        | does I/O |
|---------------|----------------------------------------------------------------|----------|
| `__main__`    | owns the process exit: an exception becomes an exit code       | yes      |
| `cli`         | stage name → stage module; SIGTERM → `Cancelled`               | no       |
| `migrate`     | a runner of the Docker executor → settings and registration    | yes      |
| `stages`      | config, prepare, run, cleanup: each reads, plans, applies      | yes      |
| `engine`      | the Docker Engine: transport, verbs, scripts, readiness        | yes      |
| `plan`        | job + settings + facts → `spec.Plan`                           | no       |
| `services`    | what counts as dind, aliases, the sidecar                      | no       |
| `credentials` | which registry credential for which image                     | no       |
| `images`      | image references and allow-lists                               | no       |
| `settings`    | the operator's file, read and checked                          | no       |
| `job`         | JOB_RESPONSE_FILE as frozen data                               | no       |
| `names`       | names and labels of a job's containers, network and volumes    | no       |
| `certs`       | the job's CA, server and client certificate                    | no       |
| `log`         | the operator's log, redacted, and sentences for the job log    | yes      |
| `local`       | the embedded runner: jobs of a pipeline file through the hooks | yes      |

A module imports only from rows below its own, `errors` and `table`; `engine` and `plan` meet in
`spec`.  What `run` needs before the script starts stays free of every package that is slow to
import (`tests/test_imports.py` holds the list).
"""

__version__ = "0.1.0"
