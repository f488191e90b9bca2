"""Keeps room on the Docker Engine's disks: before a job begins, and while jobs run.

`limits` decides, by what `host.disk` sees.  prepare asks `room`.  `run` has `watch` in a thread beside
its script, which looks at what is `watched`: near the floor each job measures itself (`growth`, where
`scene` says), tells the others (`meeting`), and the one that has written most ends itself (`ending`).
"""
