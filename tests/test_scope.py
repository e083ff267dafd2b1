"""Every page of the admin, asked by those who may and by those who may not.

The pages are collected from the admin site itself: a new one fails these tests until
its answers are written down here.
"""

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
from django.contrib import admin
from django.contrib.messages import get_messages
from django.db import transaction
from django.forms import model_to_dict
from django.urls import URLPattern, URLResolver

from accounts.models import User
from audit.admin import OperatorAdmin
from audit.models import AuditEvent
from companies.admin import CompanyScopedAdmin
from companies.models import (
    Company,
    Membership,
    PermissionLevel,
    PermissionTemplate,
    Project,
    ProjectMembership,
    Vendor,
)
from desk.models import Import, ImportRow
from invitations.models import Delivery, Invitation, Terms
from tests.cast import add_entry, invite, let_an_hour_pass

# What every row of Acme says here, and nothing else in the world does.
MARK = "zzyzx-road"
OF_ACME = (
    *(MARK, "acme construction", "acme.example", "subco.example"),
    *("lindqvist", "max weber", "harbour tower"),
)
MISSING = 987_654_321


def patterns() -> Iterator[tuple[str, str]]:
    """Give the name and the path of each page of the admin, Django's and ours."""
    for page in admin.site.get_urls():
        if not isinstance(page, URLResolver):
            yield page.name or "(anything else)", str(page.pattern)
            continue
        for inner in page.url_patterns:
            assert isinstance(inner, URLPattern)
            route = f"{page.pattern}{inner.pattern}"
            # The one without a name leads on to the page of the row.
            yield inner.name or route.split("/<")[0].replace("/", "_"), route


def path_of(name: str, route: str, key: object) -> str:
    if name == "app_list":
        return "/admin/companies/"
    if name == "(anything else)":
        return "/admin/nothing/of/the/kind/"
    named = {
        "path:object_id": key,
        "int:pk": key,
        "uuid:batch": UUID(int=int(str(key))),
    }
    for name, value in named.items():
        route = route.replace(f"<{name}>", str(value))
    return f"/admin/{route}"


def model_of(name: str) -> type | None:
    """The model whose admin a page belongs to; None for pages of the whole site."""
    route = dict(patterns())[name]
    models = {
        f"{model._meta.app_label}/{model._meta.model_name}/": model
        for model in admin.site._registry
    }
    return next((m for start, m in models.items() if route.startswith(start)), None)


@pytest.fixture
def rows(acme, ada, max_, ivo, tower, gina, bridge, olga):
    """One row of Acme for each model; Globex has Gina and a project."""
    vendor = Vendor.objects.create(company=acme, name=f"{MARK} Electric")
    Project.objects.filter(pk=tower.pk).update(city=MARK)
    Membership.objects.filter(pk=max_.pk).update(vendor=vendor, job_title=MARK)
    ours = PermissionTemplate.objects.create(
        company=acme, name=f"{MARK} template", scope="company"
    )
    invite(add_entry(acme, f"{MARK}@subco.example", vendor=vendor), ada.user)
    ivo.deliveries.update(batch=UUID(int=ivo.pk))
    Terms.objects.publish(f"{MARK}-1", "Agree again.", None)
    for user in User.objects.all():
        Terms.objects.current().accept(user)
    return {
        Company: acme,
        Project: tower,
        Vendor: vendor,
        PermissionTemplate: ours,
        Membership: max_,
        ProjectMembership: max_.project_memberships.get(),
        Invitation: ivo,
        Delivery: ivo.deliveries.get(),
        Terms: Terms.objects.current(),
        User: max_.user,
        AuditEvent: AuditEvent.objects.filter(company=acme).first(),
        Import: imported(acme),
    }


def imported(acme):
    """A list of people that has been compared, and is to be applied."""
    name = f"{MARK}.csv"
    source = Import.objects.create(company=acme, name=name, state=Import.State.PLANNED)
    ImportRow.objects.create(
        company=acme, source=source, number=2, kind="new", cells={"E-mail": MARK}
    )
    return source


def stored():
    """All that is stored of the desk's nouns, to be compared afterwards."""
    models = [
        *(Company, Project, Vendor, PermissionTemplate, PermissionLevel, Membership),
        *(ProjectMembership, Invitation, Delivery, Terms, User, AuditEvent),
        *(Import, ImportRow),
    ]
    return {
        model.__name__: list(model.objects.order_by("pk").values()) for model in models
    }


def said(answer):
    """The answer in small letters, and where it leads to; a workbook is no text."""
    content = answer.getvalue().decode(errors="replace")
    return f"{answer.headers.get('Location')} {content}".lower()


def test_each_admin_is_of_a_known_kind():
    """Section 7: one base class, which every registered admin derives from."""
    kinds = (CompanyScopedAdmin, OperatorAdmin)
    assert [a for a in admin.site._registry.values() if not isinstance(a, kinds)] == []


def test_nothing_of_acme_is_said_or_done_by_asking_as_gina(as_, rows, gina):
    """T37 to T45: Gina asks for Acme's rows by every address, and posts to each."""
    client = as_(gina)
    before = stored()
    for name, route in patterns():
        model = model_of(name)
        row = rows[model] if model else gina
        for query in ("", "?_popup=1&_to_field=id"):
            path = path_of(name, route, row.pk) + query
            for answer in (client.get(path), client.post(path, posted(rows, row))):
                assert answer.status_code < 500, path
                assert_silent(client, answer, path)
    assert stored() == before


def posted(rows, row):
    """Ids of Acme's rows in every field that a form, an inline or an action reads."""
    project, membership = rows[Project], rows[Membership]
    grant = membership.project_memberships.get()
    inline = {
        **{"id": grant.pk, "membership": membership.pk, "project": project.pk},
        "template": grant.template_id,
    }
    return {
        **{k: v for k, v in model_to_dict(row).items() if isinstance(v, int)},
        "company": rows[Company].pk,
        "vendor": rows[Vendor].pk,
        "template": rows[PermissionTemplate].pk,
        "user": rows[User].pk,
        "post": "yes",
        "verb": "apply",
        "project_memberships-TOTAL_FORMS": 1,
        "project_memberships-INITIAL_FORMS": 1,
        **{f"project_memberships-0-{name}": value for name, value in inline.items()},
    }


def assert_silent(client, answer, path):
    """Nothing of Acme in the answer, nor in the message on the page that follows."""
    follow = client.get("/admin/") if answer.status_code == 302 else answer
    for text in (said(answer), said(follow)):
        assert [word for word in OF_ACME if word in text] == [], path


def test_a_foreign_row_is_answered_like_a_missing_one(as_, rows, gina):
    """T43: not even that a row is there can be read off an answer."""
    client = as_(gina)
    for name, route in patterns():
        if not (model := model_of(name)):
            continue
        key = rows[model].pk
        for method in (client.get, client.post):
            foreign = method(path_of(name, route, key))
            missing = method(path_of(name, route, MISSING))
            assert foreign.status_code == missing.status_code, name
            location = foreign.headers.get("Location", "")
            same = missing.headers.get("Location", "").replace(str(MISSING), str(key))
            assert location == same, name


@pytest.mark.parametrize("across", ["0", "1"])
@pytest.mark.parametrize("form", ["", "CHANGE_FORM-"])
def test_no_action_reaches_a_foreign_row(as_, rows, gina, across, form):
    """T41: each action of each admin, for Acme's row, alone and beside an own one."""
    client = as_(gina)
    before = stored()
    for model, model_admin in admin.site._registry.items():
        route = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        key = rows[model].pk
        for action in [*(model_admin.actions or []), "delete_selected"]:
            for chosen in ([key], [key, gina.pk]):
                data = {
                    f"{form}action": action,
                    f"{form}select_across": across,
                    "_selected_action": chosen,
                    "post": "yes",
                    "apply": "yes",
                    "days": 9,
                    "projects": "ended",
                }
                path = f"{route}{key}/change/" if form else route
                answer = client.post(path, data)
                assert answer.status_code < 500, path
                assert_silent(client, answer, path)
    assert stored() == before


def post(client, path, form=None):
    """What is answered; nothing stays done, so that the next asker finds it undone."""
    with transaction.atomic():
        answer = client.post(path, form)
        transaction.set_rollback(True)
    return answer


# GET/POST (of a form that says nothing but its company) of each page, for Acme's row
# where it is the page of one.
# 302 leads Gina to the index, which says that there is no such row.
# Olga has chosen Acme on the way, by the page that is for that.
MATRIX = Path(__file__).with_name("admin_matrix.txt")


def test_each_page_answers_as_stated(
    as_, client, rows, max_, rory, cora, ada, gina, olga
):
    """T40: page by person by method; a page that the table doesn't have fails."""
    seen = {name: [name.replace(" ", "-")] for name, _ in patterns()}
    for asker in [client, *map(as_, (max_, rory, cora, ada, gina, olga))]:
        for name, route in patterns():
            model = model_of(name)
            path = path_of(name, route, rows[model].pk if model else MISSING)
            answers = asker.get(path).status_code, post(asker, path).status_code
            seen[name].append("{}/{}".format(*answers))
    stated = [line.split() for line in MATRIX.read_text().splitlines()[1:]]
    assert sorted(seen.values()) == sorted(stated)


# The answers to each action of each list, chosen for Acme's row, with what it asks for:
# "login" is led there, "none" is not offered it, "gone" chose a row that isn't there;
# others read the status, with a + where something was written.
ACTIONS = Path(__file__).with_name("admin_matrix_actions.txt")
NOT_OFFERED = "No action selected."
NOT_THERE = "The list has changed meanwhile."


def actions():
    for model, model_admin in admin.site._registry.items():
        for name in [*dict(admin.site.actions), *(model_admin.actions or [])]:
            yield model, name


def asked_for(rows, name):
    """What the page that an action shows first asks for."""
    kind = "company" if name == "change_template" else "project"
    templates = PermissionTemplate.objects.filter(company=rows[Company], scope=kind)
    return {
        **{"apply": "1", "post": "yes", "projects": "kept"},
        "days": 0 if name == "remind" else 9,
        **{"reason": "late", "last_day": "2026-01-01", "project": rows[Project].pk},
        "template": templates.order_by("pk").last().pk,
    }


def outcome(client, model, form):
    """In a word what becomes of an action, which is not done in the end."""
    path = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
    client.cookies.pop("messages", None)
    before = stored()
    with transaction.atomic():
        answer = client.post(path, form)
        answer.getvalue()
        is_written = stored() != before
        transaction.set_rollback(True)
    said = " ".join(map(str, get_messages(answer.wsgi_request)))
    if answer.headers.get("Location", "").startswith("/accounts/login/"):
        return "login"
    if NOT_OFFERED in said or "cl" in (answer.context or {}):
        return "none"
    if NOT_THERE in said:
        return "gone"
    return f"{answer.status_code}{'+' * is_written}"


def test_each_action_answers_as_stated(
    as_, client, rows, ivo, max_, rory, cora, ada, gina, olga
):
    """T41: person by action; one that the table doesn't have fails."""
    rows[Membership] = ivo.membership  # to whom there is something to be done
    let_an_hour_pass(ivo.membership)
    people = [client, *map(as_, (max_, rory, cora, ada, gina, olga))]
    seen = []
    for model, name in actions():
        chosen = {"action": name, "_selected_action": rows[model].pk}
        form = chosen | asked_for(rows, name)
        said = [outcome(person, model, form) for person in people]
        seen.append([f"{model._meta.label_lower}.{name}", *said])
    stated = [line.split() for line in ACTIONS.read_text().splitlines()[1:]]
    assert sorted(seen) == sorted(stated)
