"""The four stages on a real engine, called as gitlab-runner calls them.

calls      one job: its temp directory, its environment, each call of a hook
request    the job as GitLab sends it
scripts    the scripts that gitlab-runner writes
witness    what the engine says of a job, asked through the docker SDK
registry   images that only these tests need, and a registry that a test may break
own_engine        an engine in a container, which may restart, stop, hang and run full
faulty_registry   a registry that breaks its answers
"""
