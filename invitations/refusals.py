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
    "expired": "This invitation has expired. Ask for a new one.",
    "revoked": (
        "This invitation is no longer valid. Ask your Company Administrator for a "
        "new one."
    ),
    "replaced": (
        "A newer invitation has been sent, so this link works no more. Open the newest "
        "mail ‘Welcome to {site}’."
    ),
    "accepted": "This invitation was used already. Log in with your password.",
    "joined_unproven": (
        "This invitation was used already, by somebody with a password that was handed "
        "over. If you have not created a password yourself, ask for a link that lets "
        "you, and nobody else, create one."
    ),
    "declined": (
        "This invitation was declined. Ask your Company Administrator for a new one if "
        "you have changed your mind."
    ),
    "needs_confirmation": (
        "Your Company Administrator has to confirm this invitation. You get a new mail "
        "as soon as that is done."
    ),
    "first_password_over": (
        "The password that was handed to you works no more: it is too old, or there "
        "is a newer one. Log in with the newest, or ask your Company Administrator."
    ),
    "log_in_to_accept": "You have an account already. Log in to accept the invitation.",
    "already_member": "You are already a member of this company.",
    "other_address": "This invitation is for another address.",
}


def sentence(code: str) -> str:
    return SENTENCES[code].format(site=settings.SITE_NAME)


def refusal(code: str) -> ValidationError:
    return ValidationError(sentence(code), code=code)
