"""``python -m bench``: every measurement, one after the other; exit code 1 if a limit does not hold."""

from __future__ import annotations

import sys

from bench import rendering

if __name__ == "__main__":
    sys.exit(0 if rendering.main()["holds"] else 1)
