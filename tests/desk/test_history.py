"""The history of a company: whose it is, what is asked of it, what is taken away."""

import csv
import html
import io
import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from audit.models import AuditEvent
from companies.models import Membership, Vendor
from desk.admin import history
from desk.history import NOT_OF_A_COMPANY
from desk.models import Import
from tests.cast import add_entry, add_member, invite
from tests.steps import follow, set_password, text
from tests.test_query_counts import queries  # noqa: F401

LIST = reverse("admin:audit_auditevent_changelist")
EXPORT = reverse("admin:audit_auditevent_export")
Kind = AuditEvent.Kind


def read(client, **query):
    """The rows of the list, the newest first: when, who, what, about whom, details."""
    answer = client.get(LIST, query)
    assert answer.status_code == 200
    table = re.search(r"<tbody>(.*)</tbody>", text(answer), re.S)
    rows = re.findall(r"<tr>(.*?)</tr>", table[1] if table else "", re.S)
    return [
        [plain(cell) for cell in re.findall(r"<td[^>]*>(.*?)</td>", row, re.S)]
        for row in rows
    ]


def plain(cell):
    return html.unescape(
        re.sub(r"<[^>]+>", " ", cell.replace("</div><div>", "|"))
    ).strip()


def whats(client, **query):
    return [row[2] for row in read(client, **query)]


def exported(client, **query):
    answer = client.get(EXPORT, query)
    assert answer["Content-Type"].startswith("text/csv")
    content = b"".join(answer) if answer.streaming else answer.content
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))


def happen(company, about, kind=Kind.ENTRY_CHANGED, by=None, at=None, **facts):
    event = AuditEvent.of(kind, by, company, about, facts)
    event.at = at or timezone.now()
    event.save()
    return event


def test_an_administrator_reads_what_happened_in_the_own_company(as_, ada, ivo, gina):
    """T56."""
    kim = add_entry(gina.company, "kim@globex.example", first_name="Kim")
    invite(kim, gina.user)
    [row] = read(as_(ada))
    assert row[1:4] == ["ada@acme.example", "Invitation sent", "Ivo Novak"]
    assert row[4] == "email: ivo@subco.example|version: 1"
    assert re.fullmatch(r"\d+ \w+ \d{4}, \d\d:\d\d [A-Z]+", row[0])
    [row] = read(as_(gina))
    assert row[3] == "Kim"
    assert "kim@globex.example" not in str(exported(as_(ada)))


@pytest.mark.parametrize("reader", ["rory", "cora", "max_"])
@pytest.mark.parametrize("url", [LIST, EXPORT])
def test_only_administrators_read_it(as_, ivo, reader, url, request):
    """It names who did what: neither Read Only nor Standard opens it."""
    client = as_(request.getfixturevalue(reader))
    assert client.get(url).status_code == 403
    assert LIST not in text(client.get("/admin/"))


@pytest.mark.parametrize("reader", ["rory", "cora"])
def test_nor_is_the_history_of_a_row_for_others(
    as_, ada, max_, ivo, acme, reader, request
):
    """It says the same of one row, who did it included; nor does its link stand."""
    client = as_(request.getfixturevalue(reader))
    rows = {
        "companies_membership": max_.pk,
        "companies_projectmembership": max_.project_memberships.get().pk,
        "companies_project": max_.project_memberships.get().project_id,
        "companies_permissiontemplate": max_.template_id,
        "companies_vendor": Vendor.objects.create(company=acme, name="Bolt").pk,
        "invitations_invitation": ivo.pk,
        "desk_import": Import.objects.create(company=acme, name="people.csv").pk,
    }
    for name, key in rows.items():
        page = reverse(f"admin:{name}_change", args=[key])
        history = reverse(f"admin:{name}_history", args=[key])
        assert client.get(history).status_code == 403, name
        assert history not in text(client.get(page)), name
        assert as_(ada).get(history).status_code == 200, name
        assert history in text(as_(ada).get(page)), name


def test_an_operator_reads_all_with_addresses(as_, ada, ivo, gina, olga):
    AuditEvent.record(Kind.LOGGED_IN, ada.user, None, ada.user)
    happen(gina.company, gina, by=gina.user)
    page = text(as_(olga).get(LIST))
    for word in ("Ivo Novak", "Gina Rossi", "Logged in", "Client address"):
        assert word in page
    assert "Acme Construction" in page
    assert "lient address" not in text(as_(ada).get(LIST))


def test_the_person_and_what_is_read_as_on_their_own_history_page(
    as_, ada, ivo, olga, acme
):
    """The admin's own history pages and the list agree, for each reader."""
    entry = ivo.membership
    happen(acme, entry, by=olga, title="Mate → Foreman")
    happen(acme, entry, Kind.GRANTED, by=ada.user, project="Harbour Tower")
    happen(acme, ada, by=ada.user)
    url = reverse("admin:companies_membership_history", args=[entry.pk])
    for reader in (ada, olga):
        client = as_(reader)
        answer = client.get(url)
        own = [
            [who or "—", event.get_kind_display().capitalize(), "|".join(event.details)]
            for event, who in answer.context["rows"]
        ]
        listed = read(client, person="ivo@subco.example")
        company = reader == olga
        assert [[row[1], row[2 + company], row[4 + company]] for row in listed] == own
        for who, what, _ in own:
            assert who in text(answer)
            assert what in text(answer)
        assert len(own) == 3


# What is asked


def test_a_person_is_found_by_name_or_address(as_, ada, ivo, max_):
    happen(ada.company, max_, by=ada.user)
    client = as_(ada)
    assert {row[3] for row in read(client, person="Weber")} == {"Max Weber"}
    assert {row[3] for row in read(client, person="ivo@")} == {"Ivo Novak"}
    assert read(client, person="nobody") == []
    assert len(read(client, person=" ")) == 2


def test_a_person_who_was_deleted_is_found_by_the_last_name_they_had(
    as_, ada, acme, gina
):
    for company in (acme, gina.company):
        gone = add_entry(company, "gone@b.example", first_name="Gün", last_name="Öz")
        happen(company, gone, Kind.ENTRY_ADDED)
        happen(company, gone, Kind.ENTRY_DELETED)
        gone.delete()
    client = as_(ada)
    assert whats(client, person="öz, gün") == ["Deleted", "Added"]
    assert whats(client, person="gün nobody") == []


def test_a_person_is_followed_through_other_names(as_, ada, acme):
    """The entry is asked for, not what it was called at the time."""
    kim = add_entry(acme, "kim@subco.example", first_name="Kim")
    happen(acme, kim)
    Membership.objects.filter(pk=kim.pk).update(first_name="Robin")
    assert [row[3] for row in read(as_(ada), person="robin")] == ["Kim"]


def test_an_actor_is_found_by_name_or_address(as_, ada, ivo, max_):
    happen(ada.company, ivo.membership, by=max_.user)
    client = as_(ada)
    for words in ("Weber", "max@acme.example"):
        assert [row[1] for row in read(client, actor=words)] == ["max@acme.example"]
    assert whats(client, actor="lindqvist") == ["Invitation sent"]


def test_one_kind_is_asked_for(as_, ada, ivo, max_):
    happen(ada.company, max_)
    assert whats(as_(ada), kind="entry_changed") == ["Changed"]
    assert whats(as_(ada), kind="entry_deleted") == []


@pytest.mark.parametrize(
    ("query", "ages"),
    [
        ({}, [0, 6, 29, 40]),
        ({"days": "1"}, [0]),
        ({"days": "7"}, [0, 6]),
        ({"days": "30"}, [0, 6, 29]),
        ({"since": 29}, [0, 6, 29]),
        ({"until": 6}, [6, 29, 40]),
        ({"since": 29, "until": 29}, [29]),
        ({"days": "7", "until": 1}, [6]),
    ],
)
def test_a_time_is_asked_for_with_its_first_and_last_day(as_, ada, query, ages):
    today = timezone.localdate()
    for age in (40, 29, 6, 0):
        happen(ada.company, ada, at=timezone.now() - timedelta(days=age), age=age)
    query = {
        name: value if name == "days" else today - timedelta(days=value)
        for name, value in query.items()
    }
    rows = read(as_(ada), **query)
    assert [row[4] for row in rows] == [f"age: {age}" for age in ages]


@pytest.mark.parametrize(
    "query",
    [
        *({"since": "x"}, {"until": "31.2.2026"}, {"kind": "x"}, {"days": "999"}),
        *({"since": "0001-01-01"}, {"until": "9999-12-31"}),
    ],
)
def test_what_can_not_be_asked_is_said_and_shows_nothing(as_, ada, ivo, query):
    answer = as_(ada).get(LIST, query)
    assert answer.status_code == 200
    assert "errorlist" in text(answer)
    assert read(as_(ada), **query) == []


def test_the_questions_stand_there_with_the_answers(as_, ada, ivo):
    page = text(as_(ada).get(LIST, {"person": "ivo", "q": "nov", "days": "7"}))
    assert 'name="person" value="ivo"' in page
    assert '<input type="hidden" name="q" value="nov">' in page
    assert '<option value="7" selected>' in page


def test_search_is_for_what_it_was_about(as_, ada, ivo, max_):
    happen(ada.company, max_)
    assert [row[3] for row in read(as_(ada), q="weber")] == ["Max Weber"]


@pytest.mark.parametrize(
    "query", [{"actor__email": "o"}, {"kind__exact": "x"}, {"company__id": "1"}]
)
def test_nothing_else_is_asked(as_, ada, query):
    """T43: no column is guessed through an address."""
    assert as_(ada).get(LIST, query).status_code == 400
    assert as_(ada).get(EXPORT, query).status_code == 400


# What a company doesn't know


def test_the_operator_has_no_name_here(as_, ada, ivo, olga):
    """T45: neither is it told nor guessed by filter and search."""
    happen(ada.company, ivo.membership, by=olga)
    client = as_(ada)
    assert [row[1] for row in read(client)][0] == "the operator"
    assert whats(client, actor="The Operator") == ["Changed"]
    for query in ({"actor": "olga"}, {"q": "olga"}, {"person": "olga"}):
        assert read(client, **query) == []
    assert "olga" not in str(exported(client))
    [row] = read(as_(olga), actor="olga", kind="entry_changed")
    assert row[1:4] == ["olga@operator.example", "Acme Construction", "Changed"]


def test_an_operator_in_the_directory_is_no_operator_there(as_, ada, acme, olga):
    """T45: the entry is theirs, what they do as the operator is not told by it."""
    add_member(acme, olga.email, first_name="Olga")
    happen(acme, ada, by=olga)
    assert read(as_(ada), actor="olga") == []


def test_people_of_other_companies_are_nobody(as_, ada, gina, ivo):
    """T43: neither offered nor echoed, whatever number or name is asked for."""
    client = as_(gina)
    for query in ({"person": "ivo"}, {"actor": "ada"}, {"person": str(ada.pk)}):
        page = text(client.get(LIST, query))
        assert "Novak" not in page
        assert "Lindqvist" not in page
        assert "0 in all" in page


def test_nobody_is_found_by_the_name_that_another_company_gives_them(
    as_, ada, max_, globex
):
    """T43: two companies' entries for one person know nothing of each other."""
    add_member(globex, max_.email, first_name="Maxwell", last_name="Stone")
    happen(ada.company, ada, by=max_.user)
    assert len(read(as_(ada), actor="weber")) == 1
    assert read(as_(ada), actor="stone") == []


def test_whether_somebody_had_a_log_in_before_is_not_told(as_, client, ada, ivo, olga):
    """T22."""
    follow(client, ivo)
    set_password(client, ivo)
    told = whats(as_(ada))
    assert told[:2] == ["Invitation accepted", "Link of the invitation opened"]
    assert whats(as_(olga), kind="account_created") != []
    offered = text(as_(ada).get(LIST))
    for kind in NOT_OF_A_COMPANY:
        assert f'value="{kind}"' not in offered


def test_kinds_that_a_company_does_not_know_are_all_named(as_, ada, ivo, client, olga):
    """Each event that is recorded without a company is of such a kind."""
    follow(client, ivo)
    set_password(client, ivo)
    kinds = set(AuditEvent.objects.filter(company=None).values_list("kind", flat=True))
    assert kinds <= NOT_OF_A_COMPANY


# Taking it away


def test_what_is_filtered_is_taken_away(as_, ada, ivo, max_):
    happen(ada.company, max_, by=ada.user, job_title="=1+1")
    header, row = exported(as_(ada), person="weber")
    assert header == ["When", "Who", "What", "About", "Details"]
    assert row[1:] == ["ada@acme.example", "Changed", "Max Weber", "job title: =1+1"]
    assert re.fullmatch(r"[\d-]+T[\d:]+[+-]\d\d:\d\d", row[0])
    page = text(as_(ada).get(LIST, {"person": "weber"}))
    assert f'href="{EXPORT}?person=weber"' in page


def test_no_cell_is_a_formula(as_, ada, acme):
    """T47."""
    happen(acme, add_entry(acme, "kim@acme.example", first_name="=cmd()"))
    assert exported(as_(ada))[1][3] == "'=cmd()"


def test_an_operator_takes_company_and_address_along(as_, ada, ivo, olga):
    header, row = exported(as_(olga), person="ivo")
    assert header[-2:] == ["Company", "Client address"]
    assert row[-2] == "Acme Construction"


def test_a_file_that_is_not_all_says_so(as_, ada, acme, monkeypatch):
    monkeypatch.setattr(history, "EXPORTED", 2)
    for _ in range(3):
        happen(acme, ada)
    assert [row[0] for row in exported(as_(ada))][-1] == history.MORE
    assert len(exported(as_(ada))) == 4


def test_a_page_that_is_not_there_is_no_error(as_, ada, acme):
    """As in the list."""
    for _ in range(101):
        happen(acme, ada)
    answer = as_(ada).get(EXPORT, {"p": "99"})
    assert (answer.status_code, answer.url) == (302, f"{LIST}?e=1")


# What it costs


def test_only_so_many_are_counted(as_, ada, acme, monkeypatch):
    monkeypatch.setattr(history, "COUNTED", 3)
    for _ in range(5):
        happen(acme, ada)
    page = text(as_(ada).get(LIST))
    assert "The newest 3. Choose a time to read older ones." in page
    page = text(as_(ada).get(LIST, {"q": "ada"}))
    assert "The newest 3. Choose a time to read older ones." in page
    page = text(as_(ada).get(LIST, {"person": "nobody"}))
    assert "0 in all" in page


@pytest.mark.parametrize("count", [10, 1000])
@pytest.mark.parametrize("url", [LIST, EXPORT])
@pytest.mark.parametrize("query", [{}, {"person": "a", "actor": "a", "days": "7"}])
def test_it_costs_the_same_for_many(
    as_,
    ada,
    ivo,
    acme,
    query,
    url,
    count,
    queries,  # noqa: F811
):
    people = [add_entry(acme, f"p{n}@acme.example") for n in range(10)]
    AuditEvent.objects.bulk_create(
        AuditEvent.of(Kind.ENTRY_CHANGED, ada.user, acme, people[n % 10])
        for n in range(count)
    )
    client = as_(ada)
    with queries:
        answer = client.get(url, query)
    assert answer.status_code == 200
    assert len(queries) <= 12, str(queries)
