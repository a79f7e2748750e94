#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""check-xml.py: every XML file that ships is well-formed.

  check-xml.py FOLDER...

User interface files, icons, resources, settings, file types and metainfo. A
template of GtkBuilder must name a class of ours, and an icon must be square.
"""

import pathlib
import sys
import xml.etree.ElementTree as tree

KINDS = (".ui", ".svg", ".xml", ".xml.in")


def complaint_about(file):
    try:
        top = tree.parse(file).getroot()
    except tree.ParseError as error:
        return str(error)
    if file.suffix == ".ui":
        for template in top.iter("template"):
            if not template.get("class", "").startswith("Tophash"):
                return f"template of {template.get('class')}, not a class of ours"
    if file.suffix == ".svg" and top.get("width") != top.get("height"):
        return f"{top.get('width')} x {top.get('height')}, wanted a square"
    return None


def main():
    files = sorted(file for folder in sys.argv[1:]
                   for file in pathlib.Path(folder).rglob("*")
                   if file.name.endswith(KINDS))
    failed = 0
    print(f"1..{len(files)}")
    for number, file in enumerate(files, 1):
        complaint = complaint_about(file)
        if complaint:
            failed += 1
            print(f"# {file}: {complaint}")
        print(f"{'not ' if complaint else ''}ok {number} /data/xml/{file.name}")
    sys.exit(1 if failed or not files else 0)


if __name__ == "__main__":
    main()
