"""What is written to the log must open nothing (T2)."""

import logging
import re

SECRET_PATHS = re.compile(
    r"(/invitations/|/accounts/confirm-email/|/accounts/password/reset/key/)"
    r"(?!(?:join|waiting|decline|declined|sign-out|done)/)[^/\s\"'?]+"
)


class MaskTokens(logging.Filter):
    """Hide the tokens in the addresses of links; keep each event on one line."""

    def filter(self, record: logging.LogRecord) -> bool:
        message = SECRET_PATHS.sub(r"\1…", record.getMessage())
        record.msg = message.replace("\r", "\\r").replace("\n", "\\n")
        record.args = ()
        return True
