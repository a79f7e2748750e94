#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""check-json.py: every JSON file that ships is JSON, with no key said twice.

  check-json.py FOLDER...

A key that stands twice in one object is legal JSON and always a slip: the
second silently wins.
"""

import json
import pathlib
import sys


def without_twins(pairs):
    keys = [key for key, _ in pairs]
    for key in keys:
        if keys.count(key) > 1:
            raise ValueError(f'key "{key}" stands twice in one object')
    return dict(pairs)


def main():
    files = sorted(file for folder in sys.argv[1:]
                   for file in pathlib.Path(folder).rglob("*.json"))
    failed = 0
    print(f"1..{len(files)}" if files else "1..0 # SKIP no JSON files yet")
    for number, file in enumerate(files, 1):
        complaint = None
        try:
            document = json.loads(file.read_text(encoding="utf-8"),
                                  object_pairs_hook=without_twins)
            if not isinstance(document, dict):
                complaint = "wanted an object at the top"
        except ValueError as error:
            complaint = str(error)
        if complaint:
            failed += 1
            print(f"# {file}: {complaint}")
        print(f"{'not ' if complaint else ''}ok {number} /data/json/{file.stem}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
