"""The command that brings what is kept within bounds."""
