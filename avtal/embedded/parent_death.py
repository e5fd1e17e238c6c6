"""`python -m avtal.embedded.parent_death PARENT PROGRAM ARGUMENTS…`: runs a program that does not outlive its parent.

Linux kills the process when its parent dies, even by kill -9. Other systems do not (docs/limits.md).
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    parent, program = int(sys.argv[1]), sys.argv[2:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            sys.exit("the parent is already dead")
    os.execvp(program[0], program)


if __name__ == "__main__":
    main()
