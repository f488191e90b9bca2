"""`dind-executor register`: from a host with gitlab-runner to a runner that takes jobs.

`command` tells the story and `options` what it is given.  `section` and `config_text` are pure: what
config.toml gets, and how it gets it beside what an administrator has written.  `config_file` writes
it, `creation` talks to GitLab, `runner`, `service` and `checking` call gitlab-runner, systemd and
`dind-executor doctor`.
"""
