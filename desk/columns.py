"""The columns of a list of people: what the import reads and the export writes."""

import re
import unicodedata

EMAIL = "E-mail"
FIRST_NAME = "First name"
LAST_NAME = "Last name"
JOB_TITLE = "Job title"
PHONE = "Telephone"
FIRM = "Firm"
TEMPLATE = "Company template"
DEFAULT_TEMPLATE = "Default project template"
PROJECT = "Project"
PROJECT_TEMPLATE = "Project template"
FIRST_DAY = "First day"
LAST_DAY = "Last day"

COLUMNS = [
    EMAIL,
    FIRST_NAME,
    LAST_NAME,
    JOB_TITLE,
    PHONE,
    FIRM,
    TEMPLATE,
    DEFAULT_TEMPLATE,
    PROJECT,
    PROJECT_TEMPLATE,
    FIRST_DAY,
    LAST_DAY,
]
# First and last name in one cell: 'Ivo Novak' or 'Novak, Ivo'.
NAME = "Name"
# What else a list says of the project beside its number.
PROJECT_NAME = "Project name"
# What our own files say besides; it is no news to us.
STATUS = "Status"
REASON = "Reason"
SILENT = [STATUS, REASON]

# Other names of the columns in the files that people have, English and German; written
# as `plain` leaves them.
SYNONYMS = {
    EMAIL: (
        "mail, emailaddress, mailaddress, emailadresse, mailadresse, address of email, "
        "emailid, workemail, businessemail, loginemail, elektronische post"
    ),
    FIRST_NAME: "vorname, forename, givenname, rufname, first",
    LAST_NAME: "nachname, surname, familyname, familienname, zuname, last",
    NAME: (
        "fullname, person, contact, contactname, contactperson, employee, worker, "
        "mitarbeiter, mitarbeiterin, ansprechpartner, kontakt, vollername, "
        "vorundnachname, nameundvorname, namevorname, nachnamevorname, "
        "lastnamefirstname, firstnamelastname, firstandlastname"
    ),
    JOB_TITLE: "title, job, position, function, funktion, stelle, beruf, tätigkeit",
    PHONE: (
        "phone, phonenumber, telephonenumber, tel, telno, telefon, telefonnummer, "
        "telefonnr, mobile, mobilephone, mobilenumber, cell, cellphone, handy, "
        "handynummer, mobil, mobilnummer, mobiltelefon, rufnummer"
    ),
    FIRM: (
        "company, companyname, vendor, vendorname, subcontractor, contractor, "
        "employer, firma, firmenname, unternehmen, nachunternehmer, subunternehmer, "
        "arbeitgeber"
    ),
    TEMPLATE: (
        "companyrole, companypermissiontemplate, firmenvorlage, unternehmensvorlage, "
        "firmenrolle"
    ),
    DEFAULT_TEMPLATE: (
        "defaultproject permissiontemplate, defaulttemplate, standardprojektvorlage, "
        "standardvorlage"
    ),
    PROJECT: (
        "projects, projectnumber, projectnumbers, projectno, projectname, jobsite, "
        "site, projekt, projekte, projektnummer, projektnummern, projektnr, "
        "projektname, baustelle, bauvorhaben"
    ),
    PROJECT_TEMPLATE: (
        "role, template, permissiontemplate, projectrole, projectpermissiontemplate, "
        "rolle, vorlage, projektrolle, projektvorlage, berechtigung"
    ),
    FIRST_DAY: (
        "start, startdate, startson, begin, from, firstday onsite, beginn, "
        "beginndatum, startdatum, anfang, von, ab, erstertag"
    ),
    LAST_DAY: (
        "end, enddate, endson, until, to, lastdayonsite, ende, enddatum, bis, "
        "letztertag"
    ),
    STATUS: "state, zustand",
    REASON: "grund, whyitfailed",
}


def plain(name: str) -> str:
    """A name without case, blanks, dashes, dots and the like: its letters and digits.

    Accents count: they tell two names apart.
    """
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFC", name).casefold())


MEANINGS = {
    plain(name): column
    for column in [*COLUMNS, NAME, *SILENT]
    for name in [column, *SYNONYMS.get(column, "").split(",")]
    if plain(name)
}


def column_of(heading: str) -> str | None:
    """The column that a heading means, if it is one of ours."""
    return MEANINGS.get(plain(heading))
