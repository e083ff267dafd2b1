import time
from datetime import timedelta
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from accounts.models import User
from companies.models import *
from tests.cast import *
SUB = "Subcontractor – External"

def cl(model): return reverse(f"admin:companies_{model}_changelist")

def many_people(acme, tower, n):
    t = template(acme, MEMBER); f = template(acme, FOREMAN)
    users = User.objects.bulk_create(User(email=f"u{i}@x.example", password="!") for i in range(n))
    es = Membership.objects.bulk_create(Membership(company=acme, email=u.email, user=u, joined_at=timezone.now(), template=t, first_name=f"P{i}" if i%2 else "") for i,u in enumerate(users))
    ProjectMembership.objects.bulk_create(ProjectMembership(company=acme, membership=e, project=tower, template=f) for e in es)
    return es

def timed(label, fn):
    with CaptureQueriesContext(connection, ) as q:
        t=time.time(); r=fn(); dt=time.time()-t
    print(f"\n{label}: {len(q)} queries {dt:.2f}s status={getattr(r,'status_code',None)} size={len(r.content) if hasattr(r,'content') else ''}")
    return r

def test_change_form_ask(as_, ada, max_, tower):
    g = max_.project_memberships.get()
    url = reverse("admin:companies_projectmembership_change", args=[g.pk])
    c = as_(ada)
    r = c.post(url, {"CHANGE_FORM-action":"suspend","_selected_action":[g.pk]})
    print(r.status_code, b"Reason" in r.content)
    r = c.post(url, {"action":"suspend","_selected_action":[g.pk],"select_across":"0","apply":"Suspend","reason":"late"})
    print("SUSPENDED", max_.project_memberships.get().suspended_at, r.status_code)

def test_two_tabs(as_, ada, acme, globex, gina):
    add_member(globex, "ada@acme.example", template=COMPANY_ADMINISTRATOR)
    c = as_(ada)
    c.post(reverse("companies:select"), {"company": acme.slug})
    r = c.get(reverse("admin:companies_project_add"))
    c.post(reverse("companies:select"), {"company": globex.slug})
    r = c.post(reverse("admin:companies_project_add"), {"name":"Secret Acme","number":"X-1","is_active":"on"})
    print("TWO TABS", Project.objects.get(number="X-1").company)

def test_bind_template(as_, ada, acme, max_, tower):
    other = Project.objects.create(company=acme, name="Annex", number="A")
    f = template(acme, FOREMAN)
    add_entry(acme, "q@x.example", default_project_template=f)
    c = as_(ada)
    data = {"name": f.name, "project": other.pk} | {f"level_{k}": v for k, v in f.level_of().items()}
    r = c.post(reverse("admin:companies_permissiontemplate_change", args=[f.pk]), data)
    f.refresh_from_db(); print("BOUND", r.status_code, f.project)
    r = c.post(reverse("admin:companies_project_mobilise", args=[other.pk]), {"source": tower.pk, "apply": "1"})
    print("MOB", r.status_code)
    third = Project.objects.create(company=acme, name="Third", number="T")
    Membership.objects.filter(pk=max_.pk).update(default_project_template=f)
    r = c.post(reverse("admin:companies_project_mobilise", args=[third.pk]), {"source": tower.pk, "apply": "1"})
    print("MOB3", r.status_code)

def test_reason(as_, ada, max_, tower):
    g = max_.project_memberships.get()
    as_(ada).post(cl("projectmembership"), {"action":"suspend","_selected_action":[g.pk],"apply":"1","reason":"a\nb\u202egoed"})
    print("REASON", repr(max_.project_memberships.get().suspension_reason))

def test_operator_lists(as_, olga, ada, max_, acme, globex, gina, tower, bridge):
    c = as_(olga)
    r = c.post(cl("membership"), {"action":"add_to_project","_selected_action":[max_.pk, gina.pk],"apply":"1","project":tower.pk,"template":template(acme,SUB).pk}, follow=True)
    print("OP mixed", r.status_code, [str(m) for m in r.context["messages"]] if r.context else "")
    print(gina.project_memberships.count())

def test_huge_ids(as_, ada, max_, tower):
    c = as_(ada)
    big = "9"*40
    for u in (f"/admin/companies/membership/{big}/access/", f"/admin/companies/project/{big}/mobilise/", reverse("admin:companies_membership_access", args=[max_.pk])+f"?project={big}",
       reverse("admin:companies_membership_access", args=[max_.pk])+"?project=%00x"):
        print(u[:60], c.get(u).status_code)
    r=c.post(cl("membership"), {"action":"add_to_project","_selected_action":[max_.pk],"apply":"1","project":big,"template":"\0","starts_on":"\0"})
    print(r.status_code)
    r=c.post(reverse("admin:companies_project_mobilise", args=[tower.pk]), {"source": big,"starts_on":"9999-99-99"}); print(r.status_code)
    r=c.post(reverse("admin:companies_project_demobilise", args=[tower.pk]), {"last_day":"0001-01-01"}); print(r.status_code)
    r=c.get(reverse("admin:companies_project_demobilise", args=[tower.pk])); print(r.status_code)

def test_template_list(as_, ada, max_, acme):
    f = template(acme, FOREMAN)
    c = as_(ada)
    timed("template list 7", lambda: c.get(cl("permissiontemplate")))
    for i in range(40): f.duplicate(f"c{i}", None)
    timed("template list 47", lambda: c.get(cl("permissiontemplate")))

def test_big(as_, ada, max_, acme, tower):
    es = many_people(acme, tower, 1500)
    c = as_(ada)
    timed("project page", lambda: as_(max_).get(tower.get_absolute_url()))
    timed("grants list", lambda: c.get(cl("projectmembership")))
    timed("demobilise GET", lambda: c.get(reverse("admin:companies_project_demobilise", args=[tower.pk])))
    annex = Project.objects.create(company=acme, name="Annex", number="A")
    timed("mobilise diff", lambda: c.post(reverse("admin:companies_project_mobilise", args=[annex.pk]), {"source": tower.pk}))
    timed("mobilise", lambda: c.post(reverse("admin:companies_project_mobilise", args=[annex.pk]), {"source": tower.pk, "apply":"1"}))
    timed("demobilise", lambda: c.post(reverse("admin:companies_project_demobilise", args=[annex.pk]), {"last_day": "2030-01-01"}))
    ids = list(tower.project_memberships.values_list("pk", flat=True)[:900])
    timed("suspend ask", lambda: c.post(cl("projectmembership"), {"action":"suspend","_selected_action":ids[:100],"select_across":"1"}))
    timed("suspend", lambda: c.post(cl("projectmembership"), {"action":"suspend","_selected_action":ids,"select_across":"0","apply":"1","reason":"x"}))
    timed("lift", lambda: c.post(cl("projectmembership"), {"action":"lift","_selected_action":ids[:100]}))
    third = Project.objects.create(company=acme, name="Third", number="T")
    mids=[e.pk for e in es[:900]]
    timed("add", lambda: c.post(cl("membership"), {"action":"add_to_project","_selected_action":mids,"apply":"1","project":third.pk,"template":template(acme,SUB).pk}))

def test_my_access(as_, ada, max_, acme):
    f = template(acme, FOREMAN)
    ps = Project.objects.bulk_create(Project(company=acme, name=f"P{i}", number=f"N{i}") for i in range(3000))
    ProjectMembership.objects.bulk_create(ProjectMembership(company=acme, membership=max_, project=p, template=f) for p in ps)
    timed("my access", lambda: as_(max_).get(reverse("companies:access", args=[acme.slug])))
    timed("admin access", lambda: as_(ada).get(reverse("admin:companies_membership_access", args=[max_.pk])))
    timed("company page", lambda: as_(max_).get(acme.get_absolute_url()))
    timed("grants list", lambda: as_(ada).get(cl("projectmembership")))
    timed("person form", lambda: as_(ada).get(reverse("admin:companies_membership_change", args=[max_.pk])))

def test_project_page_queries(as_, max_, tower):
    c = as_(max_)
    with CaptureQueriesContext(connection) as q: c.get(tower.get_absolute_url())
    for x in q: print(x["sql"][:110])

def test_unproven_admin(as_, acme, ada, tower):
    u = User.objects.create_user("un@x.example", PASSWORD, is_proven=False); Terms.objects.current().accept(u)
    e = add_entry(acme, "un@x.example", user=u, joined_at=timezone.now(), template=COMPANY_ADMINISTRATOR)
    c = as_(e)
    print("ADMIN", c.get("/admin/").status_code, c.get(cl("project")).status_code)
    # last proven admin demotes herself
    r = as_(ada).post(reverse("admin:companies_membership_change", args=[ada.pk]), {"first_name":"A","template": template(acme, MEMBER).pk,"is_active":"on","project_memberships-TOTAL_FORMS":0,"project_memberships-INITIAL_FORMS":0})
    ada.refresh_from_db(); print("DEMOTED", r.status_code, ada.template)

def test_fav_next(as_, max_, tower):
    c = as_(max_)
    for n in ("//evil.example", "/\\evil.example", "https://evil.example", "/\t/evil.example", "javascript:alert(1)", "/companies/", "\\\\evil", "/%09/evil.example", "///evil"):
        r = c.post(reverse("companies:favourite", args=[tower.company.slug, tower.number]), {"is_favourite":"1","next":n}); print(repr(n), r.status_code, r.get("Location"))
    from django.test import Client
    cc = Client(enforce_csrf_checks=True); cc.force_login(max_.user, "invitations.backends.AuthenticationBackend")
    print("CSRF", cc.post(reverse("companies:favourite", args=[tower.company.slug, tower.number])).status_code)

def test_deactivate_user(as_, olga, ada, acme):
    r = as_(olga).post(reverse("admin:accounts_user_change", args=[ada.user_id]), {})
    ada.user.refresh_from_db(); print("USER ACTIVE", ada.user.is_active, Membership.objects.administrators().filter(company=acme).count())

def test_last_admin_template(as_, ada, acme):
    t = template(acme, COMPANY_ADMINISTRATOR)
    c = as_(ada)
    url = reverse("admin:companies_permissiontemplate_change", args=[t.pk])
    data = {"name": t.name} | {f"level_{k}": 0 for k in t.level_of()}
    r = c.post(url, data); data["confirmed"] = r.context["adminform"].form["confirmed"].value()
    r = c.post(url, data, follow=True); print("LAST", r.status_code, [str(m) for m in r.context["messages"]], t.level_of())

def test_select_across_q(as_, ada, olga, acme, max_, tower, gina):
    g = max_.project_memberships.get()
    for c in (as_(ada), as_(olga)):
        for act in ("add_to_project",):
            r = c.post(cl("membership")+"?q=zzz", {"action":act,"select_across":"1","_selected_action":[]}); print(r.status_code)
            r = c.post(cl("membership")+"?q=zzz", {"action":act,"select_across":"1","_selected_action":[max_.pk]}); print(r.status_code)
            r = c.post(cl("membership")+"?q=zzz", {"action":act,"select_across":"1","index":"0"}); print(r.status_code)
            r = c.post(cl("membership")+"?q=zzz", {"action":act,"select_across":"1","index":"0","_selected_action":[""]}); print("empty",r.status_code)
            r = c.post(cl("membership")+"?q=zzz", {"action":act,"select_across":"1","index":"0","_selected_action":["x"]}); print("x",r.status_code)

def test_lookups(as_, ada, max_, tower, gina, globex, bridge):
    c = as_(ada)
    for q in ("project__id__exact=%s"%bridge.pk, "template__id__exact=%s"%template(globex,FOREMAN).pk, "membership__user__password__startswith=a","project__company__id__exact=1","template__isnull=1","state=now&o=1.2.3.4.5.6","o=-99","o=membership__user__password","project__id__exact=abc","project__id__exact="+"9"*30, "template__levels__level=3","_facets=True&_to_field=x", "_to_field=membership"):
        r=c.get(cl("projectmembership")+"?"+q); print(q[:50], r.status_code, r.get("Location"))
