"""GitLab's API for commands, through python-gitlab.

`line` makes one exchange, bounded in time and size.  `client` asks again where that is safe, reads
pages, and says in a sentence what a token lacks.  `tokens` reads the files that tokens are in,
and `configuration` python-gitlab's own.
Nothing here is for a stage: `executor.sweep.gitlab_api` is, without python-gitlab.
"""
