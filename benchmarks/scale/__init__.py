"""What many hosts ask of GitLab, of registries, of addresses and of disks.

`measuring` counts on the rig what one job and one host ask for, and `measured.json` has it.  `fleet`,
`host`, `warmth` and `notice` are what becomes of that with many of them: simulations and formulas that
check each other.  `python -m benchmarks.scale` makes docs/scale.md of it.
"""
