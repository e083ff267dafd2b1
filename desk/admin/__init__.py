from desk.admin.directory import DirectoryAdmin
from desk.admin.history import HistoryAdmin
from desk.admin.imports import ImportAdmin
from desk.admin.invitations import InvitationAdmin
from desk.admin.users import UserAdmin

__all__ = [
    "DirectoryAdmin",
    "HistoryAdmin",
    "ImportAdmin",
    "InvitationAdmin",
    "UserAdmin",
]
