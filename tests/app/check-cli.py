#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""check-cli.py: tophash-cli among pipes, full disks, signals and odd names.

  check-cli.py TOPHASH-CLI

What goes wrong outside of the program is said and shows in the exit code, and
nothing that stood somewhere is lost by it. Speaks TAP.
"""

import json
import os
import pathlib
import signal
import stat
import subprocess
import sys
import tempfile
import threading

sys.dont_write_bytecode = True  # not beside the sources
import recorded_checks  # noqa: E402

cli = os.path.abspath(sys.argv[1])

SCENARIO = recorded_checks.scenario(
    phases=recorded_checks.phases(3000, load=6, store=2, insert=1, delete=1))


def call(*args, **more):
    return subprocess.run([cli, *args], capture_output=True, check=False,
                          timeout=60, **more)


def good(*args, **more):
    done = call(*args, **more)
    assert done.returncode == 0, (args, done.returncode, done.stderr)
    return done.stdout


def refused(what, *args, code=2, **more):
    """It ends with the code, having said @what."""
    done = call(*args, **more)
    assert done.returncode == code, (args, done.returncode, done.stderr)
    assert what in done.stderr.decode(errors="replace"), (args, done.stderr)
    return done.stdout


def check_full_output(file):
    """Nobody is told that all is well when a disk is full."""
    for args in (["info", file], ["info", "--json", file], ["events", file],
                 ["stats", file], ["stats", "--json", file], ["verify", file],
                 ["check", file], ["check", "--json", file], ["list"],
                 ["--version"], ["--help"], ["info", "--help"],
                 ["export", "events-csv", file], ["export", "history", file],
                 ["export", "prometheus", file, "-o", "/dev/full"]):
        with open("/dev/full", "wb") as full:
            done = subprocess.run([cli, *args], stdout=full, check=False,
                                  stderr=subprocess.PIPE, timeout=30)
        assert done.returncode == 2 and done.stderr, (args, done)


def check_closed_pipe(file):
    """A reader that goes ends the program, be the signal ignored or not."""
    for ignores in (False, True):
        for args in (["events", file], ["export", "events-csv", file]):
            process = subprocess.Popen(
                [cli, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                restore_signals=not ignores)
            process.stdout.read(10)
            process.stdout.close()
            error = process.stderr.read()
            code = process.wait(30)
            assert code == (2 if ignores else -signal.SIGPIPE), (args, code)
            assert ignores == bool(error), (args, error)


def check_closed_streams(file):
    """A recording does not take the number of standard output, and its text."""
    with tempfile.TemporaryDirectory() as folder:
        target = str(pathlib.Path(folder, "closed.tophash"))
        done = subprocess.run(["sh", "-c", '"$0" "$@" >&- 2>&-', cli, "run",
                               "first-promotion", "--duration", "0.1", "--record",
                               target], check=False, timeout=30)
        assert done.returncode == 2, done
        good("verify", target)
    assert call("info", file).returncode == 0


def check_locale(file):
    """JSON is UTF-8 wherever one is; numbers are the same."""
    plain = {**os.environ, "LC_ALL": "C"}
    for args in (["info", "--json"], ["stats", "--json"], ["check", "--json"]):
        text = good(*args, file)
        assert good(*args, file, env=plain) == text, args
        json.loads(text.decode("utf-8"))
    assert json.loads(good("info", "--json", file, env=plain))["title"] == "Übung"


def check_names(file):
    """A name may begin with a dash, look like a URI, or be no text at all."""
    content = pathlib.Path(file).read_bytes()
    with tempfile.TemporaryDirectory() as folder:
        for name in (b"--json", b"http:x", b"%41", b"a b:c", b"n\xff\xfe"):
            pathlib.Path(os.fsdecode(os.path.join(os.fsencode(folder), name))
                         ).write_bytes(content)
            good("verify", "--", os.fsdecode(name), cwd=folder)
            good("export", "prometheus", "-o", "x\udcff", "--",
                 os.fsdecode(name), cwd=folder)
        good("verify", "-", stdin=open(file, "rb"))
        whole = good("export", "prometheus", file)
        assert good("export", "prometheus", file, "-o", "-", cwd=folder) == whole
        assert good("export", "prometheus", file, "-o", "/dev/stdout") == whole
        assert not os.path.exists(os.path.join(folder, "-"))


def check_no_file(file):
    """Pipes, devices and folders stay what they are."""
    with tempfile.TemporaryDirectory() as folder:
        pipe = os.path.join(folder, "pipe")
        for name, *args in (
                ("x.tophash", "run", "first-promotion", "--duration", "0.1",
                 "--record"),
                ("x.png", "render", file, "--out")):
            for make, check in ((os.mkfifo, stat.S_ISFIFO), (os.mkdir, stat.S_ISDIR)):
                target = os.path.join(folder, make.__name__ + name)
                make(target)
                refused(target, *args, target)
                assert check(os.stat(target).st_mode), target
        os.mkfifo(pipe)
        got = []
        reader = threading.Thread(target=lambda: got.append(
            pathlib.Path(pipe).read_bytes()))
        reader.start()
        good("export", "events-csv", file, "-o", pipe)
        reader.join()
        assert got == [good("export", "events-csv", file)]
        refused("could not be saved", "export", "chrome", file, "-o", folder)
        refused("/nowhere/x", "export", "chrome", file, "-o", "/nowhere/x")


def check_own_file(file):
    """A recording is not overwritten by what is made of it."""
    with tempfile.TemporaryDirectory() as folder:
        own = os.path.join(folder, "own.tophash")
        link = os.path.join(folder, "own.png")
        content = pathlib.Path(file).read_bytes()
        pathlib.Path(own).write_bytes(content)
        os.symlink(own, link)
        refused("another file", "export", "events-csv", own, "-o", own)
        refused("another file", "export", "events-csv", own, "-o", link)
        refused("another file", "render", own, "--out", link)
        assert pathlib.Path(own).read_bytes() == content


def is_writing(process, folder, known):
    """Whether it has a file open in the folder that is none of the known ones: one
    without a name, or with one of its own."""
    folder = os.path.realpath(folder)
    for fd in os.listdir(f"/proc/{process.pid}/fd"):
        try:
            path = os.readlink(f"/proc/{process.pid}/fd/{fd}")
        except OSError:  # it was closed meanwhile
            continue
        if os.path.dirname(path) == folder and os.path.basename(path) not in known:
            return True
    return False


def check_interrupt(_file):
    """Ctrl+C leaves what stood there, or nothing."""
    with tempfile.TemporaryDirectory() as folder:
        large = os.path.join(folder, "large.tophash")
        target = os.path.join(folder, "events.csv")
        scenario = os.path.join(folder, "large.json")
        phases = json.loads(json.dumps(SCENARIO["phases"]))
        phases[0]["operationcount"] = 200000
        pathlib.Path(scenario).write_text(
            json.dumps({**SCENARIO, "phases": phases}), encoding="utf-8")
        good("run", scenario, "--record", large)
        before = sorted(os.listdir(folder))
        for content in (None, "kept"):
            if content is not None:
                pathlib.Path(target).write_text(content, encoding="utf-8")
                before = sorted([*before, "events.csv"])
            process = subprocess.Popen([cli, "export", "events-csv", large, "-o",
                                        target], stderr=subprocess.PIPE)
            while not is_writing(process, folder, before):
                assert process.poll() is None
            process.send_signal(signal.SIGINT)
            error = process.stderr.read()
            assert process.wait(30) == -signal.SIGINT and not error, error
            assert sorted(os.listdir(folder)) == before, os.listdir(folder)
            if content is not None:
                assert pathlib.Path(target).read_text(encoding="utf-8") == content


def check_damage(file):
    """What proves damaged on the way is said, and the exit code tells it."""
    content = bytearray(pathlib.Path(file).read_bytes())
    middle = len(content) // 2
    content[middle:middle + 4000] = bytes(4000)
    with tempfile.TemporaryDirectory() as folder:
        bad = os.path.join(folder, "bad.tophash")
        pathlib.Path(bad).write_bytes(content)
        for args in (["info"], ["events"], ["stats"], ["verify"],
                     ["export", "events-csv"], ["export", "chrome"],
                     ["export", "prometheus"],
                     ["render", "--out", os.path.join(folder, "x.png")]):
            refused("is damaged at byte", *args, bad, code=1)
        # Up to there it is as good as any other.
        first = json.loads(call("info", "--json", bad).stdout)["memory"]
        assert first["live-keys"] > 0
        text = refused("is damaged", "export", "chrome", bad, code=1)
        assert json.loads(text)["traceEvents"]
        # And so is what is missing at once.
        content = pathlib.Path(file).read_bytes()
        for size, what in ((middle, "is cut off at byte"),
                           (len(content) - 1, "is cut off at byte")):
            pathlib.Path(bad).write_bytes(content[:size])
            for args in (["info"], ["events"], ["stats"], ["verify"],
                         ["export", "events-csv"], ["export", "prometheus"]):
                refused(what, *args, bad, code=1)


def check_spans(file):
    """A question that has no sense is refused, and so is one not heeded."""
    for args in (["events"], ["stats"], ["export", "events-csv"]):
        refused("--to", *args, file, "--from", "10", "--to", "5")
        good(*args, file, "--from", "5", "--to", "5")
    refused("1 to 2", "stats", file, "--thread", "3")
    refused("1 to 2", "stats", file, "--thread", "-1")
    for form, option in (("history", "--from"), ("history", "--to"),
                         ("prometheus", "--from"), ("chrome", "--where"),
                         ("otlp", "--every"), ("events-csv", "--every"),
                         ("counters-csv", "--where")):
        value = "op=store" if option == "--where" else "1"
        assert refused(option, "export", form, file, option, value) == b""
    refused("did you mean “op=store”?", "events", file, "--where", "op=sto")
    for command in ("events", "export"):
        told = good(command, "--help").decode()
        assert "misses = len(dirty) - 1" in told and " evacuated" in told, told


def check_two_writers(_file):
    """Who records into a file keeps it; a run that was killed early is no whole one."""
    with tempfile.TemporaryDirectory() as folder:
        target = os.path.join(folder, "two.tophash")
        run = [cli, "run", "first-promotion", "--record", target]
        first = subprocess.Popen(run, stdout=subprocess.DEVNULL,
                                 stderr=subprocess.PIPE)
        while not os.path.exists(target):
            assert first.poll() is None
        refused("being recorded", *run[1:])
        first.send_signal(signal.SIGINT)
        assert first.communicate(timeout=30)[1] == b"" and first.returncode == 0
        good("verify", target)
        first = subprocess.Popen(run, stdout=subprocess.DEVNULL)
        before = os.stat(target).st_ino
        while os.stat(target).st_ino == before:
            assert first.poll() is None
        first.kill()
        first.wait(30)
        done = call("info", target)
        assert target.encode() in done.stderr or b"two.tophash" in done.stderr, done
        assert os.listdir(folder) == ["two.tophash"]


def check_run_arguments(_file):
    """What is no scenario and what is no number is named."""
    refused("tophash-cli list", "run", "no-such-scenario")
    refused("0 to 86400", "run", "growth", "--duration", "nan")


def check_endless(_file):
    """What never ends is not copied before it is known for a recording."""
    refused("not a recording", "info", "/dev/zero")
    refused("not a recording", "verify", "-", input=b"\0" * 1000000)


CHECKS = [check_full_output, check_closed_pipe, check_closed_streams, check_locale,
          check_names, check_no_file, check_own_file, check_interrupt, check_damage,
          check_spans, check_two_writers, check_run_arguments, check_endless]


sys.exit(1 if recorded_checks.run_checks(CHECKS, cli, SCENARIO) else 0)
