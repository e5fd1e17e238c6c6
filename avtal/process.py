"""Settings of the interpreter for a process that serves: made once, by the composition roots."""

import sys

SWITCH_SECONDS = 0.0005
"""A thread that returns from the database waits no longer than this for the interpreter, and so do all who wait for its
locks. Python's default is ten times as long, several times in each transaction."""


def tune_interpreter() -> None:
    sys.setswitchinterval(SWITCH_SECONDS)
