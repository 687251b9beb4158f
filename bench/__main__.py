"""``python -m bench``: every measurement, one after the other; exit code 1 if a limit does not hold."""

from __future__ import annotations

import sys

from bench import admission, page, rendering, startup

if __name__ == "__main__":
    results = [each.main() for each in (rendering, admission, page, startup)]
    sys.exit(0 if all(result["holds"] for result in results) else 1)
