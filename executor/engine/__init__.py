"""The Docker Engine: HTTP, about ten verbs, its refusals as our errors.

`api` speaks HTTP to the engine (`wire` has the bytes of it), `docker` has the verbs that prepare
and cleanup use, `script` runs a script in a container (`output` reads what it prints), `readiness`
waits for dind.
"""
