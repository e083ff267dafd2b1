"""The bar, the trail and the way out that each page of the desk has."""

import re

import pytest
from django.urls import reverse

from tests.cast import add_member

INDEX = reverse("admin:index")
DIRECTORY = reverse("admin:companies_membership_changelist")
WAYS = ["Overview", "Directory", "Projects", "Templates", "Invitations", "History"]


def bar(page):
    """The links of the bar, and which of them one has followed."""
    [found] = re.findall(r'<nav class="ways".*?</nav>', page.text, re.DOTALL)
    links = re.findall(r"<a ([^>]*)>(.*?)</a>", found)
    current = [(name, more) for more, name in links if "aria-current" in more]
    return [name for _, name in links], current


def trail(page):
    [found] = re.findall(r'<ol class="breadcrumbs">.*?</ol>', page.text, re.DOTALL)
    return re.findall(r">([^<>]*\w[^<>]*)<", found)


def test_the_bar_leads_to_what_the_reader_may_open(as_, ada, rory, olga):
    for reader, ways in ((ada, WAYS), (rory, WAYS[:-1]), (olga, WAYS)):
        names, [(current, more)] = bar(as_(reader).get(INDEX))
        assert names == ways
        assert (current, 'aria-current="page"' in more) == ("Overview", True)


def test_the_bar_says_where_one_is(as_, ada, max_):
    client = as_(ada)
    for path, says in ((DIRECTORY, "page"), (f"{DIRECTORY}{max_.pk}/change/", "true")):
        _, [(name, more)] = bar(client.get(path))
        assert name == "Directory"
        assert f'aria-current="{says}"' in more


def test_the_trail_begins_at_the_overview(as_, ada, max_, tower):
    client = as_(ada)
    person = f"{DIRECTORY}{max_.pk}/"
    trails = {
        DIRECTORY: ["Overview", "Directory"],
        f"{DIRECTORY}add/": ["Overview", "Directory", "Add person"],
        f"{person}change/": ["Overview", "Directory", "Max Weber"],
        f"{person}history/": ["Overview", "Directory", "Max Weber", "History"],
        f"{person}access/": ["Overview", "Directory", "Max Weber", "Access"],
    }
    assert {path: trail(client.get(path)) for path in trails} == trails


@pytest.mark.parametrize("is_member", [False, True])
def test_an_operator_leaves_the_desk_where_there_is_something_else(
    as_, olga, ada, acme, is_member
):
    assert "Leave the desk" in as_(ada).get(INDEX).text
    if is_member:
        add_member(acme, olga.email)
    assert ("Leave the desk" in as_(olga).get(INDEX).text) == is_member


def test_the_overview_begins_with_what_one_comes_for(as_, ada, cora, rory, olga):
    def offered(reader):
        page = as_(reader).get(INDEX).text
        [tools] = re.findall(r'<ul class="object-tools">.*?</ul>', page, re.DOTALL)
        return re.findall(r">([^<>]*\w[^<>]*)</a>", tools)

    everything = ["Add person", "Import people", "Directory"]
    assert [offered(each) for each in (ada, cora, rory)] == [
        everything,
        everything,
        everything[-1:],
    ]
    assert "object-tools" not in as_(olga).get(INDEX).text
