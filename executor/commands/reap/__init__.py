"""`dind-executor reap`: removes, on demand, what jobs left whose gitlab-runner is dead.

`command` looks, asks and acts, `words` is how GitLab is asked, and `report` what people and monitors
read.  What is left on the host, whose it is and what may be done about it, `executor.sweep` knows.
"""
