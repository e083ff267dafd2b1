"""The circles that fill while a password is typed (S10)."""

from typing import Any

from django import template
from django.contrib.auth.password_validation import get_default_password_validators

register = template.Library()


@register.inclusion_tag("accounts/password_requirements.html")
def password_requirements() -> dict[str, Any]:
    """List the configured validators in their order: one source for page and server."""
    return {"requirements": get_default_password_validators()}
