"""The command, if your shell does not find it: ``python -m relogin explain …``."""

import sys

from relogin.cli import main

if __name__ == "__main__":
    sys.exit(main())
