"""How values are written by Docker's and gitlab-runner's rules: parsed, and checked.

Pure; knows no job and no settings.
"""
