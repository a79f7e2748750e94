#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""bench.py: the rows of rows.h on every map that was built, side by side.

  bench.py FOLDER [--threads 1,2,4] [--passes 5] [--minutes 25] [--rows NAME,...]
           [--peers NAME,...] [--go GO,...] [--json FILE] [--report FILE]
           [--scale SHARE] [--short]

FOLDER holds the programs (bench-map, peer-*). Every run is a process of its own;
passes go round all maps, so that what disturbs the machine for a while disturbs
all alike; what is shown are medians, with the spread of the middle half. Ratios
are of medians of the same call of this program, never of an older one. What was
wanted is told in goals.py, the page is written by report.py.

Before a row whose operations are timed one by one, memory is touched and freed: a
virtual machine gives pages that have lain free for some seconds back to its host,
and the first touch after that waits for the host (measured: 4.3 ms for 2 MiB in
place of 0.18). A single operation that takes fresh memory would show nothing else:
54 ms for one of 15. All maps start alike, Go's too.

  --minutes no pass begins that would not end by then; the first always does
  --go      Go commands; each builds the peer of go/ (default: all that are found)
  --scale   operations as a share of each row's own number
  --short   one pass, a thousandth of the operations, our maps alone and recorded
            with two threads only: shows that the programs run, not how fast
"""

import argparse
import glob
import json
import math
import mmap
import os
import pathlib
import shutil
import subprocess
import sys
import time

import goals
import report

HERE = pathlib.Path(__file__).resolve().parent
OURS = "syncmap:off"
# Not thread-safe, or of no interest beyond what mutexmap shows.
SINGLE_ENGINES = {"gomap"}
RUN_SECONDS = 60
# A map that takes longer than this for a row is asked for that row once only.
SLOW_SECONDS = 4
# More than any map takes in a row of single operations.
WARM_BYTES = 256 << 20


def warm_memory():
    """Leaves pages free that the machine has at hand, by taking and freeing them."""
    with mmap.mmap(-1, WARM_BYTES,
                   flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as memory:
        if hasattr(mmap, "MADV_HUGEPAGE"):
            memory.madvise(mmap.MADV_HUGEPAGE)
        for at in range(0, WARM_BYTES, mmap.PAGESIZE):
            memory[at] = 1


class Peer:
    """A program with its first arguments, and the rows that it offers."""

    def __init__(self, name, command, version="this tree"):
        self.name, self.version = name, version
        self.command = [str(part) for part in command]
        listed = subprocess.run(self.command + ["--list"], text=True,
                                capture_output=True, check=True).stdout
        self.rows = dict(line.split() for line in listed.splitlines())

    def run(self, row, threads, ops):
        """One result, or None when it fails or takes too long."""
        arguments = self.command + [row, str(threads)] + ([str(ops)] if ops else [])
        try:
            done = subprocess.run(arguments, text=True, capture_output=True,
                                  timeout=RUN_SECONDS, check=True)
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
            print(f"# {' '.join(arguments)}: {error}", file=sys.stderr)
            return None
        return json.loads(done.stdout)


def find_go():
    """Every Go there is, the one in PATH once."""
    found = sorted(glob.glob("/usr/lib/go-*/bin/go") + glob.glob("/usr/local/go/bin/go"))
    path = shutil.which("go")
    if path and os.path.realpath(path) not in map(os.path.realpath, found):
        found.append(path)
    return found


def build_go(go, folder):
    """The Go peers of one toolchain, and [(name, why not)]."""
    environment = dict(os.environ, GOTOOLCHAIN="local", GOFLAGS="-mod=mod",
                       GOCACHE=str(folder / "go-cache"), CGO_ENABLED="0")
    try:
        version = subprocess.run([go, "env", "GOVERSION"], text=True, check=True,
                                 capture_output=True, env=environment).stdout.strip()
        program = folder / f"peer-{version}"
        subprocess.run([go, "build", "-o", program, "."], cwd=HERE / "go",
                       check=True, env=environment)
    except (OSError, subprocess.CalledProcessError) as error:
        return [], [(go, f"does not build the peer: {error}")]
    short = ".".join(version.split(".")[:2])
    return [Peer(f"{short}-{name}", [program, name], version)
            for name in ("syncmap", "rwmap")], []


# Maps of others: pkg-config's name of the library, names of its package.
LIBRARIES = {
    "urcu": ("liburcu", ()), "ck": ("ck", ()), "tbb": ("tbb", ()),
    "cuckoo": (None, ("libcuckoo-dev", "libcuckoo-devel", "libcuckoo")),
    "glib": ("glib-2.0", ()),
}


def find_own(folder):
    engines = ["syncmap", "viewmap", "mutexmap", "rwmap", "shardmap", "gomap"]
    peers = [Peer(f"{engine}:off", [folder / "bench-map", f"{engine}:off"])
             for engine in engines]
    peers += [Peer(f"syncmap:{mode}", [folder / "bench-map", f"syncmap:{mode}"])
              for mode in goals.RECORDINGS]
    if (folder / "bench-map-out").exists():
        peers.append(Peer("syncmap:out", [folder / "bench-map-out", "syncmap"]))
    return peers


def find_peers(options):
    """All that are here, and [(name, why not)] for the others."""
    folder, absent = options.folder, []
    peers = find_own(folder)
    if options.short:
        return peers, absent
    for name, (module, packages) in LIBRARIES.items():
        if (folder / f"peer-{name}").exists():
            peers.append(Peer(name, [folder / f"peer-{name}"],
                              report.version_of(module, packages)))
        else:
            absent.append((name, "its library was not there when this was built"))
    toolchains = options.go.split(",") if options.go else find_go()
    if not toolchains:
        absent.append(("Go", "not installed"))
    for go in toolchains:
        built, failed = build_go(go, folder)
        peers += built
        absent += failed
    if options.peers:
        wanted = options.peers.split(",")
        peers = [peer for peer in peers if peer.name in wanted]
    for name, why in absent:
        print(f"# {name} is left out: {why}", file=sys.stderr)
    return peers, absent


def suits(options, peer, row, threads):
    """gomap is no map for threads, and recording is judged with one and two."""
    engine, _, mode = peer.name.partition(":")
    if threads == 1 and mode in goals.RECORDINGS:
        return peer.rows[row] != "single" and not options.short
    if threads == 1:
        return True
    return (peer.rows[row] != "single" and engine not in SINGLE_ENGINES
            and (threads == 2 or mode in ("", "off")))


def plan(options, peers):
    """[(row, threads, peer)] of one pass: maps in turn within a row."""
    names = list(dict.fromkeys(row for peer in peers for row in peer.rows))
    if options.rows:
        names = [row for row in names if row in options.rows.split(",")]
    return [(row, n, peer) for row in names for n in options.threads for peer in peers
            if row in peer.rows and suits(options, peer, row, n)]


def measure(options, peers):
    """{(row, threads): {peer: [result, ...]}} in the order of the table, and the
    number of passes."""
    results, left, hopeless = {}, plan(options, peers), set()
    began = time.monotonic()
    for number in range(options.passes):
        pass_began, done = time.monotonic(), []
        for row, n, peer in left:
            if (row, peer.name) in hopeless:
                continue
            if peer.rows[row] == "single" and not options.short:
                warm_memory()
            run_began = time.monotonic()
            result = peer.run(row, n, options.ops(row))
            if result is None:
                hopeless.add((row, peer.name))
                continue
            results.setdefault((row, n), {}).setdefault(peer.name, []).append(result)
            if time.monotonic() - run_began < SLOW_SECONDS:
                done.append((row, n, peer))
        left, now = done, time.monotonic()
        print(f"# pass {number + 1} of {options.passes} is done, "
              f"{(now - began) / 60:.1f} minutes", file=sys.stderr)
        if now - began + (now - pass_began) > options.minutes * 60:
            break
    return results, number + 1


def parse():
    parser = argparse.ArgumentParser(description="maps side by side")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--threads", default="1,2,4")
    parser.add_argument("--passes", type=int, default=5)
    parser.add_argument("--minutes", type=float, default=25)
    parser.add_argument("--rows")
    parser.add_argument("--peers")
    parser.add_argument("--go")
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--report", type=pathlib.Path)
    parser.add_argument("--scale", type=float)
    parser.add_argument("--short", action="store_true")
    options = parser.parse_args()
    if options.short:
        options.passes, options.threads, options.scale = 1, "1,2", 0.001
    sizes = {}
    if options.scale:
        for line in (HERE / "rows.h").read_text(encoding="utf-8").splitlines():
            parts = line.strip().split('"')
            if len(parts) == 3 and parts[0].strip() == "{":
                # How full a table is decides its bytes per key: not scaled.
                if parts[1] == "Memory" and not options.short:
                    continue
                count = parts[2].split(",")[1].replace("KEYS_FULL", "1703936")
                count = count.replace("M", "1000000")
                sizes[parts[1]] = math.prod(int(part) for part in count.split("*"))
    options.ops = lambda row: (max(8, int(sizes[row] * options.scale))
                               if row in sizes else None)
    options.folder = options.folder.resolve()
    options.threads = [int(number) for number in options.threads.split(",")]
    return options


def main():
    options = parse()
    peers, absent = find_peers(options)
    began = time.monotonic()
    results, n_passes = measure(options, peers)
    if options.json:
        options.json.write_text(json.dumps(
            [result for by_peer in results.values() for many in by_peer.values()
             for result in many], indent=1) + "\n", encoding="utf-8")
    text = report.write(results, peers, absent, n_passes,
                        (time.monotonic() - began) / 60)
    if options.report:
        options.report.write_text(text, encoding="utf-8")
    print(text)
    # A row that one of our own maps could not do is a failure.
    asked = {(peer.name, row) for row, _, peer in plan(options, peers)}
    done = {(name, row) for (row, _), by_peer in results.items() for name in by_peer}
    missing = sorted(pair for pair in asked - done if ":" in pair[0])
    for name, row in missing:
        print(f"not done: {name} {row}", file=sys.stderr)
    sys.exit(1 if missing else 0)


if __name__ == "__main__":
    main()
