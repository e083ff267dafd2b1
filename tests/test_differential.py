"""Nothing of another company can be read off an answer: with its data and without,
the same requests get the same answers, byte for byte (T22, T38, T43)."""

import re
from contextlib import contextmanager
from difflib import unified_diff
from io import BytesIO

import openpyxl
import pytest
from django.contrib import admin
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from audit.models import AuditEvent
from companies.models import Membership, PermissionTemplate, Project, Vendor
from companies.tools import COORDINATOR, MEMBER
from desk.admin.directory import DirectoryAdmin
from desk.models import Import
from desk.status import NOT_IN_YET, Status
from invitations.models import Delivery, Invitation
from tests.cast import (
    FOREMAN,
    add_entry,
    add_member,
    add_user,
    invite,
    let_an_hour_pass,
    put_on,
    template,
    work,
)
from tests.steps import accept, agree, follow, headers, set_password
from tests.test_scope import MARK, MISSING, model_of, path_of, patterns

# What differs from request to request, whoever else is in the database.
OWN_OF_AN_ANSWER = [
    (r'name="csrfmiddlewaretoken" value="\w+"', "token"),
    (r'nonce="[\w/+=-]+"', "nonce"),
]
# The next one of all companies, or a random one.
NUMBER_OF_A_NEW_ROW = (
    r'/\d+/change/|_selected_action" value="\d+"|progress/[0-9a-f-]{36}/'
)
# Unknown in the world; in Globex's directory; with a log-in somewhere; in Acme's.
KNOWN = ["new", "zoe", "known", "nele", "ivo"]
NO_PROJECTS = {
    "project_memberships-TOTAL_FORMS": 0,
    "project_memberships-INITIAL_FORMS": 0,
}
MEMBERSHIP = "companies.membership"
SEARCHED = ["a", "max", "example", "weber", "rossi", "mill", "24-017", "b-9", "%", "_"]


@pytest.fixture
def acme_rows(acme, ada, max_, ivo, tower, cora):
    """One row of Acme for each model that its administrators see."""
    vendor = Vendor.objects.create(company=acme, name="Bolt Electric")
    add_entry(acme, "nele@subco.example", vendor=vendor, last_name="Weber")
    invite(add_entry(acme, "kim@subco.example"), ada.user)
    Project.objects.create(company=acme, name="Annex", number="A-1")
    lose_a_mail(acme, ada.user)
    let_an_hour_pass(ivo.membership)
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
    """A list that was compared and applied: one new person, and one who is refused.

    Another one was compared: of people of whom some are elsewhere, too.
    """
    file = b"E-mail,Last name,Firm\nrosa@subco.example,Diaz,Bolt Electric\nnobody,,\n"
    source = Import.objects.bring(company, "people.csv", file, by)
    more = b"E-mail,Firm\n" + b"".join(
        b"%s@subco.example,Mill\n" % name.encode() for name in KNOWN
    )
    Import.objects.bring(company, "more.csv", more, by)
    work()
    source.refresh_from_db()
    source.apply(by)
    work()
    return source


def lose_a_mail(company, by):
    """Let a mail server refuse it."""
    invitation = invite(add_entry(company, "lea@gmial.com", last_name="Wu"), by)
    for mail in Delivery.objects.claim(100):
        is_lost = mail.invitation == invitation
        state = Delivery.State.REFUSED if is_lost else Delivery.State.ACCEPTED
        mail.settle(state, "550 5.1.1 User unknown" if is_lost else "")
    let_an_hour_pass(invitation.membership)


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
    add_member(globex, "kim@subco.example")
    lose_a_mail(globex, gina.user)
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
    yield from added(rows)
    yield from changed(rows)
    yield from done(rows)


def change_of(row):
    name = row._meta.label_lower.replace(".", "_")
    return reverse(f"admin:{name}_change", args=[row.pk])


def added(rows):
    acme = rows["companies.project"].company
    member = template(acme, MEMBER).pk
    for name in KNOWN:
        form = {"email": f"{name}@subco.example", "template": member} | NO_PROJECTS
        yield reverse("admin:companies_membership_add"), form
    for name in ("Bolt Electric", "Mill Bridge"):
        yield reverse("admin:companies_vendor_add"), {"name": name}


def changed(rows):
    """Also to what is taken here, or is Globex's; and deleted."""
    entry = rows["invitations.invitation"].membership
    for name in KNOWN:
        form = {"email": f"{name}@subco.example", "template": entry.template_id}
        yield change_of(entry), form | {"is_active": "on"} | NO_PROJECTS
    for number in ("B-9", "a-1"):
        form = {"name": "Mill Bridge", "number": number, "is_active": "on"}
        yield change_of(rows["companies.project"]), form
    vendor, own = rows["companies.vendor"], rows["companies.permissiontemplate"]
    yield change_of(vendor), {"name": "Mill Bridge"}
    for row in (vendor, own):
        yield change_of(row).replace("/change/", "/delete/"), {"post": "yes"}


def done(rows):
    """Actions and what they ask for, and what is done on pages of their own."""
    tower, invitation = rows["companies.project"], rows["invitations.invitation"]
    annex = Project.objects.get(company=tower.company, number="A-1")
    asked = {
        **{"apply": "1", "projects": "kept", "reason": "late"},
        **{"last_day": "2031-05-04", "project": annex.pk},
    }
    people = {"_selected_action": [invitation.membership_id, rows[MEMBERSHIP].pk]}
    for action in DirectoryAdmin.actions:
        kind = FOREMAN if action == "add_to_project" else COORDINATOR
        given = {
            "template": template(tower.company, kind).pk,
            "days": 9 if action == "extend" else 0,
        }
        yield (
            reverse("admin:companies_membership_changelist"),
            asked | people | given | {"action": action},
        )
    grant = {"_selected_action": rows["companies.projectmembership"].pk}
    for action in ("suspend", "lift", "end"):
        path = reverse("admin:companies_projectmembership_changelist")
        yield path, asked | grant | {"action": action}
    for verb, project in (("mobilise", annex), ("demobilise", tower)):
        path = reverse(f"admin:companies_project_{verb}", args=[project.pk])
        yield path, asked | {"source": tower.pk}
    yield from repaired(tower.company)
    yield change_of(rows["desk.import"]), {"verb": "undo"}
    for verb in ("apply", "cancel"):
        planned = Import.objects.get(company=tower.company, name="more.csv")
        yield change_of(planned), {"verb": verb}


def repaired(acme):
    group = {"domain": "gmial.com", "cause": "mailbox"}
    path = reverse("admin:invitations_invitation_repair", query=group)
    lea = Membership.objects.get(company=acme, email="lea@gmial.com")
    for address in ("lea@gmail.com", *(f"{name}@subco.example" for name in KNOWN)):
        yield path, {f"chosen_{lea.pk}": "on", f"address_{lea.pk}": address}


def answers(client, rows):
    asked = []
    for path, form in requests(rows):
        with undone():
            answer = client.get(path) if form is None else client.post(path, form)
            asked.append((path, form, seen(answer)))
    for path, form in written(rows):
        with undone():
            answer = client.post(path, form)
            work()
            # And the message that it left.
            after = client.get(answer.headers.get("Location", "/admin/"))
        said = [*seen(answer), *seen(after)]
        said = [re.sub(NUMBER_OF_A_NEW_ROW, "new", str(part)) for part in said]
        asked.append((path, form, said))
    return [*asked, *joined(client)]


def joined(client):
    """Somebody accepts, who has a log-in in Globex, where there is a Globex."""
    invitation = Invitation.objects.get(
        company__slug=client.desk, sent_to="kim@subco.example"
    )
    entry, visitor = invitation.membership, Client()
    with undone():
        if user := User.objects.filter(email=invitation.sent_to).first():
            visitor.force_login(user, "invitations.backends.AuthenticationBackend")
            follow(visitor, invitation)
            accept(visitor, invitation)
        else:
            follow(visitor, invitation)
            set_password(visitor, invitation)
            agree(visitor)
        work()
        for path in (
            *("/admin/", reverse("admin:companies_membership_changelist")),
            *(change_of(entry), change_of(invitation)),
            change_of(entry).replace("/change/", "/history/"),
            reverse("admin:companies_membership_story", args=[entry.pk]),
            reverse("admin:companies_membership_access", args=[entry.pk]),
            reverse("admin:audit_auditevent_changelist"),
            reverse("admin:audit_auditevent_export"),
        ):
            yield path, "joined", seen(client.get(path))


@contextmanager
def undone():
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


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
