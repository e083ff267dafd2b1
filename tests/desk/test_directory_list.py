"""The directory as a list: where each person stands, filters, search, its cost."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from companies.admin import lists
from companies.admin.filters import LISTED
from companies.models import Membership, Project, ProjectMembership, Vendor
from companies.tools import COMPANY_ADMINISTRATOR, MEMBER
from desk.status import Status
from invitations.models import Delivery, Invitation
from tests.cast import FOREMAN, add_entry, add_member, invite, put_on, template

DIRECTORY = "/admin/companies/membership/"


def nothing(entry, ada):
    pass


def invited(entry, ada):
    invite(entry, ada.user)


def corrected(entry, ada):
    invite(entry, ada.user)
    Membership.objects.filter(pk=entry.pk).update(email="kim.lee@subco.example")


def mail_refused(entry, ada):
    mail = invite(entry, ada.user).deliveries.get()
    [claimed] = Delivery.objects.claim(1)
    assert claimed == mail
    claimed.settle(Delivery.State.REFUSED, "550 No such mailbox")


def expired(entry, ada):
    """Time does it: no verb is asked."""
    invitation = invite(entry, ada.user)
    Invitation.objects.filter(pk=invitation.pk).update(
        sent_at="2020-01-01T08:00Z", expires_at="2020-01-08T08:00Z"
    )


def new_link_asked(entry, ada):
    expired(entry, ada)
    Invitation.objects.ask_again(entry.email)


def needs_confirmation(entry, ada):
    helper = add_member(
        entry.company, "left@acme.example", template=COMPANY_ADMINISTRATOR
    )
    invitation = invite(entry, helper.user)
    Membership.objects.filter(pk=helper.pk).update(is_active=False)
    invitation.wait_for_confirmation(invitation.version)


def revoked(entry, ada):
    invite(entry, ada.user)
    Invitation.objects.filter(membership=entry).revoke(ada.user)


def declined(entry, ada):
    invite(entry, ada.user).decline(1)


def joined(entry, ada):
    user = add_member(add_company(), entry.email).user
    invite(entry, ada.user).accept(user, version=1, is_proven=True)


def inactive(entry, ada):
    entry.is_active = False
    entry.save()


def add_company():
    return type(Membership.objects.first().company).objects.create(name="Elsewhere")


STATUSES = {
    Status.NOT_INVITED: (nothing, "Not invited"),
    Status.INVITED: (invited, "Invited on "),
    Status.ADDRESS_CORRECTED: (corrected, "the invitation is still to be sent there"),
    Status.MAIL_REFUSED: (mail_refused, "mail server: 550 No such mailbox"),
    Status.NEW_LINK_ASKED: (new_link_asked, "Asked for a new link on "),
    Status.NEEDS_CONFIRMATION: (needs_confirmation, "Needs confirmation since "),
    Status.EXPIRED: (expired, "Expired on 8 Jan 2020"),
    Status.REVOKED: (revoked, "Revoked on "),
    Status.DECLINED: (declined, "Declined on "),
    Status.JOINED: (joined, "Joined on "),
    Status.INACTIVE: (inactive, "Inactive"),
}


def listed(client, **query):
    answer = client.get(DIRECTORY, query)
    return [str(row) for row in answer.context["cl"].result_list]


def test_within_a_firm_people_stand_by_their_names(as_, ada):
    """And so they do from Z to A of the firms."""
    firms = [Vendor.objects.create(company=ada.company, name=name) for name in "AB"]
    for name in ("Cy", "Ann", "Bo"):
        for firm in firms:
            email = f"{name}.{firm}@subco.example"
            add_entry(ada.company, email, last_name=f"{name} of {firm}", vendor=firm)
    client = as_(ada)
    number = column(client, "vendor")
    of_a, of_b = (
        [f"{name} of {firm}" for name in ("Ann", "Bo", "Cy")] for firm in "AB"
    )
    found = listed(client, o=number, q="subco")
    assert found == [*of_a, *of_b]
    assert listed(client, o=f"-{number}", q="subco") == [*of_b, *of_a]


def column(client, name):
    """The number that sorts the list by this column."""
    return client.get(DIRECTORY).context["cl"].list_display.index(name)


@pytest.mark.parametrize("status", list(Status))
def test_each_status_is_told_and_found(as_, ada, status):
    """S6, T22: the word is the same in the list, in the form and in the filter."""
    do, text = STATUSES[status]
    entry = add_entry(ada.company, "kim@subco.example", first_name="Kim")
    do(entry, ada)
    client = as_(ada)
    assert text in client.get(DIRECTORY, {"status": status}).content.decode()
    assert text in client.get(f"{DIRECTORY}{entry.pk}/change/").content.decode()
    assert "Kim" in listed(client, status=status)
    for other in set(Status) - {status}:
        assert "Kim" not in listed(client, status=other)


def test_who_was_handed_a_first_password_was_not_mailed(as_, ada):
    """S6: "Invited" would make one wait for a mail."""
    entry = add_entry(ada.company, "kim@subco.example")
    Invitation.objects.make_first_passwords([entry], ada.user)
    told = "Has a first password, no mail was sent; open until "
    client = as_(ada)
    assert told in client.get(DIRECTORY).content.decode()
    invite(entry, ada.user)
    assert told not in client.get(DIRECTORY).content.decode()


def test_one_who_has_an_account_looks_like_one_who_has_none(as_, ada, gina):
    """T22: inviting tells nothing of other companies."""
    for email in ("nobody@subco.example", gina.email):
        invite(add_entry(ada.company, email), ada.user)
    rows = as_(ada).get(DIRECTORY, {"status": "invited"}).context["cl"].result_list
    assert len({(row.status, row.mail_state, row.project_count) for row in rows}) == 1
    assert "Gina" not in as_(ada).get(DIRECTORY).content.decode()


@pytest.mark.parametrize(
    "query",
    [
        {"q": "weber"},
        {"q": "MAX acme"},
        {"q": "max@acme.example"},
        {"q": "bolt"},
        {"vendor__isnull": "False"},
        {"template__id__exact": "{template}", "q": "max"},
        {"vendor__id__exact": "{vendor}"},
        {"vendor__id__exact": "{vendor}", "status": "joined", "q": "e"},
    ],
)
def test_filters_and_search_find_max(as_, ada, max_, ivo, query):
    vendor, _ = [
        Vendor.objects.create(company=ada.company, name=name)
        for name in ("Bolt Electric", "Volt")
    ]
    Membership.objects.filter(pk=max_.pk).update(vendor=vendor)
    keys = {"vendor": vendor.pk, "template": max_.template_id}
    query = {name: value.format(**keys) for name, value in query.items()}
    assert listed(as_(ada), **query) == ["Max Weber"]


@pytest.mark.parametrize("words", ["özil", "Özil", "ÖZIL", "özil, änne", "çelik"])
def test_capitals_beyond_ascii_are_found_on_both_engines(as_, ada, max_, words):
    """SQLite knows no capital but those of ASCII."""
    firm = Vendor.objects.create(company=ada.company, name="Çelik Demir")
    Membership.objects.filter(pk=max_.pk).update(
        first_name="Änne", last_name="Özil", vendor=firm
    )
    assert listed(as_(ada), q=words) == ["Änne Özil"]


def test_a_joined_person_is_found_by_the_address_of_the_log_in(as_, ada, max_):
    """The list shows that address, so it searches it."""
    max_.user.email = "weber@home.example"
    max_.user.save()
    assert listed(as_(ada), q="weber@home") == ["Max Weber"]
    assert "weber@home.example" in as_(ada).get(DIRECTORY).content.decode()


@pytest.mark.parametrize("column", range(1, 7))
def test_each_column_sorts(as_, ada, max_, ivo, column):
    client = as_(ada)
    up, down = (listed(client, o=f"{sign}{column}") for sign in ("", "-"))
    assert sorted(up) == sorted(down)
    assert len(up) == 3


def own(queries):
    """Without those of every page: session, user, terms."""
    tables = ("django_session", "accounts_user", "invitations_terms")
    begins = [query["sql"].split(" FROM ", 1)[-1][:60] for query in queries]
    every = [text for text in begins if text.startswith(tuple(f'"{t}' for t in tables))]
    assert len(every) <= 3
    return len(begins) - len(every)


def fill(company, ada, tower, count):
    """As many people, each of another firm, on the project, half of them invited."""
    vendors = Vendor.objects.bulk_create(
        Vendor(company=company, name=f"Firm {count}-{n}") for n in range(count)
    )
    entries = Membership.objects.bulk_create(
        Membership(
            company=company,
            email=f"p{n}@{count}.example",
            first_name=f"P{n}",
            vendor=vendor,
            template=template(company, MEMBER),
        )
        for n, vendor in enumerate(vendors)
    )
    foreman = template(company, FOREMAN)
    ProjectMembership.objects.grant([(each, tower, foreman) for each in entries], None)
    Invitation.objects.send(entries[::2], ada.user)


@pytest.mark.parametrize("query", [{}, {"q": "p"}, {"status": "invited"}])
def test_the_list_asks_the_same_for_10_and_for_1000_people(as_, ada, tower, query):
    """Section 7: few queries per list, no full count."""
    client = as_(ada)
    counts = []
    for count in (10, 1000):
        fill(ada.company, ada, tower, count)
        with CaptureQueriesContext(connection) as queries:
            answer = client.get(DIRECTORY, query)
        counts.append(own(queries.captured_queries))
    assert len(answer.context["cl"].result_list) == 100
    assert counts[0] == counts[1] <= 12


def searches(queries):
    asked = [query["sql"].split(" WHERE ", 1)[-1] for query in queries]
    return sum('"search_text"' in where for where in asked)


@pytest.mark.parametrize("kept, times", [(5_000, 1), (149, 3)])
def test_what_is_found_is_paged_and_is_searched_once_unless_it_is_much(
    as_, ada, tower, monkeypatch, kept, times
):
    monkeypatch.setattr(lists, "KEYS_KEPT", kept)
    fill(ada.company, ada, tower, 150)
    client = as_(ada)
    with CaptureQueriesContext(connection) as queries:
        pages = [listed(client, q="150.example", p=page) for page in (1, 2)]
    assert searches(queries.captured_queries) == 2 * times
    assert [len(page) for page in pages] == [100, 50]
    everybody = Membership.objects.filter(email__endswith="150.example")
    assert [*pages[0], *pages[1]] == [entry.full_name for entry in everybody]
    assert listed(client, q="150.example", all="") == [*pages[0], *pages[1]]
    assert "150 results" in client.get(DIRECTORY, {"q": "150.ex"}).content.decode()


INVITATIONS = "/admin/invitations/invitation/"
STANDINGS = {
    "open": (invited, "Open"),
    "needs_confirmation": (needs_confirmation, "Needs confirmation"),
    "expired": (expired, "Expired"),
    "accepted": (joined, "Accepted"),
    "revoked": (revoked, "Revoked"),
    "declined": (declined, "Declined"),
}


@pytest.mark.parametrize("standing", STANDINGS)
def test_the_state_of_an_invitation_is_told_and_found(as_, ada, standing):
    """As the directory tells it: one that has expired isn't just pending."""
    do, word = STANDINGS[standing]
    do(add_entry(ada.company, "kim@subco.example", first_name="Kim"), ada)
    client = as_(ada)
    for other in STANDINGS:
        page = client.get(INVITATIONS, {"state": other})
        rows = list(page.context["cl"].result_list)
        assert bool(rows) == (other == standing)
    [row] = client.get(INVITATIONS).context["cl"].result_list
    for path in (INVITATIONS, f"{INVITATIONS}{row.pk}/change/"):
        page = client.get(path).content.decode()
        assert re.search(f">{word}<", page.partition("</search>")[2] or page)
        assert "Version" not in page


def test_own_people_are_found_by_their_name(as_, ada, max_):
    """They work for no firm; a dash would say nothing."""
    bolt = Vendor.objects.create(company=ada.company, name="Bolt Electric")
    Membership.objects.filter(pk=max_.pk).update(vendor=bolt)
    client = as_(ada)
    assert re.search("By firm.*Own people", told(client, ""), re.DOTALL)
    assert "Vendor" not in told(client, "")
    assert listed(client, vendor__isnull="True") == ["Ada Lindqvist"]


@pytest.mark.parametrize(
    ("page", "words"),
    [
        ("companies_projectmembership_changelist", "Add a person to a project"),
        ("companies_projectmembership_add", "Add a person to a project"),
        ("companies_vendor_changelist", "Add firm"),
        ("desk_import_changelist", "Import people"),
    ],
)
def test_a_list_names_what_is_added(as_, ada, page, words):
    assert words in as_(ada).get(reverse(f"admin:{page}")).content.decode()


def test_what_was_found_is_told_where_something_was_looked_for(as_, ada, max_):
    client = as_(ada)
    assert "result" not in told(client, "")
    assert "1 result (" in told(client, "?q=weber")
    assert "2 results (" in told(client, "?status=joined")
    assert "Nothing matches your search." in told(client, "?q=nobody")
    assert "Nothing fits" not in told(client, "?q=weber")


def told(client, query):
    page = client.get(f"{DIRECTORY}{query}").content.decode()
    return re.sub(r"<[^>]*>", "", page)


def test_an_empty_list_says_what_to_do_next(as_, ada, rory):
    client = as_(ada)
    for name, way in {
        "companies_vendor": reverse("admin:companies_vendor_add"),
        "invitations_invitation": DIRECTORY,
    }.items():
        path = reverse(f"admin:{name}_changelist")
        page = client.get(path).content.decode()
        assert way in page.partition("Nothing is here yet.")[2]
    page = as_(rory).get(reverse("admin:companies_vendor_changelist")).content.decode()
    assert "Add the first one." not in page


@pytest.mark.postgresql
def test_a_search_finds_words_of_one_company_in_the_index(ada, gina):
    """Without the company it reads what all others have as well: 60 ms, not 5."""
    for company in (ada.company, gina.company):
        member = template(company, MEMBER)
        Membership.objects.bulk_create(
            Membership(company=company, email=f"p{n}@many.example", template=member)
            for n in range(3_000)
        )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE companies_membership")
    plan = Membership.objects.order_by().matching("weber", ada.company).explain()
    [condition] = [line for line in plan.splitlines() if "Index Cond" in line]
    assert "company_id" in condition and "search_text" in condition


# Many firms and projects


@pytest.fixture
def many(acme, max_, ada):
    """More firms and projects than a list of choices holds, and Max in one of each."""
    firms = Vendor.objects.bulk_create(
        Vendor(company=acme, name=f"Firm {n}") for n in range(LISTED)
    )
    Vendor.objects.create(company=acme, name="Bolt Electric")
    Membership.objects.filter(pk=max_.pk).update(
        vendor=Vendor.objects.get(name="Bolt Electric")
    )
    Membership.objects.filter(pk=ada.pk).update(vendor=firms[0])
    Project.objects.bulk_create(
        Project(company=acme, name=f"Site {n}", number=f"N-{n}") for n in range(LISTED)
    )


def sidebar(client, **query):
    answer = client.get(DIRECTORY, query)
    return (
        answer.content.decode()
        .split("changelist-filter-header")[-1]
        .split("</search>")[0]
    )


def test_few_are_listed_to_choose_from(as_, ada, max_, tower):
    Vendor.objects.create(company=ada.company, name="Bolt Electric")
    page = sidebar(as_(ada))
    assert "Bolt Electric" in page
    assert "24-017 Harbour Tower" in page
    assert "<input" not in page


def test_of_many_one_types_a_part_of_the_name(as_, ada, many):
    page = sidebar(as_(ada), status="joined")
    assert 'name="vendor_name"' in page and 'name="project_name"' in page
    assert page.count('<input type="hidden" name="status" value="joined">') == 2
    assert "Firm 7" not in page and "Site 7" not in page


@pytest.mark.parametrize(
    "query",
    [
        {"vendor_name": "bolt"},
        {"project_name": "24-017"},
        {"project_name": "harbour", "q": "max"},
        {"project_name": "tower", "status": "joined", "vendor_name": "electric"},
        {"project": "{project}"},
        {"vendor__id__exact": "{vendor}"},
    ],
)
def test_of_many_the_wanted_ones_are_found(as_, ada, max_, tower, many, query):
    max_.refresh_from_db()
    keys = {"project": tower.pk, "vendor": max_.vendor_id}
    query = {name: value.format(**keys) for name, value in query.items()}
    client = as_(ada)
    assert listed(client, **query) == ["Max Weber"]
    if keys.keys() & {name.split("__")[0] for name in query}:
        assert 'class="selected"' in sidebar(client, **query)
        assert "Bolt Electric" in sidebar(client, **query) or "project" in query


def test_projects_of_others_are_not_listed_and_not_found(
    as_, gina, max_, tower, bridge
):
    """T43: not by number, by name or by key; nor is one told from none."""
    put_on(gina, bridge)
    client = as_(gina)
    assert "Harbour" not in sidebar(client)
    for query in (
        {"project": tower.pk},
        {"project": 987654},
        {"project": "x"},
        {"project_name": "Harbour"},
        {"project_name": "no such"},
    ):
        assert listed(client, **query) == []
    assert listed(client, project=bridge.pk) == ["Gina Rossi"]


def test_the_form_asks_little_however_many_projects_there_are(as_, ada, max_, tower):
    """One question more for each project: what it is called."""
    client = as_(ada)
    path = f"{DIRECTORY}{max_.pk}/change/"
    with CaptureQueriesContext(connection) as few:
        client.get(path)
    for n in range(10):
        project = type(tower).objects.create(
            company=ada.company, name=f"Site {n}", number=f"N-{n}"
        )
        put_on(max_, project)
    with CaptureQueriesContext(connection) as many:
        client.get(path)
    assert len(many) - len(few) <= 10


def test_a_mail_that_is_to_be_tried_again_is_told(as_, ada, ivo):
    [mail] = Delivery.objects.claim(1)
    mail.defer("451 Come back later")
    page = as_(ada).get(DIRECTORY).content.decode()
    assert "the mail is tried again: 451 Come back later" in page


def test_template_names_are_those_of_the_company(as_, ada, gina):
    assert template(ada.company, "Member") != template(gina.company, "Member")
    page = as_(ada).get(f"{DIRECTORY}add/").context["adminform"].form
    assert {row.company for row in page.fields["template"].queryset} == {ada.company}


def test_days_are_written_as_elsewhere_where_django_writes_them(as_, ada, ivo):
    """The month by its name: 4/3 is another day on the other side of the Atlantic."""
    sent_at = timezone.localtime(ivo.sent_at)
    page = as_(ada).get("/admin/invitations/invitation/").content.decode()
    assert f">{sent_at.day} {sent_at:%b %Y, %H:%M}</td>" in page
