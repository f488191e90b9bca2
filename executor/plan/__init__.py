"""Decides everything that a job gets.

Pure: no I/O, clock or dice.
"""
