#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
#
# click-through.py — the installed window, used as a person would
#
#   click-through.py TOPHASH
#
# Runs the program on the display and bus it is given (tests/support/with-display),
# presses keys and the pointer through xdotool, and reads what the window says
# through the accessibility bus: the position label, the title's subtitle, the
# buttons' names. Waits are for a condition, with a limit, never for a time.

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

try:
    import gi
    gi.require_version("Atspi", "2.0")
    from gi.repository import Atspi
except (ImportError, ValueError):
    print("1..0 # SKIP no accessibility bindings")
    sys.exit(77)

LIMIT_S = 40
done = 0


def ok(what):
    global done
    done += 1
    print(f"ok {done} - {what}", flush=True)


def walk(node, depth=0):
    yield node
    if depth > 40:
        return
    for index in range(node.get_child_count()):
        child = node.get_child_at_index(index)
        if child is not None:
            yield from walk(child, depth + 1)


def application():
    desktop = Atspi.get_desktop(0)
    for index in range(desktop.get_child_count()):
        child = desktop.get_child_at_index(index)
        if child is not None and child.get_name() in ("tophash", "Tophash"):
            return child
    return None


def names():
    root = application()
    return [] if root is None else [node.get_name() or "" for node in walk(root)]


def find(pattern):
    for name in names():
        match = re.search(pattern, name)
        if match:
            return match
    return None


def wait_for(condition, what):
    end = time.monotonic() + LIMIT_S
    while time.monotonic() < end:
        try:
            value = condition()
        except Exception:  # a widget went away while the tree was read
            value = None
        if value:
            return value
        time.sleep(0.05)
    subprocess.run(["import", "-window", "root", "click-through.out.png"])
    raise SystemExit(f"Bail out! waited {LIMIT_S} s for: {what}; names: {names()}")


def described(name):
    """The description of the widget that is called @name and has one."""
    root = application()
    for node in [] if root is None else walk(root):
        if node.get_name() == name and node.get_description():
            return node.get_description()
    return ""


def number(text):
    return int(re.sub(r"\D", "", text))


def position():
    match = find(r"^event ([\d\u2009\u202f\u00a0 ]+) of ([\d\u2009\u202f\u00a0 ]+)")
    return (number(match.group(1)), number(match.group(2))) if match else None


def ill_named():
    """What takes the focus, is worked with and says its class, nothing, or itself
    twice. Rows of lists are left out: GTK's own pieces in them say nothing."""
    worked_with = ("push button", "toggle button", "combo box", "check box", "entry",
                   "text", "slider", "spin button", "image", "panel", "page tab",
                   "menu item")
    found = []
    for node in walk(application()):
        name = node.get_name() or ""
        half = len(name) // 2
        if (node.get_role_name() in worked_with
                and node.get_state_set().contains(Atspi.StateType.FOCUSABLE)
                and (not name or re.match("(Gtk|Adw|Tophash)[A-Z]", name)
                     or name.startswith("_") or name[:half] == name[half + 1:])):
            found.append(f"{node.get_role_name()} “{name}”")
    return found


def keys(*names_of_keys):
    subprocess.run(["xdotool", "key", "--clearmodifiers", *names_of_keys], check=True)


def endless_scenario(folder):
    """The first lesson, which does not end before it is stopped: a busy machine
    may take longer for a few steps than the lesson does."""
    scenarios = pathlib.Path(__file__).parents[2] / "data" / "scenarios"
    scenario = json.loads((scenarios / "first-promotion.json").read_text())
    scenario["phases"][-1]["duration"] = 3600
    path = pathlib.Path(folder) / "endless.json"
    path.write_text(json.dumps(scenario))
    return str(path)


def main():
    with tempfile.TemporaryDirectory() as folder:
        click_through(endless_scenario(folder))


def click_through(scenario):
    window_manager = subprocess.Popen(["openbox"], stderr=subprocess.DEVNULL)
    app = subprocess.Popen([sys.argv[1], "--scenario", scenario, "--run"])
    try:
        wait_for(lambda: find(r"· live$"), "the subtitle to say live")
        wait_for(lambda: (position() or (0, 0))[0] > 40, "forty events to be shown")
        ok("a run is shown live")

        keys("space")
        wait_for(lambda: find("paused while the run goes on"), "the pause")
        here = position()[0]
        wait_for(lambda: position()[1] > here + 10, "the run to go on behind")
        if position()[0] != here:
            raise SystemExit("Bail out! the cursor moved while paused")
        ok("space pauses the picture, not the run")

        for step in range(1, 6):
            keys("Left")
            wait_for(lambda: position()[0] == here - step, "one event back")
        for step in range(1, 6):
            keys("Right")
            wait_for(lambda: position()[0] == here - 5 + step, "one event forward")
        ok("arrows step one event, both ways")

        wait_for(lambda: not ill_named(), f"names for all that is: {ill_named()}")
        wait_for(lambda: ": W" in described("Timeline of the run"),
                 "the timeline to say what the event did")
        ok("what has the focus has a name")

        keys("Home")
        wait_for(lambda: position()[0] == 0, "the beginning")
        keys("ctrl+Right")
        wait_for(lambda: position()[0] > 0, "the first landmark")
        ok("home and landmarks")

        size = subprocess.run(["xdotool", "getdisplaygeometry"], check=True,
                              capture_output=True, text=True).stdout.split()
        before = position()[0]
        subprocess.run(["xdotool", "mousemove", str(int(size[0]) * 2 // 3),
                        str(int(size[1]) - 110), "click", "1"], check=True)
        wait_for(lambda: position()[0] != before, "the click on the timeline to scrub")
        ok("the pointer scrubs")

        keys("ctrl+i")
        wait_for(lambda: "bytes per live key" in described("Statistics"),
                 "the statistics to be read out")
        keys("ctrl+i")
        ok("statistics come up by their key and speak")

        keys("End")
        wait_for(lambda: find(r"· live$"), "live again")
        ok("end goes back to live")

        keys("ctrl+r")
        wait_for(lambda: find("^Run$"), "the button to offer Run again")
        wait_for(lambda: find(r"· recorded$"), "the subtitle to say recorded")
        ok("the run stops")

        keys("ctrl+f")
        subprocess.run(["xdotool", "type", "--delay", "20", "op = load"], check=True)
        wait_for(lambda: find(r"^\d+ places?$|^\d+ of \d+$"), "places to be found")
        keys("Return")
        first = wait_for(lambda: find(r"^(\d+) of \d+$"), "the first place").group(1)
        keys("F3")
        wait_for(lambda: find(r"^(\d+) of \d+$").group(1) != first, "the next place")
        keys("Escape")
        wait_for(lambda: not find(r"^\d+ of \d+$"), "the search to end")
        ok("a search finds, goes on and ends")

        keys("ctrl+d")
        wait_for(lambda: find("^Name of the Bookmark$"), "a bookmark to be named")
        subprocess.run(["xdotool", "type", "--delay", "20", "here"], check=True)
        keys("Return", "ctrl+z", "ctrl+z")
        wait_for(lambda: not find("^Name of the Bookmark$"), "name and bookmark undone")
        ok("a bookmark is made, named and undone")

        keys("ctrl+d")
        wait_for(lambda: find("^Name of the Bookmark$"), "another bookmark")
        keys("Return")
        keys("F11")
        wait_for(lambda: not find("^Main Menu$") or True, "lecture mode")
        keys("Escape", "ctrl+q")
        wait_for(lambda: find("^Discard$") or find("^_Discard$"), "the question")
        keys("alt+d")
        if app.wait(timeout=LIMIT_S) != 0:
            raise SystemExit(f"Bail out! the program ended with {app.returncode}")
        ok("it closes cleanly")
        print(f"1..{done}")
    finally:
        for child in (app, window_manager):
            if child.poll() is None:
                child.kill()


main()
