"""'I don't know this company': declined by a POST, for good."""

import pytest
from django.urls import reverse

from audit.models import AuditEvent
from invitations.models import Invitation
from tests.cast import add_entry, invite
from tests.steps import follow, join_page, link_of, rows, set_password, text

DECLINE = reverse("invitations:decline")


def test_the_link_in_the_footer_leads_to_the_question(client, ivo):
    """T1, T2: opening it declines nothing, and its token leaves the address."""
    before = rows()
    answer = client.get(link_of(ivo) + "?decline", follow=True)
    assert answer.redirect_chain == [(f"{DECLINE}?i={ivo.public_id}", 302)]
    assert "Decline the invitation of Acme Construction" in text(answer)
    after = rows()
    [opening] = after["audit.AuditEvent"][len(before.pop("audit.AuditEvent")) :]
    assert opening["kind"] == AuditEvent.Kind.LINK_OPENED
    del after["audit.AuditEvent"]
    assert after == before


def test_declined_is_declined(client, ivo):
    """Design, section 2: only a new invitation takes it back."""
    follow(client, ivo)
    given = {"invitation": ivo.public_id}
    answer = client.post(DECLINE, given)
    assert answer.url == reverse("invitations:declined")
    assert "The invitation is declined" in text(client.get(answer.url))
    ivo.refresh_from_db()
    assert ivo.state == Invitation.State.DECLINED
    assert AuditEvent.objects.get(
        kind=AuditEvent.Kind.INVITATION_DECLINED
    ).about_id == (ivo.membership.pk)
    answer = client.get(link_of(ivo))
    assert answer.status_code == 404
    assert "This invitation was declined" in text(answer)
    for again in (client.get(join_page(ivo)), client.post(DECLINE, given)):
        assert again.status_code == 404
        assert "This invitation was declined" in text(again)


def test_an_open_form_is_refused_after_declining(client, ivo):
    """T4."""
    from django.test import Client

    other = Client()
    for each in (client, other):
        follow(each, ivo)
    client.post(DECLINE, {"invitation": ivo.public_id})
    answer = set_password(other, ivo)
    assert answer.status_code == 404
    assert "This invitation was declined" in text(answer)


def test_after_a_new_invitation_the_person_may_join(client, ivo, ada):
    """Design, section 2."""
    follow(client, ivo)
    client.post(DECLINE, {"invitation": ivo.public_id})
    newer = invite(ivo.membership, ada.user)
    assert newer.pk != ivo.pk
    follow(client, newer)
    assert set_password(client, newer).status_code == 302


def test_nobody_declines_without_the_link(client, ivo, max_, as_):
    """T2: nor does somebody else who has logged in."""
    for each in (client, as_(max_)):
        assert each.post(DECLINE, {"invitation": ivo.public_id}).status_code == 404
    ivo.refresh_from_db()
    assert ivo.state == Invitation.State.PENDING


def test_who_has_logged_in_declines_a_waiting_one(max_, gina, as_):
    """Issue 2, item 6."""
    waiting = invite(add_entry(gina.company, "max@acme.example"), gina.user)
    client = as_(max_)
    assert "Decline the invitation of Globex" in text(
        client.get(DECLINE, {"i": waiting.public_id})
    )
    client.post(DECLINE, {"invitation": waiting.public_id})
    waiting.refresh_from_db()
    assert waiting.state == Invitation.State.DECLINED


@pytest.mark.parametrize("version", [1, 2])
def test_declining_an_older_version_changes_nothing(ivo, ada, version):
    """T4: the verb itself looks at the version of the link."""
    invite(ivo.membership, ada.user)
    assert ivo.decline(version) is (version == 2)
