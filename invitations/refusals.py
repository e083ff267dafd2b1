"""Why something is refused: a code for the page, a sentence for the reader."""

from django.conf import settings
from django.core.exceptions import ValidationError

SENTENCES = {
    "no_terms": (
        "Nobody can be invited before the Terms and Conditions are published. The "
        "operator does that with ./manage.py publish_terms VERSION FILE."
    ),
    "may_not_invite": "You may not hand out the templates of this entry.",
    "company_inactive": "The company is not active.",
    "entry_inactive": "The entry is not active: activate it first.",
    "already_joined": "Joined already.",
    "just_answered": "The invitation was just answered or taken back: look again.",
    "not_invited": "No open invitation: use ‘Invite’.",
    "send_again": "The last mail is of no use any more: send the invitation again.",
    "expired_already": "The invitation has expired: extend it, or send it again.",
    "invited_lately": "Was invited more recently than that.",
    "open_longer": "The invitation is open for longer already.",
    "mailed_just_now": "Got a mail within the last minute: wait a minute, and repeat.",
    "mailed_often": "Got five mails within a day: try again tomorrow.",
    "unknown": "The link is not complete. Open it in the mail again, or copy it whole.",
    "no_session": (
        "This browser does not hold the link any more: open the mail ‘Welcome to "
        "{site}’ here and follow it again."
    ),
    "expired": "Ask for a new one: the Company Administrator of {company} is told.",
    "revoked": "Ask the Company Administrator of {company} for a new one.",
    "replaced": (
        "A newer invitation has been sent, so this link no longer works. Open the "
        "newest mail ‘Welcome to {site}’."
    ),
    "accepted": "Log in with your password.",
    "joined_unproven": (
        "Somebody used it with a password that was handed over. If you have not "
        "created a password yourself, ask for a link that lets you, and nobody else, "
        "create one."
    ),
    "declined": (
        "If you have changed your mind, ask the Company Administrator of {company} for "
        "a new one."
    ),
    "needs_confirmation": (
        "That is up to the Company Administrator of {company}. You get a new mail as "
        "soon as it is done."
    ),
    "first_password_over": (
        "The password that was handed to you is too old, or there is a newer one. Log "
        "in with the newest, or ask your Company Administrator."
    ),
    "log_in_to_accept": "Log in to accept the invitation of {company}.",
    "already_member": "There is nothing to accept: you belong to {company} already.",
    "other_address": "Log in with the address that it was sent to.",
}


def sentence(code: str, company: object = None) -> str:
    """Say why, and what to do next; name the company to who holds its invitation."""
    facts = {"site": settings.SITE_NAME, "company": company or "your company"}
    return SENTENCES[code].format(**facts)


def refusal(code: str) -> ValidationError:
    return ValidationError(sentence(code), code=code)
