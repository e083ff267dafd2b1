"""A company keeps an administrator who can enter the desk, whichever way one tries."""

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from accounts.models import User
from companies.tools import COMPANY_ADMINISTRATOR, MEMBER
from tests.cast import PASSWORD, add_entry, template


@pytest.fixture
def unproven(acme):
    """Made by a first password, so kept out of the desk until a mail is answered."""
    user = User.objects.create_user("una@acme.example", PASSWORD, is_proven=False)
    return add_entry(
        acme,
        "una@acme.example",
        user=user,
        joined_at=timezone.now(),
        template=COMPANY_ADMINISTRATOR,
    )


@pytest.mark.usefixtures("unproven")
def test_one_who_can_not_enter_does_not_count(ada, acme):
    ada.template = template(acme, MEMBER)
    with pytest.raises(ValidationError, match="only administrator"):
        ada.save()
    ada.is_active = False
    with pytest.raises(ValidationError, match="only administrator"):
        ada.save()


def test_levels_can_not_be_taken_from_the_only_one_who_can_enter(ada, acme, unproven):
    own = template(acme, COMPANY_ADMINISTRATOR).duplicate("Night administrator", None)
    unproven.template = own
    unproven.save()
    with pytest.raises(ValidationError, match="no administrator"):
        template(acme, COMPANY_ADMINISTRATOR).set_levels({"directory": 0}, None)
    own.set_levels({"directory": 0}, None)


def test_an_operator_who_switches_the_last_one_off_is_told(as_, olga, ada, max_, acme):
    """Done at once, for it may be stolen; and what it leaves behind is said."""
    for entry, told in (
        (max_, []),
        (ada, [f"{acme} has no administrator now: make somebody one."]),
    ):
        path = f"/admin/accounts/user/{entry.user_id}/change/"
        answer = as_(olga).post(path, {}, follow=True)
        assert not User.objects.get(pk=entry.user_id).is_active
        warnings = [
            str(each)
            for each in answer.context["messages"]
            if each.level_tag == "warning"
        ]
        assert warnings == told
