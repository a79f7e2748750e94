#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""layers.py: which room may know which, held against every #include.

  layers.py [ROOT]

Rules
  L1  app knows everyone; widgets know core, never app; core knows only core.
  L2  Inside core a room knows itself and the rooms in ROOMS below; state does
      not know the engine, and the engine knows nothing of the record.
  L3  base, probe, engine and step are C11: no GLib, no JSON, nothing above.
  L4  core knows no cairo, pango or GTK; painters, geometry, palette and strokes
      know no GTK; the command line knows no GTK either.
  L5  A public header never includes a private one, and a private one is
      included by its own room and by tests alone. A -inline.h is code for its
      callers to compile in, not a contract: it may include its room's private
      ones, and no other header may include it.
  L6  Includes of ours name the room: "core/state/timeline.h".

A broken rule is printed as FILE:LINE: what. As a test it speaks TAP.
"""

import pathlib
import re
import sys

# Who a room of core may include, besides itself.
ROOMS = {
    "base": set(),
    "probe": {"base"},
    "engine": {"base", "probe"},
    "step": {"base", "probe", "engine"},
    "record": {"base", "probe"},
    "workload": {"base", "probe", "engine", "record"},
    "state": {"base", "probe", "record"},
    "model": {"base", "probe", "engine", "record", "workload", "state"},
    "check": {"base", "probe", "record"},
    "export": {"base", "probe", "record", "workload", "state", "model", "check"},
}
C11_ROOMS = {"base", "probe", "engine", "step"}
RINGS = {"app": {"app", "widgets", "core"}, "widgets": {"widgets", "core"},
         "core": {"core"}}

GLIB = re.compile(r"^(glib|gio|gobject|gmodule|json-glib)\b")
GTK = re.compile(r"^(gtk|gdk|gsk|graphene|adwaita)\b")
CAIRO = re.compile(r"^(cairo|pango)\b")
PAINTERS = re.compile(r"^(paint-|tophash-(geometry|palette|draw)\b)")
INCLUDE = re.compile(r'^\s*#\s*include\s+(?:"([^"]+)"|<([^>]+)>)')

# Generated or ours to configure: these name no room.
GENERATED = {"config.h", "tophash-resources.h"}


def room_of(path):
    """('core', 'state') of core/state/fold.h; ('app', '') of app/main.c."""
    parts = pathlib.PurePosixPath(path).parts
    return parts[0], parts[1] if parts[0] == "core" and len(parts) > 2 else ""


def broken_by_own(path, target):
    """The rule that including our header @target breaks in @path, or None."""
    ring, room = room_of(path)
    to_ring, to_room = room_of(target)
    if to_ring not in RINGS:
        return "L6: an include of ours names its room from the top"
    if to_ring not in RINGS[ring]:
        return f"L1: {ring} does not know {to_ring}"
    if ring == "core" and to_room != room and to_room not in ROOMS.get(room, ()):
        return f"L2: core/{room} does not know core/{to_room}"
    if target.endswith("-inline.h") and path.endswith(".h"):
        return "L5: no header includes a header of code"
    if target.endswith("-private.h"):
        if path.endswith(".h") and not path.endswith(("-private.h", "-inline.h")):
            return "L5: a public header includes a private one"
        if (ring, room) != (to_ring, to_room):
            return "L5: a private header belongs to its own room"
    return None


def broken_by_system(path, target):
    """The rule that including the library header @target breaks, or None."""
    ring, room = room_of(path)
    name = pathlib.PurePosixPath(path).name
    if ring == "core":
        if GTK.match(target) or CAIRO.match(target):
            return "L4: core draws nothing"
        if room in C11_ROOMS and GLIB.match(target):
            return f"L3: core/{room} is C11 without GLib"
    if GTK.match(target):
        if ring == "widgets" and PAINTERS.match(name):
            return "L4: painters know no GTK"
        if path.startswith("app/cli/"):
            return "L4: the command line knows no GTK"
    return None


def check(path, text):
    """Yields (line number, complaint) for each broken include in @text."""
    for number, line in enumerate(text.splitlines(), 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        own, system = match.groups()
        if own in GENERATED:
            continue
        found = broken_by_own(path, own) if own else broken_by_system(path, system)
        if found:
            yield number, f"{found} ({own or system})"


# Each rule broken once: a checker that lets everything pass is found out here.
SAMPLES = [
    ("widgets/tophash-map-view.c", '#include "app/tophash-window.h"', "L1"),
    ("core/state/fold.c", '#include "core/engine/gomap.h"', "L2"),
    ("core/record/recorder.c", '#include "core/workload/runner.h"', "L2"),
    ("core/engine/gomap.c", "#include <glib.h>", "L3"),
    ("core/model/tophash-session.c", "#include <gtk/gtk.h>", "L4"),
    ("widgets/paint-gomap.c", "#  include <gtk/gtk.h>", "L4"),
    ("app/cli/main.c", "#include <adwaita.h>", "L4"),
    ("core/engine/gomap.h", '#include "core/engine/gomap-private.h"', "L5"),
    ("core/model/narrator.c", '#include "core/state/fold-private.h"', "L5"),
    ("core/engine/engine.h", '#include "core/engine/syncmap-lane-inline.h"', "L5"),
    ("core/engine/syncmap-lane-inline.h",
     '#include "core/engine/syncmap-private.h"', None),
    ("core/workload/runner-worker.c",
     '#include "core/engine/syncmap-lane-inline.h"', None),
    ("core/state/fold.c", '#include "fold.h"', "L6"),
    ("core/state/fold.c", '#include "core/record/tracelog.h"', None),
    ("widgets/tophash-map-view.c", "#include <gtk/gtk.h>", None),
    ("app/main.c", '#include "widgets/tophash-map-view.h"', None),
]


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1
                        else pathlib.Path(__file__).parent.parent)
    failed = 0
    print("1..2")
    for path, line, rule in SAMPLES:
        found = [complaint[:2] for _, complaint in check(path, line)]
        if found != ([rule] if rule else []):
            failed += 1
            print(f"# {path}: {line}: wanted {rule}, found {found}")
    print(f"{'not ' if failed else ''}ok 1 /data/layers/finds-each-broken-rule")

    complaints, seen = [], 0
    for ring in RINGS:
        for file in sorted((root / ring).rglob("*.[ch]")):
            seen += 1
            path = file.relative_to(root).as_posix()
            complaints += [f"{path}:{number}: {what}" for number, what
                           in check(path, file.read_text(encoding="utf-8"))]
    for complaint in complaints:
        print(f"# {complaint}")
    good = seen and not complaints
    print(f"{'' if good else 'not '}ok 2 /data/layers/every-include-keeps-the-order")
    sys.exit(1 if failed or not good else 0)


if __name__ == "__main__":
    main()
