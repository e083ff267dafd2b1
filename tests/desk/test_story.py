"""'Why can't she get in?': what happened, the answer, and the one next step."""

import html
import re
from datetime import date, timedelta

import pytest
from django.contrib.auth.signals import user_login_failed
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit.models import AuditEvent
from companies.models import Membership, Project, ProjectMembership
from companies.tools import COMPANY_ADMINISTRATOR
from desk.steps import Finding
from invitations.models import Delivery, Invitation, Terms
from tests.cast import (
    PASSWORD,
    add_entry,
    add_member,
    add_user,
    invite,
    put_on,
    work,
)
from tests.desk.test_directory_list import (
    expired,
    needs_confirmation,
    new_link_asked,
)
from tests.steps import accept, agree, follow, link_of, log_in, set_password, text
from tests.test_query_counts import queries  # noqa: F401

WHY = reverse("admin:why")
DIRECTORY = reverse("admin:companies_membership_changelist")
FIREFOX = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Firefox/145.0"}
Kind = AuditEvent.Kind


def story_url(entry):
    return reverse("admin:companies_membership_story", args=[entry.pk])


def read(client, entry):
    answer = client.get(story_url(entry))
    assert answer.status_code == 200
    return answer


def words(answer):
    return [moment.words for moment in answer.context["moments"]]


def button(answer):
    """The action that the page's one button posts, if it has one."""
    return re.findall(r'name="action" value="(\w+)"', text(answer))


def mail(invitation, state, reason=""):
    [delivery] = Delivery.objects.claim(100)
    assert delivery.invitation == invitation
    delivery.settle(state, reason)


# The time line


def test_the_way_in_is_told_from_the_beginning(
    as_, client, ada, ivo, tower, time_machine
):
    """From the entry to the project, in the order of time, each once."""
    start = timezone.now()

    def later(minutes):
        time_machine.move_to(start + timedelta(minutes=minutes), tick=False)

    later(1)
    mail(ivo, Delivery.State.ACCEPTED)
    client.get(link_of(ivo), headers={"User-Agent": "SafeLinks scan"})
    later(2)
    client.get(link_of(ivo), headers={"User-Agent": "SafeLinks scan"})
    later(3)
    follow(client, ivo, headers=FIREFOX)
    later(4)
    set_password(client, ivo)
    later(5)
    agree(client)
    later(6)
    client.post(reverse("account_logout"))
    log_in(client, ivo.sent_to, "Wrong-Horse-8")
    answer = read(as_(ada), ivo.membership)
    assert words(answer) == [
        "Added to the directory",
        "Invitation sent",
        "Mail queued: invitation",
        "Mail accepted by the mail server",
        "Link opened: looks like a mail scanner",
        "Link opened",
        "Joined, with a password of their own",
        "Log-in refused",
    ]
    page = text(answer)
    assert "Has agreed to the Terms and Conditions" in page
    assert "looks like a mail scanner, 2 times until" in page
    assert re.search(
        r"<time datetime=[^>]+>\d+ \w+ \d{4}, \d\d:\d\d [A-Z]+</time>", page
    )
    assert "by ada@acme.example" in page
    assert "Harbour Tower" in page
    assert answer.context["story"].finding == Finding.REFUSED


def test_what_the_mail_server_said_stands_there(as_, ada, ivo):
    mail(ivo, Delivery.State.REFUSED, "550 5.1.1 <ivo> User unknown")
    answer = read(as_(ada), ivo.membership)
    assert words(answer)[-1] == "Mail refused by the mail server: mailbox unknown"
    assert "550 5.1.1 &lt;ivo&gt; User unknown" in text(answer)
    assert answer.context["story"].answer == (
        "The mail was refused: mailbox unknown. Check the address."
    )


def test_a_mail_that_is_put_off_says_when_it_is_tried_again(as_, ada, ivo):
    [delivery] = Delivery.objects.claim(1)
    delivery.defer("451 4.7.1 Greylisted")
    answer = read(as_(ada), ivo.membership)
    moment = answer.context["moments"][-1]
    assert moment.words == "Mail put off once by the mail server, to be tried again"
    assert moment.at > timezone.now()
    assert answer.context["story"].finding == Finding.MAIL_PUT_OFF


def test_an_opening_soon_after_the_mail_looks_like_a_scanner(as_, client, ada, ivo):
    mail(ivo, Delivery.State.ACCEPTED)
    client.get(link_of(ivo), headers=FIREFOX)
    answer = read(as_(ada), ivo.membership)
    assert words(answer)[-1] == "Link opened: looks like a mail scanner"
    assert answer.context["story"].finding == Finding.SENT


def test_a_link_of_an_older_mail_is_told_as_such(as_, client, ada, ivo, time_machine):
    old = link_of(ivo)
    start = timezone.now()
    time_machine.move_to(start + timedelta(hours=1), tick=False)
    invite(ivo.membership, ada.user)
    for delivery in Delivery.objects.claim(2):
        delivery.settle(Delivery.State.ACCEPTED)
    time_machine.move_to(start + timedelta(hours=2), tick=False)
    client.get(old, headers=FIREFOX)
    answer = read(as_(ada), ivo.membership)
    assert words(answer)[-1] == "Link of an older mail opened"
    assert answer.context["story"].finding == Finding.OLD_LINK


# The next step


def revoked(entry, ada):
    invite(entry, ada.user)
    Invitation.objects.filter(membership=entry).revoke(ada.user)


def unknown_mailbox(entry, ada):
    mail(invite(entry, ada.user), Delivery.State.REFUSED, "550 5.1.1 No")


def full_mailbox(entry, ada):
    mail(invite(entry, ada.user), Delivery.State.REFUSED, "552 5.2.2 Full")


def opened(entry, ada):
    expired(entry, ada)
    invitation = Invitation.objects.get(membership=entry)
    facts = {"version": 1, "method": "GET", "agent": FIREFOX["User-Agent"]}
    AuditEvent.record(
        Kind.LINK_OPENED, None, entry.company, invitation.membership, facts
    )


def first_password(entry, ada):
    Invitation.objects.make_first_passwords([entry], ada.user)


def inactive(entry, ada):
    Membership.objects.filter(pk=entry.pk).update(is_active=False)


def corrected(entry, ada):
    invite(entry, ada.user)
    Membership.objects.correct_addresses({entry.pk: "new@subco.example"}, ada.user)


def nothing(entry, ada):
    pass


@pytest.mark.parametrize(
    ("do", "finding"),
    [
        (nothing, "NOT_INVITED"),
        (revoked, "REVOKED"),
        (expired, "EXPIRED"),
        (opened, "EXPIRED_OPENED"),
        (new_link_asked, "NEW_LINK_ASKED"),
        (needs_confirmation, "HELD"),
        (unknown_mailbox, "ADDRESS_WRONG"),
        (full_mailbox, "MAIL_REFUSED"),
        (first_password, "FIRST_PASSWORD"),
        (corrected, "ADDRESS_CORRECTED"),
        (inactive, "INACTIVE"),
    ],
)
def test_what_was_done_leads_to_the_next_step(as_, ada, do, finding):
    entry = add_entry(ada.company, "kim@subco.example", first_name="Kim")
    do(entry, ada)
    answer = read(as_(ada), entry)
    found = Finding[finding]
    assert answer.context["story"].finding == found
    assert found.step.label in html.unescape(text(answer))


def terms(entry, ada):
    Terms.objects.publish("2026-02", "New.", None)
    Terms.objects.current().accept(ada.user)


def switched_off(entry, ada):
    type(entry.user).objects.filter(pk=entry.user_id).update(is_active=False)


def suspended(entry, ada):
    entry.project_memberships.all().suspend("insurance ended", ada.user)


def partly_suspended(entry, ada):
    suspended(entry, ada)
    annex = Project.objects.create(company=entry.company, name="Annex", number="24-018")
    put_on(entry, annex)


def not_begun(entry, ada):
    entry.project_memberships.update(starts_on=date(2099, 5, 2))


def over(entry, ada):
    entry.project_memberships.update(ends_on=date(2020, 5, 2))


def closed(entry, ada):
    Project.objects.filter(project_memberships__membership=entry).update(
        is_active=False
    )


def off_all(entry, ada):
    entry.project_memberships.all().delete()


def refused(entry, ada):
    user_login_failed.send(None, credentials={"email": entry.email}, request=None)


@pytest.mark.parametrize(
    ("do", "finding"),
    [
        (nothing, "IN"),
        (terms, "TERMS_OPEN"),
        (switched_off, "LOG_IN_OFF"),
        (suspended, "SUSPENDED"),
        (partly_suspended, "PARTLY_SUSPENDED"),
        (not_begun, "NOT_BEGUN"),
        (closed, "PROJECT_CLOSED"),
        (over, "NO_PROJECT"),
        (off_all, "NO_PROJECT"),
        (refused, "REFUSED"),
        (inactive, "INACTIVE"),
    ],
)
def test_of_somebody_inside_too(as_, ada, max_, do, finding):
    do(max_, ada)
    answer = read(as_(ada), max_)
    assert answer.context["story"].finding == Finding[finding]


def test_a_suspension_is_lifted_in_the_list_of_the_own_grants(as_, ada, max_, tower):
    """Not in one that has somebody of a like address besides."""
    other = add_member(ada.company, f"a.{max_.email}")
    put_on(other, tower)
    for entry in (max_, other):
        suspended(entry, ada)
    client = as_(ada)
    page = client.get(read(client, max_).context["step"]["url"])
    assert [row.membership for row in page.context["cl"].result_list] == [max_]


def test_who_is_on_a_project_is_not_sent_to_be_added_to_it(as_, ada, max_):
    """A suspension is lifted where it is listed; of a later begin one reads the day."""
    client = as_(ada)
    not_begun(max_, ada)
    assert "sees the first project on 2 May 2099." in text(read(client, max_))
    suspended(max_, ada)
    page = read(client, max_)
    assert button(page) == []
    url = page.context["step"]["url"]
    assert [each.membership for each in client.get(url).context["cl"].result_list] == [
        max_
    ]
    [grant] = max_.project_memberships.all()
    client.post(url, {"action": "lift", "_selected_action": [grant.pk]})
    grant.refresh_from_db()
    assert grant.suspended_at is None


def test_an_administrator_needs_no_project(as_, ada):
    assert read(as_(ada), ada).context["story"].finding == Finding.IN


def test_why_a_project_is_not_seen_is_said(as_, ada, max_):
    suspended(max_, ada)
    page = text(read(as_(ada), max_))
    assert "Does not see today: 1" in page
    assert "insurance ended" in page


def test_the_button_does_what_it_says(as_, ada, mailoutbox):
    """It posts the directory's own action."""
    entry = add_entry(ada.company, "kim@subco.example")
    client = as_(ada)
    answer = read(client, entry)
    assert button(answer) == ["invite"]
    page = text(answer)
    form = re.search(r'<section class="answer".*?<form(.*?)</form>', page, re.S)[1]
    assert f'action="{DIRECTORY}"' in form
    fields = dict(re.findall(r'name="([^"]+)" value="([^"]*)"', form))
    assert fields["desk"] == ada.company.slug
    fields.pop("csrfmiddlewaretoken")
    client.post(DIRECTORY, fields)
    work()
    assert [letter.to for letter in mailoutbox] == [["kim@subco.example"]]


def test_the_address_is_corrected_in_the_form(as_, ada, ivo):
    mail(ivo, Delivery.State.REFUSED, "550 5.1.1 No")
    answer = read(as_(ada), ivo.membership)
    assert button(answer) == []
    url = reverse("admin:companies_membership_change", args=[ivo.membership_id])
    assert f'role="button" href="{url}">Correct the address<' in text(answer)


def test_whoever_sees_the_directory_reads_the_story_and_whom_to_ask(as_, rory, ada):
    """Read Only: no button. Neither for a link, nor for what is kept in the form."""
    entry = add_entry(ada.company, "kim@subco.example")
    answer = read(as_(rory), entry)
    assert button(answer) == []
    assert "Next step: Invite. Ask a company administrator: Ada Lindqvist." in text(
        answer
    )
    unknown_mailbox(entry, ada)
    page = text(read(as_(rory), entry))
    assert 'role="button"' not in page
    assert "Next step: Correct the address. Ask a company administrator" in page


def test_standard_invites_but_changes_nobody(as_, cora, ada):
    """And invites those only whose templates they may give (T44)."""
    entry = add_entry(ada.company, "kim@subco.example")
    high = add_entry(ada.company, "boss@subco.example", template=COMPANY_ADMINISTRATOR)
    client = as_(cora)
    assert button(read(client, entry)) == ["invite"]
    assert button(read(client, high)) == []
    assert "Ask a company administrator: Ada" in text(read(client, high))
    unknown_mailbox(entry, ada)
    assert "Ask a company administrator: Ada" in text(read(client, entry))


def test_an_operator_is_led_to_the_switch(as_, ada, max_, olga):
    """Others read that the operator is to be asked."""
    switched_off(max_, ada)
    url = reverse("admin:accounts_user_change", args=[max_.user_id])
    assert url in text(read(as_(olga), max_))
    page = text(read(as_(ada), max_))
    assert url not in page
    assert "Ask the operator." in page


# What a company may know


def test_of_the_log_in_a_company_is_told_nothing(as_, ada, acme, olga):
    """T22, T45: neither when it was made nor what it was used for, then and since."""
    user = add_user("kim@both.example")
    entry = add_entry(acme, user.email)

    def use():
        for kind in (Kind.LOGGED_IN, Kind.PASSWORD_CHANGED, Kind.FACTOR_ADDED):
            AuditEvent.record(kind, user, None, user)

    use()
    refused(entry, ada)
    invite(entry, ada.user).accept(user, version=1, is_proven=True)
    use()
    told = words(read(as_(ada), entry))
    assert told[-1] == "Joined, with a password of their own"
    used = {"Logged in", "Password changed", "Second factor added", "Log-in refused"}
    assert not used & set(told)
    assert used <= set(words(read(as_(olga), entry)))


def logged_in_already(client, invitation):
    user = add_user(invitation.sent_to)
    client.force_login(user, "invitations.backends.AuthenticationBackend")
    follow(client, invitation, headers=FIREFOX)
    yield
    accept(client, invitation)


def logging_in_from_the_link(client, invitation):
    add_user(invitation.sent_to)
    follow(client, invitation, headers=FIREFOX)
    log_in(client, invitation.sent_to, "Wrong-Horse-8")
    log_in(client, invitation.sent_to)
    yield
    accept(client, invitation)


def new(client, invitation):
    follow(client, invitation, headers=FIREFOX)
    yield
    set_password(client, invitation, PASSWORD)
    agree(client)


def test_known_and_new_people_have_the_same_story(as_, ada, globex, time_machine):
    """T22: it doesn't tell whether somebody had a log-in, or uses it elsewhere."""
    start = timezone.now()

    def at(minute):
        time_machine.move_to(start + timedelta(minutes=minute), tick=False)

    def stories(way_in):
        """When joined, after a log-in that is for Globex only, and after a refusal."""
        at(0)
        entry = add_entry(ada.company, f"{way_in.__name__}@both.example")
        steps = way_in(client := Client(), invite(entry, ada.user))
        for minute, _ in enumerate(steps, 1):
            at(minute)
        yield story(read(as_(ada), entry), entry)
        if way_in is not new:
            add_member(globex, entry.email)
        at(2)
        client.post(reverse("account_logout"))
        log_in(client, entry.email)
        client.get(reverse("companies:company", args=[globex.slug]))
        yield story(read(as_(ada), entry), entry)
        at(3)
        log_in(Client(), entry.email, "Wrong-Horse-8")
        yield story(read(as_(ada), entry), entry)

    joined, later, refused_since = stories(new)
    assert list(stories(logged_in_already)) == [joined, later, refused_since]
    assert list(stories(logging_in_from_the_link)) == [joined, later, refused_since]
    assert "Has agreed to the Terms and Conditions" in joined
    assert later == joined
    assert "Log-in refused" in refused_since


def story(answer, entry):
    """What the page says of somebody, who is called alike each time."""
    told = text(answer).partition('<div id="content-main"')[2]
    for own in (r'"csrfmiddlewaretoken" value="\w+"', rf'[/"]{entry.pk}[/"]'):
        told = re.sub(own, "", told)
    return told.replace(entry.email, "somebody")


def test_terms_that_are_new_since_are_not_agreed_to(as_, ada, ivo):
    follow(client := Client(), ivo, headers=FIREFOX)
    set_password(client, ivo)
    assert "Has agreed" not in text(read(as_(ada), ivo.membership))
    agree(client)
    assert "Has agreed" in text(read(as_(ada), ivo.membership))
    Terms.objects.publish("2026-02", "New.", None)
    Terms.objects.current().accept(ada.user)
    assert "Has agreed" not in text(read(as_(ada), ivo.membership))


def test_since_joining_a_company_knows_of_refusals_without_addresses(
    as_, ada, max_, olga
):
    """T45: the client's address is for operators."""
    event = AuditEvent.of(Kind.LOG_IN_REFUSED, None, None, max_.email)
    event.client_address = "192.0.2.7"
    event.save()
    answer = read(as_(ada), max_)
    assert words(answer)[-1] == "Log-in refused"
    assert "192.0.2.7" not in text(answer)
    assert "from 192.0.2.7" in text(read(as_(olga), max_))


def test_a_log_in_that_worked_since_is_told_by_the_answer_alone(
    as_, client, ada, max_, olga
):
    refused(max_, ada)
    assert read(as_(ada), max_).context["story"].finding == Finding.REFUSED
    log_in(client, max_.email)
    for reader in (ada, olga):
        answer = read(as_(reader), max_)
        assert answer.context["story"].finding == Finding.IN
        assert ("Logged in" in words(answer)) is (reader is olga)


def test_nobody_is_followed_who_is_not_active_any_more(as_, ada, max_):
    refused(max_, ada)
    assert "Log-in refused" in words(read(as_(ada), max_))
    inactive(max_, ada)
    assert "Log-in refused" not in words(read(as_(ada), max_))


def test_what_was_tried_with_an_address_before_joining_is_for_operators(
    as_, ada, ivo, olga
):
    """Else a company would follow whoever it puts into its directory."""
    refused(ivo.membership, ada)
    assert "Log-in refused" not in words(read(as_(ada), ivo.membership))
    assert "Log-in refused" in words(read(as_(olga), ivo.membership))


def test_the_operator_has_no_name_here(as_, ada, ivo, olga):
    """T45."""
    invite(ivo.membership, olga)
    page = text(read(as_(ada), ivo.membership))
    assert "by the operator" in page
    assert "olga" not in page
    assert "by olga@operator.example" in text(read(as_(olga), ivo.membership))


def test_another_companys_story_is_not_there(as_, gina, ivo):
    """T40 to T43: neither by its address nor by the search."""
    client = as_(gina)
    assert client.get(story_url(ivo.membership)).status_code == 404
    for query in ("ivo", "ivo@subco.example", "Novak"):
        page = client.get(WHY, {"q": query})
        assert "Nobody in the directory matches" in text(page)
        assert reverse(
            "admin:companies_membership_story", args=[ivo.membership_id]
        ) not in text(page)


def test_one_person_in_two_companies_has_two_stories(as_, ada, acme, globex, gina):
    """Two companies' entries know nothing of each other."""
    theirs = add_member(globex, "kim@both.example")
    ours = add_entry(acme, "kim@both.example")
    invite(ours, ada.user).accept(theirs.user, version=1, is_proven=True)
    AuditEvent.record(Kind.INVITATION_SENT, None, globex, theirs, {"reason": "Globex"})
    assert "lobex" not in text(read(as_(ada), ours))
    page = text(read(as_(gina), theirs))
    assert "cme" not in page.replace("Acme Construction</q>", "")


# Finding somebody


def test_the_only_one_found_is_told_about_at_once(as_, ada, ivo):
    answer = as_(ada).get(WHY, {"q": "novak"})
    assert answer.status_code == 302
    assert answer.url == story_url(ivo.membership)


def test_of_several_one_chooses(as_, ada, ivo, acme):
    add_entry(acme, "eva@subco.example", first_name="Eva", last_name="Novak")
    page = text(as_(ada).get(WHY, {"q": "novak"}))
    assert "Whom do you mean?" in page
    assert "eva@subco.example · Not invited" in page
    assert "ivo@subco.example · Invited" in page


def test_of_very_many_some_are_shown(as_, ada, acme):
    for number in range(22):
        add_entry(acme, f"n{number}@subco.example", last_name="Novak")
    page = text(as_(ada).get(WHY, {"q": "novak"}))
    assert page.count("Not invited") == 20
    assert "And more people" in page


def test_without_words_one_is_asked(as_, ada, ivo):
    assert "Type in the name or the e-mail address" in text(as_(ada).get(WHY))


def test_what_is_searched_is_shown_as_it_was_typed(as_, ada):
    """T48."""
    page = text(as_(ada).get(WHY, {"q": "<script>alert(1)</script>"}))
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_an_operator_reads_whose_entry_it_is(as_, olga, acme, globex):
    for company in (acme, globex):
        add_entry(company, "kim@both.example")
    page = text(as_(olga).get(WHY, {"q": "kim@"}))
    assert "Acme Construction · Not invited" in page
    assert "Globex Builders · Not invited" in page


@pytest.mark.parametrize("count", [10, 1000])
def test_a_story_costs_the_same_however_long_it_is(
    as_,
    ada,
    max_,
    acme,
    count,
    queries,  # noqa: F811
):
    projects = Project.objects.bulk_create(
        Project(company=acme, name=f"P{n}", number=f"P-{n}") for n in range(count)
    )
    foreman = max_.project_memberships.get().template
    ProjectMembership.objects.bulk_create(
        ProjectMembership(company=acme, membership=max_, project=each, template=foreman)
        for each in projects
    )
    events = [
        *(AuditEvent.of(Kind.LOGGED_IN, max_.user, None, max_.user) for _ in projects),
        *(AuditEvent.of(Kind.ENTRY_CHANGED, ada.user, acme, max_) for _ in projects),
        *(AuditEvent.of(Kind.LOG_IN_REFUSED, None, None, max_.email) for _ in projects),
    ]
    AuditEvent.objects.bulk_create(events)
    client = as_(ada)
    read(client, max_)
    with queries:
        read(client, max_)
    assert len(queries) <= 3 + 12, str(queries)  # session, user, terms


@pytest.mark.parametrize("count", [10, 1000])
def test_a_search_costs_the_same_for_many(as_, ada, acme, queries, count):  # noqa: F811
    Membership.objects.bulk_create(
        Membership(company=acme, email=f"p{n}@x.example", template=ada.template)
        for n in range(count)
    )
    client = as_(ada)
    with queries:
        client.get(WHY, {"q": "x.example"})
    assert len(queries) <= 12, str(queries)


def test_of_an_administrator_is_said_that_they_see_all_projects(as_, ada, acme, tower):
    """Without a grant they are on no project, and reach each (S4)."""
    Project.objects.create(company=acme, name="Annex", number="24-018")
    page = as_(ada).get(f"/admin/companies/membership/{ada.pk}/story/").text
    assert "Admin on all tools of all active projects (2)" in page
    assert "On no project yet." not in page
