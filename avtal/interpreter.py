"""Tunes the Python interpreter of a serving process. Only the composition roots call it, once."""

import sys

SWITCH_SECONDS = 0.0005
"""The longest time that a thread waits for the interpreter when it returns from the database. Python's default is ten
times as long, several times in each transaction, and extends the locks that the transaction holds."""


def tune_interpreter() -> None:
    sys.setswitchinterval(SWITCH_SECONDS)
