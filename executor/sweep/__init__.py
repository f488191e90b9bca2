"""Finds what jobs of a dead gitlab-runner left, judges each job, and removes it.

`look` changes nothing, `act` removes what a look has judged so, and `sweeping` is both, as prepare does
them beside its own work.  `verdict` decides by what `evidence`, `processes` and `attempts` see; `jobs`
puts together what is found of one; `state` remembers.  The payload of a job ends it in GitLab (`ghosts`)
and goes with its directory (`files`).  Of a directory without a note of its owner (`unsigned`), `orphans`
judges by what living gitlab-runners have open (`makers`); `logs` are the files of job logs.
"""
