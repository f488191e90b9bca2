"""`dind-executor fleet`: all runners of a GitLab, and the hosts that work for them.

`command` tells the story and `options` what it is given (by `arguments`); `scopes` says where a token has
more than that needs.  `listing` reads what GitLab knows (over several connections, `together`), `rows` is
what of that counts, `rules` judges it, and `report` is what people and programs read.  `draining` has jobs end: of a runner in GitLab
(`pausing`) or on this host (`host`), with each change in the `journal`, and `waiting` until it is over;
`fitness` is doctor's word on a host that takes jobs again.  `stale` deletes what nobody uses.
`reconciling` is about jobs of hosts that are gone: `ghosts` finds them, and `ending` ends them.  `rotating` gives a
runner another token: `entry` is config.toml, and `rotation` what happens in GitLab and there.
"""
