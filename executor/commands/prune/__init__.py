"""`dind-executor prune`: measures what is kept between jobs, and removes what exceeds the budgets.

`command` measures, looks and acts, `elsewhere` counts what the engine does not, and `report` is what
people and monitors read.  What is kept and what has to go, `executor.budgets` knows.
"""
