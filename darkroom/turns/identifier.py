"""What the API is told a person is called."""

from __future__ import annotations

import hashlib
import hmac


def safety_identifier(key: bytes, person_key: str) -> str:
    """A name for somebody that is always the same and says nothing: HMAC-SHA256 of their key in the books,
    64 hex digits; OpenAI takes 128 characters at most.

    Without *key*, which never leaves the data directory, nobody can tell whose it is. Who was forgotten and
    comes back has another key in the books, and so another name.
    """
    return hmac.new(key, person_key.encode(), hashlib.sha256).hexdigest()
