#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""scenario-strings.py: write the words of the scenarios where xgettext looks.

  scenario-strings.py FOLDER

Prints a file of C that is never compiled: one N_() for each text of a scenario
in FOLDER that people read, in the order of the files and of the telling, and
at last the roles. scenario_translate() looks a text up by itself. After a change:

  po/scenario-strings.py data/scenarios > po/scenario-strings.c
"""

import json
import pathlib
import sys

FIELDS = ("title", "summary", "watch-for", "learn", "simplified")

HEAD = """\
/* SPDX-License-Identifier: GPL-3.0-or-later */

/* scenario-strings.c — the words of the scenarios, for translators
 *
 * Written by scenario-strings.py from data/scenarios and never compiled.
 */
"""


def words(folder):
    """Pairs of a comment and a text, each text once."""
    told = {}
    roles = {}
    for file in sorted(pathlib.Path(folder).glob("*.json")):
        if file.name.endswith(".schema.json"):
            continue
        scenario = json.loads(file.read_text(encoding="utf-8"))
        for field in FIELDS:
            if scenario.get(field):
                told.setdefault(scenario[field], f"{file.name}, {field}")
        for phase in scenario["phases"]:
            for group in phase["threads"]:
                roles.setdefault(group["role"], "a role of workers")
    return (told | dict(sorted(roles.items()))).items()


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: scenario-strings.py FOLDER")
    lines = [HEAD]
    for text, comment in words(sys.argv[1]):
        literal = json.dumps(text, ensure_ascii=False)
        lines.append(f"\n/* Translators: {comment} */\nN_({literal});\n")
    sys.stdout.reconfigure(encoding="utf-8")
    sys.stdout.write("".join(lines))


if __name__ == "__main__":
    main()
