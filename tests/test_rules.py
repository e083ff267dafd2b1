"""docs/rules.md leads to names that exist, and leaves out no number that is in use."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "rules.md").read_text("utf-8")
NUMBER = re.compile(r"\b[STF]\d{1,2}b?\b")
NAMED = sorted(set(re.findall(r"`([\w/.-]+\.\w+)(?:::([\w.]+))?`", PAGE)))


@cache
def names_in(path):
    """The names that a Python file defines: `Class.method`, and of constraints."""
    tree = ast.parse((ROOT / path).read_text("utf-8"))
    keywords = [node for node in ast.walk(tree) if isinstance(node, ast.keyword)]
    values = [each.value for each in keywords if each.arg == "name"]
    named = {value.value for value in values if isinstance(value, ast.Constant)}
    return named | set(definitions(tree))


def definitions(node, prefix=""):
    for child in node.body:
        if isinstance(child, ast.FunctionDef | ast.ClassDef):
            yield prefix + child.name
        if isinstance(child, ast.ClassDef):
            yield from definitions(child, f"{prefix}{child.name}.")
        targets = getattr(child, "targets", [getattr(child, "target", None)])
        yield from (prefix + each.id for each in targets if isinstance(each, ast.Name))


def test_what_is_named_is_there():
    assert len(NAMED) > 200
    assert [path for path, _ in NAMED if not (ROOT / path).is_file()] == []
    named = [(path, name) for path, name in NAMED if name]
    assert [each for each in named if each[1] not in names_in(each[0])] == []


def test_tests_are_named_one_by_one():
    """A file of them alone would prove nothing."""
    files = {path for path, name in NAMED if path.startswith("tests/") and not name}
    assert files == {"tests/test_rules.py"}


@pytest.mark.parametrize("number", [f"S{n}" for n in range(1, 16)])
def test_each_sentence_of_the_source_has_its_code_and_its_test(number):
    rows = [line for line in PAGE.splitlines() if line.startswith(f"| {number} |")]
    assert rows
    for row in rows:
        _, _, _, code, tests, _ = row.split("|")
        assert "`tests/" not in code and "`" in code
        assert re.search(r"`tests/[\w/]+\.py::test_\w+`", tests)


def test_each_number_of_the_code_is_explained():
    """Whoever meets F11 in a docstring finds here what it says."""
    folders = ("accounts", "audit", "companies", "desk", "invitations", "procore_site")
    files = [file for name in (*folders, "tests") for file in code_in(ROOT / name)]
    texts = [file.read_text("utf-8") for file in files]
    met = {number for text in texts for number in NUMBER.findall(text)}
    assert len(met) > 60
    rows = [line.split("|")[1] for line in PAGE.splitlines() if line.startswith("| ")]
    assert met - {number for row in rows for number in NUMBER.findall(row)} == set()


def code_in(folder):
    return (file for file in folder.rglob("*.py") if "migrations" not in file.parts)
