"""'Create a Password': somebody new joins (S8 to S15)."""

from functools import partial

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from audit.models import AuditEvent
from companies.models import Company, Membership
from companies.tools import COMPANY_ADMINISTRATOR
from invitations.models import Invitation
from tests.cast import (
    PASSWORD,
    add_entry,
    add_member,
    add_user,
    invite,
    let_an_hour_pass,
)
from tests.meanwhile import just_before
from tests.steps import (
    CHOSEN,
    JOIN,
    LOG_IN,
    agree,
    follow,
    is_logged_in,
    join_page,
    link_of,
    log_in,
    set_password,
    text,
)

IVO = "ivo@subco.example"
Kind = AuditEvent.Kind


def test_a_person_joins_agrees_and_is_in(client, ivo, tower):
    """S8 to S15: with what was granted before, and nothing more (S4)."""
    page = follow(client, ivo)
    assert "Acme Construction invites you" in text(page)
    assert IVO in text(page)
    answer = set_password(client, ivo)
    assert answer.url == ivo.company.get_absolute_url()
    user = User.objects.get(email=IVO)
    assert user.is_proven
    assert user.check_password(CHOSEN)
    entry = user.memberships.get()
    assert entry == ivo.membership
    assert entry.joined_at
    answer = agree(client, next=answer.url)
    assert answer.url == ivo.company.get_absolute_url()
    assert "Harbour Tower" in text(client.get(answer.url))
    kinds = AuditEvent.objects.filter(actor=user).values_list("kind", flat=True)
    assert {
        Kind.ACCOUNT_CREATED,
        Kind.INVITATION_ACCEPTED,
        Kind.LOGGED_IN,
        Kind.TERMS_ACCEPTED,
    } <= set(kinds)


def test_confirm_has_to_be_the_same(client, ivo):
    """S11: and nobody is let in meanwhile."""
    follow(client, ivo)
    answer = set_password(client, ivo, password2=CHOSEN + "x")
    assert "The two passwords differ" in text(answer)
    assert not User.objects.filter(email=IVO).exists()


@pytest.mark.parametrize(("ticked", "is_subscribed"), [({}, False), (1, True)])
def test_the_newsletter_is_for_who_ticks_it(client, ivo, ticked, is_subscribed):
    """S12, T58: optional, and not ticked beforehand."""
    page = follow(client, ivo)
    assert page.context["form"]["newsletter"].value() in (None, False)
    more = {"newsletter": "on"} if ticked else {}
    set_password(client, ivo, **more)
    user = User.objects.get(email=IVO)
    assert (user.newsletter_since is not None) is is_subscribed


def test_the_address_is_the_invitations_whatever_is_posted(client, ivo):
    """S5, T17: no field of the form names it."""
    follow(client, ivo)
    more = {"email": "evil@globex.example", "is_superuser": "1", "company": "globex"}
    set_password(client, ivo, **more)
    user = User.objects.get(email=IVO)
    assert not user.is_superuser
    assert not User.objects.filter(email="evil@globex.example").exists()
    assert [entry.company for entry in user.memberships.all()] == [ivo.company]


def test_doubled_parameters_name_one_invitation(client, ivo, gina):
    """T17: the one value that is looked at is the one that is accepted."""
    other = invite(add_entry(gina.company, "zoe@subco.example"), gina.user)
    follow(client, ivo)
    follow(client, other)
    given = {
        "invitation": [other.public_id, ivo.public_id],
        "password1": CHOSEN,
        "password2": CHOSEN,
    }
    client.post(f"{JOIN}?i={other.public_id}", given)
    assert User.objects.filter(email=IVO).exists()
    assert not User.objects.filter(email="zoe@subco.example").exists()


def test_a_link_that_was_used_lets_nobody_in(client, ivo):
    """T9: it says so, and neither logs in nor sets a password."""
    follow(client, ivo)
    set_password(client, ivo)
    client.post(reverse("account_logout"))
    answer = client.get(link_of(ivo))
    assert answer.status_code == 404
    assert "This invitation was used already" in text(answer)
    assert LOG_IN in text(answer)
    assert set_password(client, ivo, "Another-Word-9").status_code == 404
    assert not is_logged_in(client)
    assert User.objects.get(email=IVO).check_password(CHOSEN)


def test_who_is_in_goes_on_from_the_own_used_link(client, ivo, max_, as_):
    """T9: nobody who is logged in reads that they should log in."""
    follow(client, ivo)
    set_password(client, ivo)
    agree(client)
    answer = client.get(link_of(ivo), follow=True)
    assert answer.request["PATH_INFO"] == ivo.company.get_absolute_url()
    assert "was used already" in text(as_(max_).get(link_of(ivo)))


def test_a_used_link_does_not_restore_an_ended_membership(client, ivo):
    """T9."""
    follow(client, ivo)
    set_password(client, ivo)
    agree(client)
    type(ivo.membership).objects.filter(pk=ivo.membership.pk).update(is_active=False)
    assert client.get(link_of(ivo)).status_code == 404
    set_password(client, ivo)
    assert client.get(ivo.company.get_absolute_url()).status_code == 404


def test_sent_twice_the_form_joins_once(client, ivo):
    """T8: whoever presses the button again goes on to the company."""
    follow(client, ivo)
    set_password(client, ivo)
    agree(client)
    answer = set_password(client, ivo, "Another-Word-9")
    assert answer.url == reverse("companies:select")
    assert User.objects.get(email=IVO).check_password(CHOSEN)


def test_the_second_browser_is_told_to_log_in(client, ivo):
    """T8: the first password stands."""
    from django.test import Client

    second = Client()
    for each in (client, second):
        follow(each, ivo)
    set_password(client, ivo)
    answer = set_password(second, ivo, "Another-Word-9")
    assert answer.status_code == 404
    assert "This invitation was used already" in text(answer)
    assert not is_logged_in(second)
    assert User.objects.get(email=IVO).check_password(CHOSEN)


def test_two_companies_in_two_tabs_are_not_mixed_up(client, ivo, gina):
    """Design, section 2: the page and its POST name the invitation."""
    second = invite(add_entry(gina.company, IVO), gina.user)
    follow(client, ivo)
    follow(client, second)
    # The older tab is sent first: it joins Acme, then Globex waits to be accepted.
    answer = set_password(client, ivo)
    user = User.objects.get(email=IVO)
    assert [entry.company for entry in user.memberships.all()] == [ivo.company]
    answer = client.get(agree(client, next=answer.url).url, follow=True)
    assert "Globex Builders invites you" in text(answer)
    # The other tab still shows the password form; it accepts, and sets no password.
    answer = set_password(client, second, "Another-Word-9")
    assert answer.url == gina.company.get_absolute_url()
    user.refresh_from_db()
    assert user.check_password(CHOSEN)
    assert user.memberships.count() == 2


def test_in_a_shared_browser_one_lands_where_one_has_joined(client, ivo, gina, max_):
    """S7, S15: a colleague's link, opened before, is nothing to who joins."""
    colleagues = invite(add_entry(gina.company, "zoe@subco.example"), gina.user)
    follow(client, colleagues)
    follow(client, ivo)
    joined = ivo.company.get_absolute_url()
    assert set_password(client, ivo).url == joined
    page = client.get(joined, follow=True)
    assert agree(client, next=page.context["next"]).url == joined
    client.post(reverse("account_logout"))
    follow(client, colleagues)
    assert log_in(client, "max@acme.example").url == joined


def test_another_invitation_of_ones_own_is_offered_after_the_terms(client, ivo, gina):
    """S7: the company that was joined first comes first."""
    other = invite(add_entry(gina.company, ivo.sent_to), gina.user)
    follow(client, other)
    follow(client, ivo)
    joined = ivo.company.get_absolute_url()
    assert set_password(client, ivo).url == joined
    assert agree(client, next=joined).url == join_page(other)


def test_an_account_that_appears_meanwhile_stands(client, ivo, gina):
    """T10: the second company's form, sent from another browser, asks to log in."""
    from django.test import Client

    second = invite(add_entry(gina.company, IVO), gina.user)
    other = Client()
    follow(client, ivo)
    follow(other, second)
    set_password(client, ivo)
    answer = set_password(other, second, "Another-Word-9")
    assert "Log in to accept" in text(answer)
    assert not is_logged_in(other)
    assert User.objects.get(email=IVO).check_password(CHOSEN)
    second.refresh_from_db()
    assert second.state == Invitation.State.PENDING


def test_held_when_the_inviter_may_no_longer_invite(client, ivo, ada, as_):
    """T18b: nobody joins until an administrator who may has sent it again."""
    ada.user.is_active = False
    ada.user.save()
    follow(client, ivo)
    answer = set_password(client, ivo)
    assert answer.status_code == 404
    assert "up to the Company Administrator of Acme Construction" in text(answer)
    ivo.refresh_from_db()
    assert ivo.state == Invitation.State.PENDING
    assert ivo.held_at
    assert not User.objects.filter(email=IVO).exists()
    assert AuditEvent.objects.filter(kind=Kind.INVITATION_HELD).count() == 1
    # The open form and the link say the same from now on.
    for again in (set_password(client, ivo), client.get(link_of(ivo))):
        assert "has to be confirmed" in text(again)
    assert AuditEvent.objects.filter(kind=Kind.INVITATION_HELD).count() == 1


@pytest.mark.parametrize("is_sent_again", [False, True])
def test_not_held_when_the_operator_who_invited_has_left(
    client, acme, ada, olga, is_sent_again
):
    """T18b: an operator's invitation has no inviter; the event still says who."""
    entry = add_entry(acme, IVO)
    ivo = invite(entry, ada.user if is_sent_again else olga)
    if is_sent_again:
        ivo = invite(entry, olga)
    assert ivo.invited_by is None
    event = AuditEvent.objects.filter(kind=Kind.INVITATION_SENT).latest("id")
    assert event.actor == olga
    User.objects.filter(pk=olga.pk).update(is_active=False, is_superuser=False)
    follow(client, ivo)
    set_password(client, ivo)
    assert acme.has_member(User.objects.get(email=IVO))


def test_send_again_by_who_may_settles_a_held_invitation(client, ivo, ada, as_):
    """T18b."""
    bea = add_member(ivo.company, "bea@acme.example", template=COMPANY_ADMINISTRATOR)
    type(ada).objects.filter(pk=ada.pk).update(is_active=False)
    follow(client, ivo)
    set_password(client, ivo)
    let_an_hour_pass(ivo.membership)
    directory = reverse("admin:companies_membership_changelist")
    again = {"action": "send_again", "_selected_action": [ivo.membership.pk]}
    as_(bea).post(directory, again)
    ivo.refresh_from_db()
    assert ivo.held_at is None
    assert ivo.invited_by == bea.user
    follow(client, ivo)
    assert set_password(client, ivo).status_code == 302
    assert User.objects.get(email=IVO).memberships.get() == ivo.membership


def test_a_link_for_an_entry_that_has_joined_is_used(client, ivo):
    """T9: whichever way it was that the person came in."""
    entry = ivo.membership
    user = add_user(IVO)
    type(entry).objects.filter(pk=entry.pk).update(user=user, joined_at=ivo.sent_at)
    answer = client.get(link_of(ivo))
    assert answer.status_code == 404
    assert "This invitation was used already" in text(answer)


def test_a_collision_says_that_one_is_a_member(client, ivo, acme, as_):
    """Design, small rules: the log-in has joined as another entry."""
    user = add_user("other@subco.example")
    add_entry(acme, "other@subco.example", user=user, joined_at=ivo.sent_at)
    user.email = IVO
    user.save()
    user.emailaddress_set.update(email=IVO)
    client = as_(user)
    follow(client, ivo)
    answer = client.post(JOIN, {"invitation": ivo.public_id})
    assert answer.status_code == 404
    assert "you belong to Acme Construction already" in text(answer)


@pytest.mark.parametrize("ask", ["put", "patch", "delete"])
def test_other_methods_are_refused(client, ivo, ask):
    """T46."""
    follow(client, ivo)
    assert getattr(client, ask)(join_page(ivo)).status_code == 405


@pytest.mark.parametrize(
    "public_id", ["", "x", "\0", "a\0b", "é" * 5000, "' OR 1=1 --"]
)
def test_an_id_that_names_nothing_opens_nothing(client, public_id, as_, ada):
    """T6, T49: for a stranger and for somebody who has logged in."""
    for each in (client, as_(ada)):
        for page in ("invitations:join", "invitations:decline"):
            answer = each.get(reverse(page), {"i": public_id})
            assert answer.status_code == 404
            answer = each.post(reverse(page), {"invitation": public_id})
            assert answer.status_code == 404


def test_whoever_has_joined_logs_in_with_what_they_created(client, ivo):
    """S3, S5."""
    follow(client, ivo)
    set_password(client, ivo)
    agree(client)
    client.post(reverse("account_logout"))
    log_in(client, IVO, PASSWORD)
    assert not is_logged_in(client)
    log_in(client, IVO, CHOSEN)
    assert is_logged_in(client)


def corrected(ivo):
    Membership.objects.filter(pk=ivo.membership_id).update(email="right@subco.example")


def switched_off(ivo):
    Membership.objects.filter(pk=ivo.membership_id).update(is_active=False)


def closed(ivo):
    Company.objects.filter(pk=ivo.company_id).update(is_active=False)


@pytest.mark.parametrize(
    ("happens", "sentence"),
    [
        (corrected, "newer invitation"),
        (switched_off, "no longer valid"),
        (closed, "no longer valid"),
    ],
)
def test_nobody_joins_a_company_that_changes_while_the_form_is_read(
    client, acme, happens, sentence
):
    """T4, T34: the accepting UPDATE asks once more, for whoever has invited."""
    ivo = invite(add_entry(acme, IVO))
    follow(client, ivo)
    with just_before("SAVEPOINT", partial(happens, ivo)):
        answer = set_password(client, ivo)
    assert sentence in text(answer)
    assert not User.objects.filter(email=ivo.sent_to).exists()
    ivo.refresh_from_db()
    assert ivo.state == Invitation.State.PENDING
    assert not Invitation.objects.acceptable(timezone.now()).exists()


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        ({"email": "right@subco.example"}, "newer invitation"),
        ({"is_active": False}, "no longer valid"),
    ],
)
def test_nobody_joins_whose_entry_changes_at_that_moment(
    client, ivo, written, sentence
):
    """T4, T34: the entry decides, though the invitation was open when it was read."""
    follow(client, ivo)
    entries = Membership.objects.filter(pk=ivo.membership_id)
    with just_before(
        'UPDATE "companies_membership" SET', partial(entries.update, **written)
    ):
        answer = set_password(client, ivo)
    assert sentence in text(answer)
    assert not User.objects.filter(email=ivo.sent_to).exists()
    assert entries.get().user is None
    ivo.refresh_from_db()
    assert ivo.state == Invitation.State.PENDING
