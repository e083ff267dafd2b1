"""Invitations, the mails that carry them, and the terms that everybody agrees to."""

from invitations.models.delivery import Delivery
from invitations.models.invitation import Invitation
from invitations.models.link_request import LinkRequest
from invitations.models.terms import Terms, TermsAcceptance

__all__ = ["Delivery", "Invitation", "LinkRequest", "Terms", "TermsAcceptance"]
