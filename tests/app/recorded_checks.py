# SPDX-License-Identifier: GPL-3.0-or-later
"""recorded_checks.py: checks of one recording, told as TAP.

For check-cli.py and check-exports.py.
"""

import json
import pathlib
import subprocess
import tempfile


def scenario(**changes):
    """Two workers do some of everything that a check does not ask for itself."""
    return {"title": "Übung", "summary": "A mix.", "watch-for": "-", "learn": "-",
            "engine": "syncmap", "seed": 7, "recordcount": 60, "telling": "whole",
            **changes}


def phases(operationcount, **mix):
    return [{"name": "mix", "operationcount": operationcount, "threads": [
        {"role": "worker", "count": 2, "mix": mix}]}]


def record(cli, folder, told):
    """The file of a run of this scenario."""
    source = pathlib.Path(folder, "scenario.json")
    file = str(pathlib.Path(folder, "recording.tophash"))
    source.write_text(json.dumps(told), encoding="utf-8")
    done = subprocess.run([cli, "run", str(source), "--record", file],
                          capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return file


def run_checks(checks, cli, told):
    """Calls each check with the recording's file; the number that failed."""
    print(f"1..{len(checks)}")
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        file = record(cli, folder, told)
        for number, check in enumerate(checks, 1):
            name = check.__name__.replace("check_", "").replace("_", "-")
            try:
                note = check(file)
                print(f"ok {number} - {name}" + (f" # {note}" if note else ""),
                      flush=True)
            except (AssertionError, subprocess.TimeoutExpired) as problem:
                failed += 1
                text = str(problem).replace("\n", "\n# ")
                print(f"not ok {number} - {name}\n# {text}", flush=True)
    return failed
