"""What an address may ask of the admin: no column, no other company, no stray byte."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from companies.models import PermissionTemplate, Vendor
from tests.cast import add_entry, invite

DIRECTORY = "/admin/companies/membership/"
LISTS = ["companies/membership", "companies/project", "invitations/invitation"]


def complete(client, field="companies.projectmembership.project", **more):
    app, model, name = field.split(".")
    data = {"app_label": app, "model_name": model, "field_name": name, "term": ""}
    return client.get(reverse("admin:autocomplete"), data | more)


@pytest.mark.parametrize(
    "lookup",
    [
        "email__startswith",
        "user__password__startswith",
        "user__is_superuser__exact",
        "company__exact",
        "company__name__startswith",
        "vendor__name__startswith",
        "vendor__company__exact",
        "invitations__first_password__startswith",
        "template__levels__level__exact",
        "id__gt",
        "status__startswith",
        "no_such_column",
        "pk",
    ],
)
def test_no_column_is_asked_through_an_address(as_, ada, lookup):
    """T43, T49: a look-up answers by the rows that it leaves."""
    assert as_(ada).get(DIRECTORY, {lookup: "a"}).status_code == 400


@pytest.mark.parametrize("model", LISTS)
@pytest.mark.parametrize("field", ["user__password", "company", "email", "public_id"])
def test_no_row_is_named_by_another_column(as_, ada, ivo, model, field):
    """T43: `_to_field` neither in lists nor in forms."""
    for path in (f"/admin/{model}/", f"/admin/{model}/{ivo.pk}/change/"):
        answer = as_(ada).get(path, {"_to_field": field, "_popup": 1})
        assert answer.status_code == 400


@pytest.mark.parametrize("name", ["vendor", "template"])
def test_a_filter_lists_the_own_companys_rows_only(as_, ada, gina, name):
    """Finding 1: a plain list filter prints every company's."""
    for company in (ada.company, gina.company):
        for n in (1, 2):
            add_entry(
                company,
                f"p{n}@{company.slug}.example",
                vendor=Vendor.objects.create(
                    company=company, name=f"{company} Electric {n}"
                ),
            )
            PermissionTemplate.objects.create(
                company=company, name=f"{company} plan {n}", scope="company"
            )
    page = as_(gina).get(DIRECTORY, {"_facets": "True"}).content.decode()
    assert f"?{name}__id__exact=" in page.replace("_facets=True&amp;", "")
    assert "Globex Builders" in page
    assert "Acme" not in page


def test_a_foreign_value_of_a_filter_answers_as_a_missing_one(as_, gina, acme):
    """T43."""
    bolt, *_ = [
        Vendor.objects.create(company=company, name=name)
        for company, name in ((acme, "Bolt"), (gina.company, "A"), (gina.company, "B"))
    ]
    pages = [
        as_(gina).get(DIRECTORY, {"vendor__id__exact": key}).context["cl"].result_count
        for key in (bolt.pk, 987_654_321)
    ]
    assert pages == [0, 0]


@pytest.mark.parametrize("query", [{"q": "acme"}, {"q": "Weber"}, {"o": "2.-1"}, {}])
def test_search_and_order_reach_the_own_rows_only(as_, gina, max_, ada, query):
    """T38, T43: an answer doesn't change with another company's data."""
    listed = as_(gina).get(DIRECTORY, query).context["cl"].result_list
    assert {row.company for row in listed} <= {gina.company}


def test_completion_offers_the_own_companys_rows(as_, ada, gina, tower, bridge):
    """T38."""
    assert [row["text"] for row in complete(as_(gina)).json()["results"]] == [
        "B-9 Mill Bridge"
    ]
    assert complete(as_(gina), term="Harbour").json()["results"] == []
    assert complete(as_(ada), "companies.membership.vendor").status_code == 200


@pytest.mark.parametrize(
    "field",
    [
        "companies.projectmembership.template",
        "companies.projectmembership.company",
        "companies.membership.user",
        "companies.membership.company",
        "companies.membership.invitations",
        "companies.membership.template",
        "invitations.invitation.membership",
        "invitations.invitation.invited_by",
        "audit.auditevent.actor",
        "account.emailaddress.user",
        "none.such.field",
        "companies.membership.none",
        "companies.membership.id",
    ],
)
def test_completion_answers_for_fields_of_forms_only(as_, gina, olga, field):
    """T38: also an operator finds nobody through a field that no form has."""
    for somebody in (gina, olga):
        assert complete(as_(somebody), field).status_code == 403


def test_completion_without_its_parameters_is_refused(as_, ada):
    assert as_(ada).get(reverse("admin:autocomplete")).status_code == 403


@pytest.mark.parametrize(
    "query",
    [
        "q=%00",
        "status=%00",
        "vendor__id__exact=%00",
        "q=a%00b&status=invited",
        "_changelist_filters=%00",
    ],
)
def test_a_nul_in_an_address_is_answered_with_a_page(as_, ada, query):
    """T49: PostgreSQL takes none, in no place."""
    answer = as_(ada).get(f"{DIRECTORY}?{query}")
    assert answer.status_code == 400
    assert "can’t be understood" in answer.content.decode()


@pytest.mark.parametrize(
    "query",
    [
        {"p": "99999999999999999999"},
        {"p": "-1"},
        {"p": "x"},
        {"p": "9" * 5000},
        {"p": "0", "all": ""},
        {"o": "99.-99.x..-"},
        {"o": "9" * 5000},
        {"status": "none-such"},
        {"status": "invited' OR 1=1 --"},
        {"vendor__id__exact": "x"},
        {"vendor__id__exact": "9" * 40},
        {"vendor__isnull": "x"},
        {"template__id__exact": "-1"},
        {"q": "x " * 1500},
        {"q": "'\"\\ %_ \u202e\ud7ff\U0001f3d7"},
        {"_facets": "\u202e"},
        {"e": "1"},
        {"e": "1", "vendor__id__exact": "x"},
    ],
)
@pytest.mark.parametrize("popup", [{}, {"_popup": "1"}])
def test_garbage_in_an_address_is_answered_with_a_page(as_, ada, query, popup):
    """Bad input gets a page, never a 500."""
    answer = as_(ada).get(DIRECTORY, query | popup, follow=True)
    assert answer.status_code == 200
    assert "database installation" not in answer.content.decode()


@pytest.mark.parametrize(
    "more", [{"term": "x " * 1500}, {"page": "9" * 30}, {"page": "x"}]
)
def test_garbage_in_a_completion_is_answered(as_, ada, more):
    assert complete(as_(ada), **more).status_code in (200, 404)


@pytest.mark.parametrize("key", ["9" * 40, "x", "-1", "٣", "%00", "1e5", "_3A"])
@pytest.mark.parametrize("page", ["change", "history", "delete"])
@pytest.mark.parametrize("model", ["companies/membership", "companies/vendor"])
def test_an_odd_number_of_a_row_is_answered(as_, ada, model, page, key):
    """Integer overflow and worse, in the place of a row's number."""
    for ask in (as_(ada).get, as_(ada).post):
        answer = ask(f"/admin/{model}/{key}/{page}/")
        assert answer.status_code in (302, 403, 404)


@pytest.mark.parametrize("page", ["x", "0", "9" * 30, "-4"])
def test_an_odd_page_of_a_history_is_answered(as_, ada, page):
    answer = as_(ada).get(f"{DIRECTORY}{ada.pk}/history/", {"p": page})
    assert answer.status_code == 200


def test_a_history_tells_of_its_own_row_only(as_, ada, acme, tower):
    """T43: the vendor with the same number has another history."""
    client = as_(ada)
    for name in ("Bolt", "Volt"):
        client.post("/admin/companies/vendor/add/", {"name": name})
    vendor = Vendor.objects.get(name="Bolt")
    path = f"/admin/companies/vendor/{vendor.pk}/"
    client.post(f"{path}change/", {"name": "Bolt & Sons"})
    page = client.get(f"{path}history/")
    assert [event.kind for event in page.context["events"]] == [
        "entry_changed",
        "entry_added",
    ]
    assert "ada@acme.example" in page.content.decode()


@pytest.mark.parametrize("path", ["invitations/invitation/", "companies/vendor/"])
def test_a_list_asks_the_same_number_of_questions(as_, ada, acme, path):
    """Few queries per list, however many rows it shows."""
    client, counts = as_(ada), []
    for n in range(30):
        Vendor.objects.create(company=acme, name=f"Firm {n}")
        invite(add_entry(acme, f"p{n}@acme.example"), ada.user)
        with CaptureQueriesContext(connection) as asked:
            assert client.get(f"/admin/{path}").status_code == 200
        counts.append(len(asked))
    assert set(counts) == {counts[0]}
    assert counts[0] <= 10
