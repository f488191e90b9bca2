"""dind-executor: a GitLab Runner custom executor for jobs that build container images.

The modules, from the top.  One imports only from its own row and from rows below it; what is pure
does no I/O and knows neither clock nor dice.

1. `__main__`, `cli`: the process's exit code; from a command's name to its module
2. `install`, `migrate`, `local`: the commands that a person types; `local` is the embedded runner
3. `stages`: config, prepare, run, cleanup: each reads, decides and acts
4. `inputs`, `context`, `seccomp`, `host_network`, `host_credentials`: what stages read: settings
   and payload, what `run` needs of them, the host's files
5. `pulls`, `helper_archive`: get a job's images
6. `migration`, `migration_text`, `migration_dind`, `migration_parts`, `migration_rules`,
   `settings_manual`: from the Docker executor's keys to ours; the settings documented (pure)
7. `plan`, `image_plan`: job + settings + facts → `spec.Plan`; which images a job gets (pure)
8. `containers`, `dind_container`, `host_config`, `build_environment`, `dind_command`, `certificate_files`, `users`:
   each container of a plan, and what it is told (pure)
9. `mounting`, `volumes`, `slots`: which volumes a job gets, and who shares them (pure)
10. `sidecar`, `debug_services`, `proxies`, `authorities`, `pull_policies`: single decisions about
   a job (pure)
11. `request`: job + settings + credentials: what a job is planned from (pure)
12. `engine`: the Docker Engine: transport, verbs, scripts, readiness
13. `settings`: the operator's file, read and checked
14. `docker_settings`, `service_settings`, `volume_settings`, `container_settings`,
   `service_limit_settings`, `resource_settings`, `image_settings`, `engine_settings`,
   `dind_limit_settings`, `dind_settings`: the keys, by topic (pure)
15. `keys`, `checks`, `container_checks`, `units`, `volume_entry`: what a key is, and what is wrong
   with a value (pure)
16. `services`, `credentials`, `secrets`, `labels`, `images`, `docker_config`, `health`,
   `platforms`: what counts as dind, aliases, logins, secrets, labels, images, ports (pure)
17. `job`: JOB_RESPONSE_FILE as frozen data
18. `log`, `env`, `certs`, `tasks`, `unfinished`: the two logs, what gitlab-runner says in the
   environment, a job's certificates, things done at the same time
19. `spec`, `names`, `variables`, `references`, `globs`, `address_pools`, `redaction`, `table`,
   `errors`: plain data, and rules that know no job (pure)

Pure modules take texts from `engine` (the shell of a container) and never its client; the two meet
in `spec`.  What `run` needs before the script starts stays free of every package that is slow to
import (`tests/test_imports.py` holds this list to the code).
"""

__version__ = "0.1.0"
