"""May she? Asked in a template."""

from django import template
from django.db import models

from companies.models import AnyUser

register = template.Library()


@register.simple_tag
def may(user: AnyUser, permission: str, row: models.Model) -> bool:
    """Ask `has_perm` about a row.

    `{% may user "companies.standard_rfis" project as may_answer %}`
    """
    return user.has_perm(permission, row)
