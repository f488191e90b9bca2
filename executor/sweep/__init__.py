"""Finds what jobs of a dead gitlab-runner left, judges each job, and removes it.

`look` changes nothing, `act` removes what a look has judged so, and `sweeping` is both, as prepare
does them beside its own work.  `verdict` decides; `jobs` says what is known of one; all else here
sees, acts, or remembers (`state`).
"""
