#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""bench.py: the rows of rows.h on every map that was built, side by side.

  bench.py FOLDER [--threads 1,2,4] [--passes 5] [--rows NAME,...]
           [--peers NAME,...] [--go GO,...] [--json FILE] [--report FILE]
           [--scale SHARE] [--short]

FOLDER holds the programs (bench-map, peer-*). Every run is a process of its own;
passes go round all maps, so that what disturbs the machine for a while disturbs
all alike; what is shown are medians, with the spread of the middle half. Ratios
are of medians of the same call of this program, never of an older one.

  --go      Go commands; each builds the peer of go/ (default: all that are found)
  --scale   operations as a share of each row's own number
  --short   one pass, a thousandth of the operations, our maps alone: shows that
            the programs run, not how fast
"""

import argparse
import glob
import json
import math
import os
import pathlib
import shutil
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
OURS = "syncmap:off"
RECORDINGS = ("structural", "structural-append", "brief", "brief-append", "spans")
# Not thread-safe, or of no interest beyond what mutexmap shows.
SINGLE_ENGINES = {"gomap"}
RUN_SECONDS = 120

# NUMBERS: wanted ratio to Go's sync.Map at one thread and at two.
MOSTLY = ("SwapMostlyHits", "CompareAndSwapMostlyHits",
          "CompareAndSwapMostlyMisses", "CompareAndDeleteMostlyHits",
          "CompareAndDeleteMostlyMisses")
WANTED = {"LoadMostlyHits": ("E1", 10, 10), "LoadMostlyMisses": ("E2", 7, 7)}
WANTED |= {name: ("E3", 6, 5) for name in MOSTLY}
WANTED |= {
    "SwapMostlyMisses": ("E3", 2.5, 2),
    "LoadOrStoreUnique": ("E4", 4, 4), "LoadOrStoreBalanced": ("E4", 4, 4),
    "LoadAndDeleteBalanced": ("E5", 5, 5), "LoadAndDeleteUnique": ("E5", 5, 5),
    "Range": ("E6", 8, 8),
    "AdversarialAlloc": ("E7", 4, 3), "AdversarialDelete": ("E7", 4, 3),
    "LoadOrStoreCollision": ("E8", 3, 3), "DeleteCollision": ("E8", 3, 3),
    "CompareAndSwapCollision": ("E8", 3, 3),
    "CompareAndSwapNoExistingKey": ("E8", 3, 3),
    "CompareAndSwapValueNotEqual": ("E8", 3, 3),
    "CompareAndDeleteCollision": ("E8", 3, 3), "Clear": ("E8", 3, 3),
    "SwapCollision": ("E8", 2, 1.1), "LoadAndDeleteCollision": ("E8", 2.5, 2),
    "a": ("E9", 4, 4), "b": ("E9", 3.5, 3.5), "c": ("E9", 2.8, 2.8),
    "d1": ("E10", 4, 4), "d2": ("E10", 3, 3), "g": ("E10", 4.5, 4.5),
    "f": ("E10", 6, 6),
}
MEANINGS = {
    "a": "99/1 load/store, 64 k keys", "b": "90/10 uniform, 1 M keys",
    "c": "90/10 zipf 0.99, 1 M keys", "d1": "stores of new keys",
    "d2": "new key, then load", "g": "churn: store / load-and-delete",
    "f": "Range while others write, per entry",
    "GrowLatency": "each insert of a million",
    "WorstStore": "new keys after a million read ones",
    "Memory": "bytes per key", "Snapshot": "walking a snapshot, per pair",
}


class Peer:
    """A program with its first arguments, and the rows that it offers."""

    def __init__(self, name, command):
        self.name, self.command = name, [str(part) for part in command]
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
    """The Go peers of one toolchain; [] with a word when it cannot."""
    environment = dict(os.environ, GOTOOLCHAIN="local", GOFLAGS="-mod=mod",
                       GOCACHE=str(folder / "go-cache"), CGO_ENABLED="0")
    try:
        version = subprocess.run([go, "env", "GOVERSION"], text=True, check=True,
                                 capture_output=True, env=environment).stdout.strip()
        program = folder / f"peer-{version}"
        subprocess.run([go, "build", "-o", program, "."], cwd=HERE / "go",
                       check=True, env=environment)
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"# {go}: {error}", file=sys.stderr)
        return []
    short = ".".join(version.split(".")[:2])
    return [Peer(f"{short}-{name}", [program, name]) for name in ("syncmap", "rwmap")]


def find_peers(options):
    folder = options.folder
    engines = ["syncmap", "viewmap", "mutexmap", "rwmap", "shardmap", "gomap"]
    peers = [Peer(f"{engine}:off", [folder / "bench-map", f"{engine}:off"])
             for engine in engines]
    peers += [Peer(f"syncmap:{mode}", [folder / "bench-map", f"syncmap:{mode}"])
              for mode in RECORDINGS]
    if (folder / "bench-map-out").exists():
        peers.append(Peer("syncmap:out", [folder / "bench-map-out", "syncmap"]))
    if options.short:
        return peers
    for name in ("urcu", "ck", "cuckoo", "tbb", "glib"):
        if (folder / f"peer-{name}").exists():
            peers.append(Peer(name, [folder / f"peer-{name}"]))
        else:
            print(f"# {name}: not installed, left out", file=sys.stderr)
    toolchains = options.go.split(",") if options.go else find_go()
    if not toolchains:
        print("# Go: not installed, left out: no ratios to it", file=sys.stderr)
    for go in toolchains:
        peers += build_go(go, folder)
    if options.peers:
        wanted = options.peers.split(",")
        peers = [peer for peer in peers if peer.name in wanted]
    return peers


def is_baseline(name):
    """Go's sync.Map of the kind that ours follows: before 1.24."""
    if not (name.startswith("go1.") and name.endswith("-syncmap")):
        return False
    return int(name[4:].split("-")[0]) < 24


def baseline_of(peers):
    names = [peer.name for peer in peers if is_baseline(peer.name)]
    return max(names, key=lambda name: int(name[4:].split("-")[0]), default=None)


def measure(options, peers):
    """{(row, threads): {peer: [result, ...]}}, in the order of the table."""
    threads = [int(number) for number in options.threads.split(",")]
    names = list(dict.fromkeys(row for peer in peers for row in peer.rows))
    if options.rows:
        names = [row for row in names if row in options.rows.split(",")]
    results, dead = {}, set()
    for number in range(options.passes):
        for row in names:
            for n in threads:
                for peer in peers:
                    kind = peer.rows.get(row)
                    if kind is None or (peer, row, n) in dead:
                        continue
                    if n > 1 and (kind == "single"
                                  or peer.name.split(":")[0] in SINGLE_ENGINES):
                        continue
                    result = peer.run(row, n, options.ops(row))
                    if result is None:
                        dead.add((peer, row, n))
                        continue
                    results.setdefault((row, n), {}).setdefault(
                        peer.name, []).append(result)
        print(f"# pass {number + 1} of {options.passes} is done", file=sys.stderr)
    return results


def median(results, key="ns_per_op"):
    values = [result[key] for result in results if key in result]
    return statistics.median(values) if values else None


def spread(results):
    """Half the width of the middle half, in percent of the median."""
    values = [result["ns_per_op"] for result in results]
    if len(values) < 3:
        return None
    low, middle, high = statistics.quantiles(values, n=4)
    return 50 * (high - low) / middle if middle else None


def geometric_mean(values):
    return math.exp(statistics.fmean(map(math.log, values))) if values else None


def number_text(value):
    if value is None:
        return "–"
    return f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 100 else f"{value:.0f}"


def table(head, lines):
    out = ["| " + " | ".join(head) + " |", "| " + " | ".join("---" for _ in head) + " |"]
    return out + ["| " + " | ".join(line) + " |" for line in lines] + [""]


def goal_lines(results, baseline):
    """Ratio to Go against what NUMBERS wants, the worst first."""
    lines = []
    for (row, n), by_peer in results.items():
        if row not in WANTED or n > 2 or not {OURS, baseline} <= by_peer.keys():
            continue
        name, *wanted = WANTED[row]
        ratio = median(by_peer[baseline]) / median(by_peer[OURS])
        lines.append((ratio / wanted[n - 1], [
            row, str(n), number_text(median(by_peer[OURS])),
            number_text(median(by_peer[baseline])), f"{ratio:.2f}×",
            f"{wanted[n - 1]}×", name, "yes" if ratio >= wanted[n - 1] else "no"]))
    return [line for _, line in sorted(lines, key=lambda pair: pair[0])]


def recording_lines(results):
    lines = []
    for (row, n), by_peer in results.items():
        cells = [row, str(n)]
        off = median(by_peer.get(OURS, []))
        for mode in ("out", *RECORDINGS):
            value = median(by_peer.get(f"syncmap:{mode}", []))
            cells.append("–" if not value or not off else
                         f"{off / value:.2f}×" if mode == "out" else f"{value / off:.2f}×")
        if any(cell != "–" for cell in cells[2:]):
            lines.append(cells)
    return lines


def report(results, peers):
    baseline = baseline_of(peers)
    names = [peer.name for peer in peers]
    out = ["# Maps side by side", "",
           f"{os.cpu_count()} processors; medians of ns per operation; in brackets: "
           "half the width of the middle half of the passes, in percent.", ""]
    if baseline:
        goals = goal_lines(results, baseline)
        ratios = [median(by_peer[baseline]) / median(by_peer[OURS])
                  for (row, n), by_peer in results.items()
                  if row in WANTED and {OURS, baseline} <= by_peer.keys()]
        out += [f"## syncmap against {baseline}, the worst first", ""]
        out += table(["row", "threads", "syncmap", baseline, "ratio", "wanted", "", "met"],
                     goals)
        if ratios:
            out += [f"Geometric mean {geometric_mean(ratios):.2f}× over {len(ratios)} "
                    f"rows; {sum(line[-1] == 'yes' for line in goals)} of {len(goals)} "
                    "meet what is wanted.", ""]
    costs = recording_lines(results)
    if costs:
        out += ["## What recording costs syncmap", "",
                "off: compiled in and switched off, against compiled out; the others "
                "against off. structural: changes of state are told, operations "
                "counted; brief: each operation is told by one event; spans: by its "
                "two fenced ends. A recorder merges and packs meanwhile; with -append "
                "everything told is read and thrown away, which shows what telling "
                "costs where one thread cannot pack as fast.", ""]
        out += table(["row", "threads", "off", *RECORDINGS], costs)
    out += ["## All maps", ""]
    lines = []
    for (row, n), by_peer in results.items():
        cells = []
        for name in names:
            value, width = median(by_peer.get(name, [])), None
            if name in by_peer:
                width = spread(by_peer[name])
            cells.append(number_text(value) + (f" ({width:.0f})" if width else ""))
        lines.append([row, str(n)] + cells)
    out += table(["row", "threads"] + names, lines)
    single = [(row, by_peer) for (row, n), by_peer in results.items() if n == 1]
    for title, key in (("p50", "p50"), ("p99", "p99"), ("p99.9", "p99.9"), ("max", "max"),
                       ("bytes per key", "bytes_per_key")):
        lines = [[row] + [number_text(median(by_peer.get(name, []), key))
                          for name in names]
                 for row, by_peer in single
                 if any(median(by_peer.get(name, []), key) is not None for name in names)]
        if lines:
            out += [f"### {title}", ""] + table(["row"] + names, lines)
    out += ["Rows: " + "; ".join(f"{row}: {text}" for row, text in MEANINGS.items())
            + "; the others as in Go's sync/map_bench_test.go."]
    return "\n".join(out) + "\n"


def parse():
    parser = argparse.ArgumentParser(description="maps side by side")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--threads", default="1,2,4")
    parser.add_argument("--passes", type=int, default=5)
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
                count = parts[2].split(",")[1].replace("M", "1000000")
                sizes[parts[1]] = math.prod(int(part) for part in count.split("*"))
    options.ops = lambda row: (max(8, int(sizes[row] * options.scale))
                               if row in sizes else None)
    options.folder = options.folder.resolve()
    return options


def main():
    options = parse()
    peers = find_peers(options)
    results = measure(options, peers)
    if options.json:
        options.json.write_text(json.dumps(
            [result for by_peer in results.values() for many in by_peer.values()
             for result in many], indent=1) + "\n", encoding="utf-8")
    text = report(results, peers)
    if options.report:
        options.report.write_text(text, encoding="utf-8")
    print(text)
    # A row that one of our own maps could not do is a failure.
    asked = {(peer.name, row) for peer in peers for row in peer.rows
             if not options.rows or row in options.rows.split(",")}
    done = {(name, row) for (row, _), by_peer in results.items() for name in by_peer}
    missing = sorted(pair for pair in asked - done if ":" in pair[0])
    for name, row in missing:
        print(f"not done: {name} {row}", file=sys.stderr)
    sys.exit(1 if missing else 0)


if __name__ == "__main__":
    main()
