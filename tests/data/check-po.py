#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""check-po.py: what people read can be translated, and is.

  check-po.py ROOT

Rules
  P1  po/POTFILES names every file with words for people, sorted, and no other.
  P2  po/scenario-strings.c holds the words of the scenarios as they are now.
  P3  xgettext reads all of it and has nothing to complain about.
  P4  No call of _() is cut short by a macro that xgettext cannot read.
  P5  Every language of po/LINGUAS passes msgfmt --check.
  P6  Languages in WHOLE know every text of today, none of them as a guess.

Skipped without the tools of gettext.
"""

import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

WHOLE = {"zh_CN"}

# Rooms with words for people; C11 rooms have none, though their _ may differ.
ROOMS = ("app", "widgets", "core/model", "core/record", "core/workload",
         "core/state", "core/step", "core/check", "core/export")
CALL = re.compile(r'(?<!\w)(?:_|N_|C_|NC_|ngettext) ?\(\s*"')
BLIND = re.compile(r'(?<!\w)(?:_|N_|ngettext) ?\((?:\s*"(?:[^"\\]|\\.)*"'
                   r'|\s*PRI\w+|\s*,)*\s*G_\w+_(?:FORMAT|MODIFIER)')
KEYWORDS = ("_", "N_", "C_:1c,2", "NC_:1c,2", "ngettext:1,2", "g_dngettext:2,3")


def listed(file):
    return [line for line in file.read_text(encoding="utf-8").splitlines()
            if line and not line.startswith("#")]


def speaking(root):
    """Every file that has words for people, and the text of those in C."""
    files = {"po/scenario-strings.c": ""}
    for room in ROOMS:
        for file in sorted((root / room).rglob("*.[ch]")):
            text = file.read_text(encoding="utf-8")
            if CALL.search(text):
                files[file.relative_to(root).as_posix()] = text
    for file in sorted((root / "data").rglob("*")):
        if file.suffix == ".in" or (
                file.suffix == ".ui"
                and 'translatable="yes"' in file.read_text(encoding="utf-8")):
            files[file.relative_to(root).as_posix()] = ""
    return files


def run(*command):
    """What a tool says on its error stream, or that it failed."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0 and not done.stderr.strip():
        return f"{command[0]} failed"
    return done.stderr.strip()


def check_list(root, files):
    named = listed(root / "po/POTFILES")
    if named != sorted(named):
        return "po/POTFILES is not sorted"
    missing = sorted(set(files) - set(named))
    idle = sorted(set(named) - set(files))
    return "; ".join([f"{name} is not listed" for name in missing]
                     + [f"{name} has nothing to say" for name in idle])


def check_scenarios(root):
    done = subprocess.run(
        [sys.executable, root / "po/scenario-strings.py", root / "data/scenarios"],
        capture_output=True, encoding="utf-8", check=True)
    kept = (root / "po/scenario-strings.c").read_text(encoding="utf-8")
    return "" if done.stdout == kept else (
        "out of date: po/scenario-strings.py data/scenarios"
        " > po/scenario-strings.c")


def check_template(root, template):
    said = run("xgettext", "--from-code=UTF-8", f"--directory={root}",
               f"--output={template}", "--keyword",
               *[f"--keyword={word}" for word in KEYWORDS],
               *sorted(listed(root / "po/POTFILES")))
    if not said and not template.exists():
        return "xgettext found nothing"
    return said


def check_macros(files):
    return "; ".join(f"{name}: {match.group(0)[:60]}…"
                     for name, text in files.items()
                     for match in BLIND.finditer(text))


def check_whole(file, template, scratch):
    """Today's texts that the catalogue lacks or only guesses."""
    merged = scratch / file.name
    said = run("msgmerge", "--quiet", "--no-fuzzy-matching", str(file),
               str(template), f"--output-file={merged}")
    if said:
        return said
    lacking = []
    for kind in ("--untranslated", "--only-fuzzy"):
        found = subprocess.run(["msgattrib", kind, "--no-obsolete", "--no-wrap",
                                str(merged)], capture_output=True,
                               encoding="utf-8", check=True)
        lacking += re.findall(r'^msgid (?!""$)(.+)|^msgid ""\n(".+)$',
                              found.stdout, re.M)
    texts = [one or other for one, other in lacking]
    texts = [text for text in texts if not text.startswith('"Project-Id')]
    return f"{len(texts)} lacking: " + " ".join(texts[:9]) if texts else ""


def results(root, scratch):
    """Pairs of a name and a complaint, which is empty when all is well."""
    files = speaking(root)
    template = scratch / "tophash.pot"
    yield "lists-every-speaking-file", check_list(root, files)
    yield "scenario-strings-are-of-today", check_scenarios(root)
    yield "xgettext-is-content", check_template(root, template)
    yield "no-text-is-cut-by-a-macro", check_macros(files)
    for language in listed(root / "po/LINGUAS"):
        file = root / "po" / f"{language}.po"
        yield f"{language}/passes-msgfmt", run(
            "msgfmt", "--check", f"--output-file={scratch / 'out.mo'}", str(file))
        if language in WHOLE:
            yield f"{language}/is-whole", check_whole(file, template, scratch)


def main():
    root = pathlib.Path(sys.argv[1]).resolve()
    tools = ("xgettext", "msgfmt", "msgmerge", "msgattrib")
    lacking = [tool for tool in tools if not shutil.which(tool)]
    if lacking:
        print(f"1..0 # SKIP no {lacking[0]}")
        sys.exit(77)
    with tempfile.TemporaryDirectory() as scratch:
        found = list(results(root, pathlib.Path(scratch)))
    print(f"1..{len(found)}")
    for number, (name, complaint) in enumerate(found, 1):
        for line in complaint.splitlines():
            print(f"# {line}")
        print(f"{'not ' if complaint else ''}ok {number} /data/po/{name}")
    sys.exit(1 if any(complaint for _, complaint in found) else 0)


if __name__ == "__main__":
    main()
