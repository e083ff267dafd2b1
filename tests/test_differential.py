"""Nothing of another company can be read off an answer: with its data and without,
the same requests get the same answers, byte for byte (T22, T38, T43)."""

import re
from difflib import unified_diff
from io import BytesIO

import openpyxl
import pytest
from django.contrib import admin
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from audit.models import AuditEvent
from companies.models import PermissionTemplate, Project, Vendor
from companies.tools import MEMBER
from desk.models import Import
from desk.status import NOT_IN_YET, Status
from tests.cast import (
    add_entry,
    add_member,
    add_user,
    invite,
    put_on,
    template,
    work,
)
from tests.steps import headers
from tests.test_scope import MARK, MISSING, model_of, path_of, patterns

# What differs from request to request, whoever else is in the database.
OWN_OF_AN_ANSWER = [
    (r'name="csrfmiddlewaretoken" value="\w+"', "token"),
    (r'nonce="[\w/+=-]+"', "nonce"),
]
SEARCHED = ["a", "max", "example", "weber", "rossi", "mill", "24-017", "b-9", "%", "_"]


@pytest.fixture
def acme_rows(acme, ada, max_, ivo, tower, cora):
    """One row of Acme for each model that its administrators see."""
    vendor = Vendor.objects.create(company=acme, name="Bolt Electric")
    add_entry(acme, "nele@subco.example", vendor=vendor, last_name="Weber")
    return {
        "companies.project": tower,
        "companies.vendor": vendor,
        "companies.permissiontemplate": PermissionTemplate.objects.create(
            company=acme, name="Own", scope="company"
        ),
        "companies.membership": max_,
        "companies.projectmembership": max_.project_memberships.get(),
        "invitations.invitation": ivo,
        "desk.import": imported(acme, ada.user),
        "audit.auditevent": AuditEvent.objects.filter(company=acme).first(),
    }


def imported(company, by):
    """A list that was compared and applied: one new person, and one who is refused."""
    file = b"E-mail,Last name,Firm\nrosa@subco.example,Diaz,Bolt Electric\nnobody,,\n"
    source = Import.objects.bring(company, "people.csv", file, by)
    work()
    source.refresh_from_db()
    source.apply(by)
    work()
    return source


def load_globex(request):
    """Everything that Globex could have: the same people, names, numbers and words."""
    globex = request.getfixturevalue("globex")
    gina = request.getfixturevalue("gina")
    bridge = request.getfixturevalue("bridge")
    tower = Project.objects.create(
        company=globex, name="Harbour Tower", number="24-017", city=MARK
    )
    vendor = Vendor.objects.create(company=globex, name="Bolt Electric")
    for email in ("ada@acme.example", "max@acme.example"):
        put_on(add_member(globex, email, vendor=vendor), tower)
    for email in ("ivo@subco.example", "nele@subco.example", "zoe@subco.example"):
        entry = add_entry(globex, email, vendor=vendor, last_name="Weber")
        put_on(entry, bridge)
        invite(entry, gina.user)
    add_user("known@subco.example")
    PermissionTemplate.objects.create(company=globex, name="Own", scope="company")
    imported(globex, gina.user)


def requests(rows):
    """Every page, each list with each of its filters, and searches, as (path, form)."""
    yield from pages(rows)
    for model, model_admin in admin.site._registry.items():
        if (label := model._meta.label_lower) not in rows:
            continue
        path = reverse(f"admin:{label.replace('.', '_')}_changelist")
        for word in SEARCHED:
            yield f"{path}?q={word}", None
        for each in range(len(model_admin.list_display) + 1):
            yield f"{path}?o={each}", None
        for action in model_admin.actions or []:
            # Asked without a row it does nothing; with one it may ask for more.
            yield path, {"action": action}
    yield from questions()
    yield from completions()


def questions():
    """What is typed, or chosen from a list, elsewhere than in a list's search."""
    directory = reverse("admin:companies_membership_changelist")
    history = reverse("admin:audit_auditevent_changelist")
    for word in SEARCHED:
        yield f"{reverse('admin:why')}?q={word}", None
        for name in ("vendor_name", "project_name"):
            yield f"{directory}?{name}={word}", None
        for name in ("person", "actor"):
            yield f"{history}?{name}={word}", None
    for status in (NOT_IN_YET, *Status.values):
        yield f"{directory}?status={status}", None
    for kind in AuditEvent.Kind.values:
        yield f"{history}?kind={kind}", None


def pages(rows):
    for name, route in patterns():
        model = model_of(name)
        row = rows.get(model._meta.label_lower) if model else None
        path = path_of(name, route, row.pk if row else MISSING)
        yield path, None
        yield path, {}


def completions():
    path = reverse("admin:autocomplete")
    for app_label, model_name, field_name in admin.site.completed_fields():
        for word in SEARCHED:
            yield (
                f"{path}?app_label={app_label}&model_name={model_name}"
                f"&field_name={field_name}&term={word}",
                None,
            )


def written(rows):
    """Forms that are saved: what they say must not tell either."""
    acme = rows["companies.project"].company
    member = template(acme, MEMBER).pk
    inline = {
        "project_memberships-TOTAL_FORMS": 0,
        "project_memberships-INITIAL_FORMS": 0,
    }
    # Unknown in the world; in Globex's directory; with a log-in somewhere; here.
    known = ["new", "zoe", "known", "nele", "ivo"]
    for name in known:
        form = {"email": f"{name}@subco.example", "template": member} | inline
        yield reverse("admin:companies_membership_add"), form
    yield reverse("admin:companies_vendor_add"), {"name": "Bolt Electric"}
    yield reverse("admin:companies_vendor_add"), {"name": "Mill Bridge"}
    directory = reverse("admin:companies_membership_changelist")
    for action in ("invite", "send_again", "first_password", "revoke"):
        chosen = [rows["invitations.invitation"].membership.pk]
        yield directory, {"action": action, "_selected_action": chosen}


def answers(client, rows):
    asked = []
    for path, form in requests(rows):
        answer = client.get(path) if form is None else client.post(path, form)
        asked.append((path, form, seen(answer)))
    for path, form in written(rows):
        with transaction.atomic():
            answer = client.post(path, form)
            after = client.get("/admin/")  # and the message that it left
            transaction.set_rollback(True)
        said = [*seen(answer), *seen(after)]
        # The number of a row that was just made is the next one of all companies.
        said = [re.sub(r"/\d+/change/", "/new/", str(part)) for part in said]
        asked.append((path, form, said))
    return asked


def seen(answer):
    page = text_of(answer)
    page = re.sub(r'<code translate="no">\w+</code>', "first password", page)
    for pattern, word in OWN_OF_AN_ANSWER:
        page = re.sub(pattern, word, page)
    return answer.status_code, headers(answer), page, sorted(answer.cookies)


def text_of(answer):
    """The page; of a workbook, which says when it was written, the cells."""
    content = answer.getvalue()
    if not content.startswith(b"PK"):
        return content.decode()
    return str(list(openpyxl.load_workbook(BytesIO(content)).active.values))


def test_the_answers_are_the_same_with_and_without_another_companys_data(
    request, as_, acme_rows, ada, time_machine
):
    # The clock stands still: a minute later, somebody may be mailed again (T27).
    time_machine.move_to(timezone.now(), tick=False)
    before = answers(as_(ada), acme_rows)
    load_globex(request)
    after = answers(as_(ada), acme_rows)
    assert len(before) > 250
    for asked, again in zip(before, after, strict=True):
        assert asked == again, difference(asked, again)


def difference(asked, again):
    """The lines that differ, which pytest would cut off."""
    texts = [repr(each).replace("\\n", "\n").splitlines() for each in (asked, again)]
    return "\n".join(unified_diff(*texts, *asked[:1] * 2, n=1))
