"""Templates: modern, without inline style or script, with addresses that exist, and working where JavaScript is off."""

import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

from django.template import Template
from django.template.defaulttags import URLNode
from django.urls import NoReverseMatch, reverse

from tests.architecture.doors import doors
from tests.architecture.source import files, nothing, place

TEMPLATES = files("templates/**/*.html")
TAGS = re.compile(r"{%.*?%}|{#.*?#}|{{.*?}}", re.DOTALL)
# Mail programs know no style sheets.
MAILS = {"email", "emails"}
HTMX = {"hx-get", "hx-post", "hx-put", "hx-patch", "hx-delete"}


class Markup(HTMLParser):
    """Collects what the content security policy would block, and htmx actions that are no link and no form."""

    def __init__(self, *, mail: bool) -> None:
        super().__init__()
        self.found: list[tuple[int, str]] = []
        self._mail = mail

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        line = self.getpos()[0]
        for name in given:
            if (name == "style" and not self._mail) or name.startswith("on"):
                self.found.append((line, f"<{tag} {name}=…>"))
        if tag == "script" and not {"src", "nonce"} & given.keys():
            self.found.append((line, "<script> without src or nonce"))
        plain = {"a": "href", "form": "action", "button": "formaction", "input": "formaction", "select": "form"}
        if HTMX & given.keys() and plain.get(tag, "") not in given:
            self.found.append((line, f"<{tag}> acts by htmx alone"))


def blocked(path: Path) -> list[str]:
    """What does not work in `path`, or would not with JavaScript off."""
    markup = Markup(mail=bool(MAILS & set(path.parts)))
    # The tags' quotes would end attributes; their line breaks keep the lines' numbers.
    markup.feed(TAGS.sub(lambda match: "x" + "\n" * match[0].count("\n"), path.read_text()))
    return [f"{place(path, line)} {what}" for line, what in markup.found]


def unknown_addresses(source: str) -> list[str]:
    """Names in `{% url "name" %}` that lead nowhere; `{% url "name" as … %}` asks whether they do."""
    nodes = Template(source).nodelist.get_nodes_by_type(URLNode)
    names = [node.view_name.var for node in nodes if isinstance(node, URLNode) and not node.asvar]
    return [name for name in names if isinstance(name, str) and not _known(name)]


def _known(name: str) -> bool:
    try:
        return bool(reverse(name))
    except NoReverseMatch:
        return name in {one.name for one in doors()}


def test_templates_are_written_for_this_django() -> None:
    djade = shutil.which("djade", path=Path(sys.executable).parent)
    assert djade
    asked = subprocess.run([djade, "--check", "--target-version", "6.1", *TEMPLATES], capture_output=True, text=True, check=False)
    assert asked.returncode == 0, asked.stderr + asked.stdout


def test_templates_hold_no_inline_style_or_script_and_work_without_htmx() -> None:
    assert len(TEMPLATES) > 20
    nothing(complaint for path in TEMPLATES for complaint in blocked(path))


def test_every_address_exists_and_every_template_compiles() -> None:
    found = files("templates/**/*.html", "templates/**/*.txt")
    assert {place(path): unknown for path in found if (unknown := unknown_addresses(path.read_text()))} == {}


def test_what_would_not_work_is_noticed(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text(
        '<p style="color: {% if a %}"red"{% endif %}">\n<a onclick="go()" href="/">\n'
        '<script>go()</script>\n<div hx-post="/act">\n'
        '<script src="x.js"></script><form action="{% url "card" %}" hx-post="{% url "card" %}">'
    )
    assert [one.partition(" ")[0].rpartition(":")[2] for one in blocked(page)] == ["1", "2", "3", "4"]
    assert unknown_addresses('{% if a %}{% url "card" %}{% url "nowhere" %}{% endif %}') == ["nowhere"]
