"""The Docker Engine: HTTP, about ten verbs, its refusals as our errors.

`docker` has the verbs; everybody else calls these alone.  `api` sends HTTP requests (`wire` has the
bytes of them, `streams` those that are never whole in memory, `tcp` the connection to another
host), and each further module is what one verb does.
"""
