"""Builds the Japanese catalogue: the texts of the code, merged with the translations of `daicho/locale/parts`."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import django
from django.core.management import call_command
from django.core.management.commands import makemessages

ROOT = Path(__file__).resolve().parents[2]
LOCALE = ROOT / "daicho" / "locale"
CATALOGUE = LOCALE / "ja" / "LC_MESSAGES" / "django.po"
HEADER = (
    'msgid ""\nmsgstr ""\n"Language: ja\\n"\n"MIME-Version: 1.0\\n"\n"Content-Type: text/plain; charset=UTF-8\\n"\n'
    '"Content-Transfer-Encoding: 8bit\\n"\n"Plural-Forms: nplurals=1; plural=0;\\n"\n\n'
)
ENTRY = re.compile(r"^(?:#.*\n)*(?:msgctxt .*\n(?:\".*\n)*)?msgid .*(?:\n.+)*", re.MULTILINE)


def main(arguments: list[str]) -> int:
    if not shutil.which("msgmerge"):
        print("bin/messages needs gettext (Debian: apt install gettext).", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as work:
        built, faults = build(Path(work))
        compiled = Path(work) / "django.mo"
        check = subprocess.run(["msgfmt", "--check", "-o", compiled, built], capture_output=True, text=True)
        faults += [check.stderr] if check.returncode else []
        pairs = ((built, CATALOGUE), (compiled, CATALOGUE.with_suffix(".mo")))
        if "--check" in arguments:
            old = [kept for new, kept in pairs if not kept.exists() or new.read_bytes() != kept.read_bytes()]
            faults += [f"{kept.relative_to(ROOT)} is not up to date: run bin/messages." for kept in old]
        elif not check.returncode:
            CATALOGUE.parent.mkdir(parents=True, exist_ok=True)
            for new, kept in pairs:
                shutil.copy(new, kept)
            print(f"{len(entries(built))} texts, of which {len(entries(built, '--untranslated'))} lack Japanese.")
        print("\n".join(faults), end="\n" if faults else "", file=sys.stderr)
        return 1 if faults else 0


def build(work: Path) -> tuple[Path, list[str]]:
    """The catalogue as it should be, and what is wrong with it (then the file is not to be used)."""
    texts = extract(work)
    translations = gather(work)
    faults = [f"Two translations for one text:\n{entry}" for entry in entries(translations, "--only-fuzzy")]
    built = work / "built.po"
    run(
        "msgmerge", "--quiet", "--no-fuzzy-matching", "--no-location", "--sort-output", "-o", built, translations, texts
    )
    run("msgattrib", "--no-obsolete", "--no-location", "--sort-output", "-o", built, built)
    built.write_text(re.sub(r'^"POT?-(Creation|Revision)-Date:.*\n', "", built.read_text(), flags=re.MULTILINE))
    faults += [f"No Japanese for:\n{entry}" for entry in entries(built, "--untranslated")]
    return built, faults


def extract(work: Path) -> Path:
    """Every marked text of the package, by Django's own makemessages in a copy of the tree."""
    copy = work / "daicho"
    ignored = shutil.ignore_patterns("static", "locale", "__pycache__", "migrations")
    shutil.copytree(ROOT / "daicho", copy, ignore=ignored)
    (copy / "locale").mkdir()
    command = [sys.executable, "-m", "tests.support.messages", "--extract"]
    subprocess.run(command, cwd=copy, check=True, env={"PYTHONPATH": str(ROOT), "PATH": "/usr/local/bin:/usr/bin:/bin"})
    return copy / "locale" / "ja" / "LC_MESSAGES" / "django.po"


def extract_here() -> None:
    from django.conf import settings

    settings.configure(LOCALE_PATHS=["locale"], USE_I18N=True)
    django.setup()
    makemessages.Command.xgettext_options.append("--keyword=lazy")  # gettext_lazy as lazy, where gettext is _
    call_command("makemessages", locale=["ja"], no_location=True, no_wrap=True, verbosity=0)


def gather(work: Path) -> Path:
    """All parts as one file; a text that two parts translate differently is marked fuzzy by msgcat."""
    parts = []
    for part in sorted((LOCALE / "parts").glob("*.ja.po")):
        content = part.read_text()
        copy = work / part.name
        copy.write_text(HEADER + re.sub(r'^msgid ""\nmsgstr ""\n(".*\n)*', "", content, count=1, flags=re.MULTILINE))
        parts.append(copy)
    together = work / "translations.po"
    if not parts:
        together.write_text(HEADER)
        return together
    run("msgcat", "--no-location", "-o", together, *parts)
    return together


def entries(catalogue: Path, *which: str) -> list[str]:
    """The entries of one kind, or all, without the header."""
    found = subprocess.run(
        ["msgattrib", *which, "--no-obsolete", "--no-wrap", catalogue], capture_output=True, text=True
    )
    return [entry for entry in ENTRY.findall(found.stdout) if not re.search(r'^msgid ""\nmsgstr', entry, re.MULTILINE)]


def run(*command: object) -> None:
    result = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if result.returncode:
        raise SystemExit(result.stderr)


if __name__ == "__main__":
    if sys.argv[1:] == ["--extract"]:
        extract_here()
    else:
        sys.exit(main(sys.argv[1:]))
