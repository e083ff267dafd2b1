from companies.admin.companies import CompanyAdmin
from companies.admin.filters import CompanyRelatedFilter
from companies.admin.grants import GrantAdmin
from companies.admin.projects import ProjectAdmin, VendorAdmin
from companies.admin.scoped import (
    EVERYWHERE,
    CompanyScopedAdmin,
    CompanyScopedInline,
)
from companies.admin.scoped_forms import CompanyInlineFormSet, GivingForm
from companies.admin.templates import PermissionTemplateAdmin

__all__ = [
    "EVERYWHERE",
    "CompanyAdmin",
    "CompanyInlineFormSet",
    "CompanyRelatedFilter",
    "CompanyScopedAdmin",
    "CompanyScopedInline",
    "GivingForm",
    "GrantAdmin",
    "PermissionTemplateAdmin",
    "ProjectAdmin",
    "VendorAdmin",
]
