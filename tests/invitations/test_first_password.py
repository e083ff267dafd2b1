"""A first password that an administrator hands over (S6, T55)."""

from datetime import timedelta
from functools import partial

import pytest
from django.contrib.auth.hashers import check_password, make_password
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from audit.models import AuditEvent
from companies.tools import COMPANY_ADMINISTRATOR
from invitations.models import Delivery, Invitation
from tests.cast import PASSWORD, add_entry, invite, link_in, work
from tests.invitations.test_races import tab_of
from tests.meanwhile import just_before
from tests.steps import (
    CHOSEN,
    FORGOT,
    JOIN,
    accept,
    agree,
    follow,
    is_logged_in,
    join_page,
    log_in,
    rows,
    set_password,
    text,
)

ZOE = "zoe@subco.example"
Kind = AuditEvent.Kind


def hand_over(entry, by):
    """Make a first password; return it with its invitation."""
    [(_, word)], refused = Invitation.objects.make_first_passwords([entry], by)
    assert not refused
    return word, Invitation.objects.pending().get(membership=entry)


@pytest.fixture
def zoe(ada, tower):
    return add_entry(ada.company, ZOE, first_name="Zoe")


@pytest.fixture
def handed(zoe, ada):
    return hand_over(zoe, ada.user)


@pytest.fixture
def unproven(client, handed, ada):
    """Zoe, who has come in with the first password and agreed to the terms."""
    word, invitation = handed
    log_in(client, ZOE, word)
    set_password(client, invitation)
    agree(client)
    return User.objects.get(email=ZOE)


def test_it_is_random_shown_once_and_kept_as_a_hash(as_, ada, zoe):
    """T55."""
    directory = reverse("admin:companies_membership_changelist")
    given = {"action": "first_password", "_selected_action": [zoe.pk]}
    answer = as_(ada).post(directory, given)
    [(entry, word)] = answer.context["passwords"]
    assert entry == zoe
    assert len(word) >= 16
    assert word in text(answer)
    invitation = Invitation.objects.get(membership=zoe)
    assert word not in invitation.first_password
    assert check_password(word, invitation.first_password)
    assert word not in str(rows())
    assert not Delivery.objects.exists()
    assert word not in text(as_(ada).get(directory))


def test_it_leads_to_create_a_password_and_nowhere_else(client, handed):
    """S6: nobody is logged in, and the accounts are as before."""
    word, invitation = handed
    answer = log_in(client, f" {ZOE.upper()}", word, next="/admin/")
    assert answer.url == join_page(invitation)
    assert not is_logged_in(client)
    assert not User.objects.filter(email=ZOE).exists()
    page = text(client.get(answer.url))
    assert "Create a Password" in page
    for path in ("/companies/", "/admin/", "/terms/", "/accounts/email/"):
        assert client.get(path).url.startswith(reverse("account_login"))
    assert AuditEvent.objects.get(kind=Kind.FIRST_PASSWORD_USED).about_id == (
        invitation.membership.pk
    )


def test_the_new_password_must_be_another(client, zoe, ada):
    """T55: also where the one handed over would meet the rules."""
    _, invitation = hand_over(zoe, ada.user)
    Invitation.objects.filter(pk=invitation.pk).update(
        first_password=make_password(CHOSEN)
    )
    log_in(client, ZOE, CHOSEN)
    answer = set_password(client, invitation, CHOSEN)
    assert "Choose another password than the one handed to you." in text(answer)
    assert not User.objects.filter(email=ZOE).exists()
    assert set_password(client, invitation, "Another-Word-9").status_code == 302


def test_the_account_is_unproven_and_reaches_its_company(client, unproven, ada):
    """S6."""
    assert not unproven.is_proven
    assert unproven.check_password(CHOSEN)
    assert client.get(ada.company.get_absolute_url()).status_code == 200
    client.post(reverse("account_logout"))
    assert log_in(client, ZOE, CHOSEN).url == ada.company.get_absolute_url()


def test_the_first_password_is_dead_once_it_was_used(client, handed, unproven):
    """T55: it dies with the invitation."""
    client.post(reverse("account_logout"))
    log_in(client, ZOE, handed[0])
    assert not is_logged_in(client)
    assert Invitation.objects.get().first_password == ""


def test_an_unproven_account_never_enters_the_admin(client, zoe, ada):
    """S6: whatever its template says, until the address is proven."""
    zoe.template = ada.template
    zoe.save()
    word, invitation = hand_over(zoe, ada.user)
    log_in(client, ZOE, word)
    set_password(client, invitation)
    agree(client)
    assert zoe.company.has_member(User.objects.get(email=ZOE))
    page = text(client.get(ada.company.get_absolute_url()))
    assert "Administration" not in page
    for path in ("/admin/", "/admin/companies/membership/"):
        assert client.get(path).status_code == 403
    assert ada.template.name == COMPANY_ADMINISTRATOR
    User.objects.get(email=ZOE).prove()
    assert client.get("/admin/").status_code == 200


@pytest.mark.parametrize("ask", ["get", "post"])
def test_an_unproven_account_can_not_change_its_address(client, unproven, ask):
    """S6: the page says how the address is proven."""
    given = {"email": "evil@globex.example", "action_add": ""}
    answer = getattr(client, ask)(reverse("account_email"), given)
    assert answer.status_code == 403
    assert "Forgot password, or first time here?" in text(answer)
    assert unproven.emailaddress_set.get().email == ZOE
    for action in ("action_send", "action_primary", "action_remove"):
        given = {"email": ZOE, action: ""}
        assert client.post(reverse("account_email"), given).status_code == 403
    assert not Delivery.objects.exists()


@pytest.mark.parametrize("page", ["mfa_activate_totp", "mfa_add_webauthn"])
def test_an_unproven_account_can_not_add_a_factor(client, unproven, page):
    """S6, T54: it would outlast the password."""
    for ask in (client.get, client.post):
        answer = ask(reverse(page), follow=True)
        assert "Show first that your address is yours" in text(answer)
    assert client.get(reverse("mfa_generate_recovery_codes")).status_code in (302, 404)
    assert not unproven.authenticator_set.exists()


def test_an_unproven_account_joins_no_second_company(client, unproven, gina):
    """S6: neither what waits for it, nor what another first password opens."""
    entry = add_entry(gina.company, ZOE)
    invitation = invite(entry, gina.user)
    assert client.get(reverse("invitations:waiting")).status_code == 302
    assert accept(client, invitation).status_code == 404
    client.post(reverse("account_logout"))
    word, _ = hand_over(entry, gina.user)
    log_in(client, ZOE, word)
    assert not is_logged_in(client)
    assert client.get(join_page(invitation)).status_code == 404
    assert not gina.company.has_member(unproven)


def test_a_first_password_that_was_opened_before_joins_nobody_unproven(
    client, zoe, ada, gina
):
    """S6, T10: Globex's was typed first, then Acme's made the account."""
    other = Client()
    entry = add_entry(gina.company, ZOE)
    word, globex = hand_over(entry, gina.user)
    log_in(other, ZOE, word)
    word, acme = hand_over(zoe, ada.user)
    log_in(client, ZOE, word)
    set_password(client, acme)
    agree(client)
    assert "Log in to accept" in text(set_password(other, globex, "Another-Word-9"))
    log_in(other, ZOE, CHOSEN)
    answer = other.post(JOIN, {"invitation": globex.public_id})
    assert answer.status_code == 404
    user = User.objects.get(email=ZOE)
    assert user.check_password(CHOSEN)
    assert not gina.company.has_member(user)


def test_a_welcome_link_sets_the_password_anew(client, unproven, gina):
    """S6: to a mailed link the account counts as none."""
    invitation = invite(add_entry(gina.company, ZOE), gina.user)
    mailbox = Client()
    page = follow(mailbox, invitation)
    assert "Create a Password" in text(page)
    answer = set_password(mailbox, invitation, CHOSEN)
    assert "You have used this password before" in text(answer)
    answer = set_password(mailbox, invitation, "Another-Word-9")
    assert answer.url == gina.company.get_absolute_url()
    unproven = User.objects.get(pk=unproven.pk)
    assert unproven.check_password("Another-Word-9")
    assert unproven.is_proven
    assert gina.company.has_member(unproven)
    # All its sessions have ended, and it is audited.
    assert client.get("/companies/").url.startswith(reverse("account_login"))
    assert AuditEvent.objects.get(kind=Kind.ACCOUNT_PROVEN).actor == unproven


def test_a_welcome_link_works_in_the_session_of_the_account_too(client, unproven, gina):
    """S6: a new session begins."""
    invitation = invite(add_entry(gina.company, ZOE), gina.user)
    before = client.session.session_key
    follow(client, invitation)
    set_password(client, invitation, "Another-Word-9")
    assert is_logged_in(client)
    assert client.session.session_key != before
    assert User.objects.get(pk=unproven.pk).is_proven


def test_a_reset_link_proves_the_address(client, unproven, mailoutbox):
    """S6: and ends all sessions."""
    mailbox = Client()
    mailbox.post(FORGOT, {"email": ZOE})
    work()
    [letter] = mailoutbox
    assert letter.to == [ZOE]
    page = mailbox.get(link_in(letter), follow=True)
    assert not User.objects.get(pk=unproven.pk).is_proven
    form = page.redirect_chain[-1][0]
    mailbox.post(form, {"password1": "Another-Word-9", "password2": "Another-Word-9"})
    unproven = User.objects.get(pk=unproven.pk)
    assert unproven.is_proven
    assert unproven.check_password("Another-Word-9")
    assert not is_logged_in(mailbox)
    assert client.get("/companies/").url.startswith(reverse("account_login"))
    kinds = AuditEvent.objects.values_list("kind", flat=True)
    assert {Kind.ACCOUNT_PROVEN, Kind.PASSWORD_RESET} <= set(kinds)


def test_the_mail_of_the_same_invitation_leads_to_a_reset_link(
    client, zoe, ada, mailoutbox
):
    """S6: its reader has created no password, and gets the account all the same."""
    invitation = invite(zoe, ada.user)
    word, _ = hand_over(zoe, ada.user)
    log_in(client, ZOE, word)
    set_password(client, invitation)
    agree(client)
    mailbox = Client()
    answer = follow(mailbox, invitation)
    assert answer.status_code == 404
    assert "Somebody used it with a password that was handed over" in text(answer)
    assert f'href="{FORGOT}"' in text(answer)
    assert "Log in with your password" not in text(answer)
    User.objects.get(email=ZOE).prove()
    assert "Log in with your password" in text(follow(mailbox, invitation))


def test_a_mailed_link_counts_for_more(client, zoe, ada):
    """S6: whoever has followed both has shown the mailbox."""
    invitation = invite(zoe, ada.user)
    word, _ = hand_over(zoe, ada.user)
    follow(client, invitation)
    log_in(client, ZOE, word)
    set_password(client, invitation)
    assert User.objects.get(email=ZOE).is_proven


def test_a_pending_invitation_keeps_its_link(client, zoe, ada):
    """S6: the first password lies beside it."""
    invitation = invite(zoe, ada.user)
    hand_over(zoe, ada.user)
    assert Invitation.objects.get().version == invitation.version
    assert "Create a Password" in text(follow(client, invitation))


def refused(client, word):
    answer = log_in(client, ZOE, word)
    return answer.status_code == 200 and not client.session.get("invitations")


def test_it_dies_after_24_hours(client, handed, time_machine):
    """T55."""
    word, _ = handed
    made_at = Invitation.objects.get().first_password_made_at
    time_machine.move_to(made_at + timedelta(hours=24) - timedelta(seconds=1))
    assert log_in(client, ZOE, word).status_code == 302
    client.cookies.clear()
    time_machine.move_to(made_at + timedelta(hours=24))
    assert refused(client, word)


@pytest.fixture(params=["a newer one", "24 hours"])
def kill(request, time_machine, ada):
    """Lets a first password die, while its invitation stays as it is."""
    time_machine.move_to(timezone.now() + timedelta(hours=23))

    def kill(invitation):
        if request.param == "a newer one":
            hand_over(invitation.membership, ada.user)
        else:
            time_machine.shift(timedelta(hours=1))

    return kill


def test_once_dead_it_joins_nobody_who_had_typed_it(client, handed, kill):
    """S6, T55: whoever found the slip of paper first keeps no way in."""
    word, invitation = handed
    log_in(client, ZOE, word)
    kill(invitation)
    for answer in (client.get(join_page(invitation)), set_password(client, invitation)):
        assert answer.status_code == 404
        assert "The password that was handed to you is too old" in text(answer)
    assert not User.objects.filter(email=ZOE).exists()


def test_who_sends_the_form_twice_goes_on(client, handed, unproven):
    """S6, T8: also somebody who has not shown the mailbox yet."""
    _, invitation = handed
    answer = set_password(client, invitation, "Another-Word-9")
    assert answer.url == reverse("companies:select")
    assert unproven.check_password(CHOSEN)


def test_a_planted_session_does_not_answer_it(client, handed, ivo):
    """T31: nor what was typed in a browser in which it was planted."""
    word, invitation = handed
    thief = Client()
    follow(thief, ivo)
    client.cookies.load(thief.cookies.output(header=""))
    log_in(client, ZOE, word)
    assert set_password(thief, invitation).status_code == 404
    assert set_password(client, invitation).status_code == 302


def test_nor_does_the_session_of_an_account_that_is_not_proven(client, unproven, gina):
    """T31, S6: whoever made it with the slip of paper has not read the mailbox."""
    invitation = invite(add_entry(gina.company, ZOE), gina.user)
    thief = tab_of(client)
    follow(client, invitation)
    assert set_password(thief, invitation, "Another-Word-9").status_code == 404
    assert User.objects.get(pk=unproven.pk).check_password(CHOSEN)


def test_the_newer_one_must_differ_from_the_new_password_too(client, handed, ada):
    """T55: and typed in the same browser it takes the place of the older one."""
    word, invitation = handed
    log_in(client, ZOE, word)
    newer, _ = hand_over(invitation.membership, ada.user)
    log_in(client, ZOE, newer)
    Invitation.objects.update(first_password=make_password(CHOSEN))
    assert "Choose another password" in text(set_password(client, invitation))
    assert set_password(client, invitation, "Another-Word-9").status_code == 302


def test_nor_where_it_dies_while_the_form_is_read(handed, kill):
    """T55: the accepting UPDATE asks once more."""
    _, invitation = handed
    kill(invitation)
    zoe = User(email=ZOE)
    zoe.set_password(CHOSEN)
    with pytest.raises(ValidationError, match="is too old"):
        invitation.accept(zoe, version=1, is_proven=False)
    assert not User.objects.filter(email=ZOE).exists()
    invitation.accept(zoe, version=1, is_proven=True)


@pytest.mark.parametrize("way", ["revoke", "send again", "correct the address"])
def test_it_dies_with_the_invitation_and_its_version(client, handed, zoe, ada, way):
    """T55."""
    word, invitation = handed
    match way:
        case "revoke":
            Invitation.objects.filter(pk=invitation.pk).revoke(ada.user)
        case "send again":
            invite(zoe, ada.user)
        case "correct the address":
            zoe.email = "zoe.novak@subco.example"
            zoe.save()
    assert refused(client, word)


def test_it_dies_when_the_invitation_expires(client, handed):
    """T55: whichever comes first."""
    word, invitation = handed
    Invitation.objects.filter(pk=invitation.pk).update(
        sent_at=timezone.now() - timedelta(days=7), expires_at=timezone.now()
    )
    assert refused(client, word)


def test_only_the_newest_live_one_of_an_address_counts(client, zoe, ada, gina):
    """Design, section 2: one hash, so one candidate."""
    first, _ = hand_over(zoe, ada.user)
    second, newest = hand_over(add_entry(gina.company, ZOE), gina.user)
    assert refused(client, first)
    assert log_in(client, ZOE, second).url == join_page(newest)


def test_it_is_useless_on_an_existing_account(client, gina, max_):
    """T55: and the administrator reads the same for everybody."""
    entry = add_entry(gina.company, "max@acme.example")
    word, invitation = hand_over(entry, gina.user)
    log_in(client, "max@acme.example", word)
    assert not is_logged_in(client)
    assert client.get(join_page(invitation)).status_code == 404
    max_.user.refresh_from_db()
    assert max_.user.check_password(PASSWORD)


def test_the_answer_of_the_action_is_the_same_for_all(as_, gina, max_):
    """T22: whether somebody has a log-in is not told."""
    entries = [
        add_entry(gina.company, email)
        for email in ("max@acme.example", "new@subco.example")
    ]
    directory = reverse("admin:companies_membership_changelist")
    given = {"action": "first_password", "_selected_action": [e.pk for e in entries]}
    answer = as_(gina).post(directory, given)
    assert {entry for entry, _ in answer.context["passwords"]} == set(entries)
    assert "Somebody who already has a log-in uses their own password" in text(answer)


def test_who_has_joined_gets_none(ada, max_):
    """T55."""
    made, [(entry, sentence)] = Invitation.objects.make_first_passwords(
        [max_], ada.user
    )
    assert not made
    assert entry == max_
    assert sentence == "Joined already."


def test_none_is_kept_or_noted_for_an_invitation_that_was_revoked_meanwhile(ivo, ada):
    """T55: the row that was read may have moved on."""
    Invitation.objects.filter(pk=ivo.pk).revoke(ada.user)
    assert not ivo.keep_first_password("hash", ada.user)
    ivo.refresh_from_db()
    assert not ivo.first_password
    assert not AuditEvent.objects.filter(kind=Kind.FIRST_PASSWORD_MADE).exists()


def test_who_answers_at_that_moment_is_named_and_gets_none(ada, ivo):
    """T55: no password is shown that would open nothing."""
    decline = partial(ivo.decline, ivo.version)
    entries = [ivo.membership]
    with just_before('UPDATE "invitations_invitation" SET "first_password"', decline):
        made, refused = Invitation.objects.make_first_passwords(entries, ada.user)
    assert made == []
    [(entry, why)] = refused
    assert entry == ivo.membership and "just answered" in why
