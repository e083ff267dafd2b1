"""What is written to the log must open nothing (T2)."""

import logging
import re

SECRET_PATHS = re.compile(
    r"(/invitations/|/accounts/(?:confirm-email|newsletter|password/reset/key)/)"
    r"(?!(?:join|waiting|decline|declined|sign-out|done)/)[^/\s\"'?]+"
)
# Whatever begins a new line somewhere, or moves the cursor of a terminal (T16).
CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


class MaskTokens(logging.Filter):
    """Hide the tokens in the addresses of links; keep each event on one line."""

    def filter(self, record: logging.LogRecord) -> bool:
        message = SECRET_PATHS.sub(r"\1…", record.getMessage())
        record.msg = CONTROLS.sub(lambda found: repr(found[0])[1:-1], message)
        record.args = ()
        return True
