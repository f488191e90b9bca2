"""`dind-executor metrics`: what happens on this host, for Prometheus and for a browser.

`counts` makes numbers of records (pure), `keeper` keeps them over restarts, `host` looks at what is there
now, each look within its time, `exposition` writes both as Prometheus reads them, and `server` serves.
"""
