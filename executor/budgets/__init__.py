"""Keeps what outlives jobs within bounds: who used what when, what it takes, what has to go.

`records` says when a job last used something, `measured` what it took when it was last measured.
`look` puts together what is there, `choice` decides, and `removal` removes.  `reclaim` frees room on
the way of a job, without measuring anything.
"""
