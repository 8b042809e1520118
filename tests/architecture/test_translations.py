"""The product speaks four languages, all of it: nothing is missing, doubtful or out of step."""

import gettext
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po

from tests.architecture.source import BASE, ROOMS, nothing

LOCALE = Path("config/locale")
LANGUAGES = ("fr", "zh_Hans", "zh_Hant")
# %(name)s, %s, {name}
PLACEHOLDER = re.compile(r"%\(\w+\)[a-z]|%[sd]|\{\w*\}")

type Id = tuple[str | None, str]


def catalogue(folder: Path, language: str) -> Catalog:
    with (folder / LOCALE / language / "LC_MESSAGES" / "django.po").open("rb") as file:
        return read_po(file, locale=language)


def entries(of: Catalog) -> Iterator[Message]:
    return (message for message in of if message.id)


def identity(message: Message) -> Id:
    return message.context, message.id if isinstance(message.id, str) else message.id[0]


def forms(text: str | Iterable[str] | None) -> list[str]:
    return [text or ""] if text is None or isinstance(text, str) else list(text)


def complaints(of: Catalog) -> list[str]:
    """Entries that are missing, doubtful, or fill in other things than their original."""
    found = []
    for message in entries(of):
        originals, translations = forms(message.id), forms(message.string)
        if message.fuzzy or not all(translations):
            found.append(f"{'fuzzy' if message.fuzzy else 'missing'}: {originals[0]}")
        elif any(_placeholders(one) not in [_placeholders(original) for original in originals] for one in translations):
            found.append(f"other placeholders: {originals[0]}")
        elif any(one.strip() != one for one in translations) and originals[0].strip() == originals[0]:
            found.append(f"spaces around: {originals[0]}")
    return found


def _placeholders(text: str) -> list[str]:
    return sorted(PLACEHOLDER.findall(text.replace("%%", "")))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_entry_is_translated(language: str) -> None:
    found = catalogue(BASE, language)
    assert len(found) > 100
    nothing(complaints(found))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_compiled_catalogue_is_in_step(language: str) -> None:
    with (BASE / LOCALE / language / "LC_MESSAGES" / "django.mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    for message in entries(catalogue(BASE, language)):
        ids, strings = forms(message.id), forms(message.string)
        told = compiled.pgettext(message.context, ids[0]) if message.context else compiled.gettext(ids[0])
        assert told == strings[0], "run: manage.py compilemessages"


def test_nothing_said_is_missing_from_the_catalogues(tmp_path: Path) -> None:
    if not shutil.which("xgettext"):
        pytest.skip("GETTEXT IS NOT INSTALLED: nobody looked for strings that are in no catalogue")
    extracted = extract(tmp_path)
    for language in LANGUAGES:
        wanted = {identity(one) for one in entries(catalogue(extracted, language))}
        standing = {identity(one) for one in entries(catalogue(BASE, language))}
        assert wanted - standing == set(), "run: manage.py makemessages -a --no-location --no-obsolete"
        assert standing - wanted == set(), "said no more: run manage.py makemessages -a --no-location --no-obsolete"


def extract(folder: Path) -> Path:
    """What makemessages would write, in a copy of the sources."""
    for name in (*ROOMS, "templates"):
        shutil.copytree(BASE / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    languages = [part for language in LANGUAGES for part in ("-l", language)]
    command = [sys.executable, "-m", "django", "makemessages", *languages, "--no-location", "--no-obsolete", "--verbosity", "0"]
    env = os.environ | {"DJANGO_SETTINGS_MODULE": "config.settings", "PYTHONPATH": str(folder)}
    subprocess.run(command, cwd=folder, env=env, check=True, capture_output=True)
    return folder


def test_a_bad_entry_is_noticed() -> None:
    bad = Catalog(locale="fr")
    bad.add("One", "")
    bad.add("Two", "Deux", flags=["fuzzy"])
    bad.add("%(three)s", "%(trois)s")
    bad.add(("%(n)s point", "%(n)s points"), ("un point", "%(n)s points"))
    bad.add(("A point", "%(n)s points"), ("Un point", "%(n)s points"))
    bad.add("Good", "Bon")
    assert [one.partition(":")[0] for one in complaints(bad)] == ["missing", "fuzzy", "other placeholders", "other placeholders"]
