"""The simulation of many hosts."""
