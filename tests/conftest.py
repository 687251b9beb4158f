"""For all tests: hypothesis tries the same examples every time, so that a failure is never a matter of luck.

``pytest --hypothesis-profile=explore`` looks further, with new examples at each run.
"""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("steady", derandomize=True, deadline=None)
settings.register_profile("explore", deadline=None, max_examples=1000)
settings.load_profile("steady")
