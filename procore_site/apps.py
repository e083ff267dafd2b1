from django.apps import AppConfig
from django.contrib import admin
from django.contrib.admin.apps import AdminConfig as DjangoAdminConfig


class SiteConfig(AppConfig):
    name = "procore_site"
    verbose_name = "Site"

    def ready(self) -> None:
        from procore_site import checks  # noqa: F401


class AdminConfig(DjangoAdminConfig):
    """The Django admin with our own entry, and with nothing in it that isn't ours."""

    default_site = "procore_site.sites.AdminSite"

    def ready(self) -> None:
        super().ready()
        ours = {"accounts", "audit", "companies", "invitations", "desk"}
        for model in list(admin.site._registry):
            # The admins of allauth and others know neither our addresses nor our audit.
            if model._meta.app_label not in ours:
                admin.site.unregister(model)
