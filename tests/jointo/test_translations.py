"""Everything that Jointo says, it says in Chinese too."""

from __future__ import annotations

import importlib.util
import re
from io import BytesIO
from pathlib import Path
from typing import Any

import django
import pytest
from babel.messages import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract
from babel.messages.mofile import read_mo, write_mo
from babel.messages.pofile import read_po
from django.contrib import admin
from django.test import Client, override_settings
from django.utils.translation.template import templatize

from jointo import words
from tests.builders import make_user
from tests.environment import ROOT

PO = Path("zh_Hans/LC_MESSAGES/django.po")
MARKED = ("jointo/**/*.py", "assets/**/*.py", "videos/**/*.py", "jobs/**/*.py", "templates/**/*.*")
KEYWORDS = DEFAULT_KEYWORDS | {f"{name}_lazy": spec for name, spec in DEFAULT_KEYWORDS.items()}
PLACEHOLDER = re.compile(r"%\(\w+\)\w|%[a-zA-Z]|\{\w*\}")


@pytest.fixture(scope="module")
def chinese() -> Catalog:
    with (ROOT / "locale" / PO).open("rb") as file:
        return read_po(file, locale="zh_Hans", abort_invalid=True)


def forms(said: Any) -> tuple[str, ...]:
    """A message, or all the plural forms of one."""
    return (said,) if isinstance(said, str) else tuple(said)


def marked(path: Path) -> set[Any]:
    """What one file wants translated, each with its context. A template is made like Python first."""
    source = path.read_text()
    if "templates" in path.parts:
        source = re.sub(r"^\s+", "", templatize(source), flags=re.MULTILINE)  # Python would stumble over indentation
    return {(context, said) for _, said, _, context in extract("python", BytesIO(source.encode()), KEYWORDS)}


def test_the_catalog_has_what_is_marked_in_code_and_templates_and_nothing_else(chinese: Catalog) -> None:
    wanted = set().union(*(marked(path) for pattern in MARKED for path in ROOT.glob(pattern)))
    assert {(message.context, message.id) for message in chinese if message.id} == wanted


def test_nothing_is_fuzzy_or_untranslated(chinese: Catalog) -> None:
    assert [message.id for message in chinese if message.fuzzy or not all(forms(message.string))] == []


def test_placeholders_are_the_same_in_both_languages(chinese: Catalog) -> None:
    for message in (message for message in chinese if message.id):
        wanted = sorted(PLACEHOLDER.findall(forms(message.id)[-1]))
        assert [sorted(PLACEHOLDER.findall(said)) for said in forms(message.string)] == [wanted], message.id


def test_the_words_of_celerys_packages_are_in_the_catalog_unless_they_bring_their_chinese() -> None:
    for package, listed in (("django_celery_beat", words.CELERY_BEAT), ("django_celery_results", words.CELERY_RESULTS)):
        spec = importlib.util.find_spec(package)
        assert spec is not None and spec.origin is not None
        folder = Path(spec.origin).parent
        said = set().union(*(marked(path) for path in folder.glob("*.py")))
        others = (folder, Path(django.__file__).parent / "conf", Path(admin.__file__).parent)
        there = set().union(*(brought(other / "locale" / PO.with_suffix(".mo")) for other in others))
        assert set(listed) == {word for _, word in said if isinstance(word, str)} - there, package


def brought(compiled: Path) -> set[str]:
    """What a compiled catalog translates; nothing if it is not there."""
    if not compiled.exists():
        return set()
    with compiled.open("rb") as file:
        return {str(forms(message.id)[0]) for message in read_mo(file) if message.id and any(forms(message.string))}


@pytest.mark.django_db
def test_a_browser_that_asks_for_chinese_gets_the_library_in_chinese(
    chinese: Catalog, tmp_path: Path, client: Client
) -> None:
    compiled = tmp_path / PO.with_suffix(".mo")
    compiled.parent.mkdir(parents=True)
    with compiled.open("wb") as file:
        write_mo(file, chinese)
    client.force_login(make_user())
    with override_settings(LOCALE_PATHS=[tmp_path]):
        page = client.get("/", headers={"accept-language": "zh-hans"}).text
    assert '<html lang="zh-hans">' in page
    assert "将视频拖放到此处" in page
    assert "Drop videos here" not in page
