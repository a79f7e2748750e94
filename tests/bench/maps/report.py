# SPDX-License-Identifier: GPL-3.0-or-later
"""report.py: results as a page that one can read.

First what was wanted and what was reached, the worst first; then who was compared
with whom and on what machine; then every number.
"""

import datetime
import glob
import os
import pathlib
import platform
import shutil
import statistics
import subprocess

import goals
from goals import OURS, duration, geometric_mean, times

MEANINGS = {
    "a": "99/1 load/store, 64 k keys", "b": "90/10 uniform, 1 M keys",
    "c": "90/10 zipf 0.99, 1 M keys", "d1": "stores of new keys",
    "d2": "new key, then load", "g": "churn: store / load-and-delete",
    "f": "Range while others write, per entry",
    "GrowLatency": "each insert of a million",
    "WorstStore": "new keys after a million read ones",
    "WorstLoad": "loads of a new key after a million read ones, until and after "
                 "the promotion", "WorstLoad1k": "the same after a thousand",
    "Memory": "bytes per key of a full table", "Snapshot": "walking a snapshot, per pair",
}


def number(value):
    if value is None:
        return "–"
    if value >= 1e5:
        return f"{value:.3g}"
    return f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 100 else f"{value:.0f}"


def table(head, lines):
    out = ["| " + " | ".join(head) + " |", "| " + " | ".join("---" for _ in head) + " |"]
    return out + ["| " + " | ".join(line) + " |" for line in lines] + [""]


def yes(is_met):
    return "yes" if is_met else "**no**"


# The machine -----------------------------------------------------------------

def first_line(*command):
    """What a program says of itself; None when it is not there."""
    try:
        said = subprocess.run(command, text=True, capture_output=True, timeout=20,
                              check=True).stdout.splitlines()
    except (OSError, subprocess.SubprocessError):
        return None
    return said[0].strip() if said else None


def read(path):
    try:
        return pathlib.Path(path).read_text(encoding="utf-8").strip()
    except OSError:
        return None


def cpu_model():
    lines = (read("/proc/cpuinfo") or "").splitlines()
    facts = dict(line.split(":", 1) for line in lines if ":" in line)
    facts = {name.strip(): value.strip() for name, value in facts.items()}
    return facts.get("model name") or platform.processor() or platform.machine()


def caches():
    sizes = {}
    for index in sorted(glob.glob("/sys/devices/system/cpu/cpu0/cache/index*")):
        kind = read(index + "/type")
        if kind != "Instruction":
            sizes[read(index + "/level")] = read(index + "/size")
    return ", ".join(f"L{level} {size}" for level, size in sizes.items())


def memory_text():
    for line in (read("/proc/meminfo") or "").splitlines():
        if line.startswith("MemTotal:"):
            return f"{int(line.split()[1]) / 2**20:.0f} GiB"
    return None


def machine_facts():
    """[(what, text)], those that are known."""
    system = platform.freedesktop_os_release().get("PRETTY_NAME")
    root = pathlib.Path(__file__).resolve().parents[3]
    facts = [
        ("processor", cpu_model()),
        ("processors for us", str(len(os.sched_getaffinity(0)))),
        ("runs in", first_line("systemd-detect-virt")),
        ("caches", caches()),
        ("memory", memory_text()),
        ("frequency governor",
         read("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor") or "not known"),
        ("huge pages", read("/sys/kernel/mm/transparent_hugepage/enabled")),
        ("system", f"{system}, {platform.system()} {platform.release()}"),
        ("compiler", first_line(os.environ.get("CC", "cc"), "--version")),
        ("Tophash", first_line("git", "-C", str(root), "describe", "--always",
                               "--dirty")),
        ("ended", datetime.datetime.now().astimezone().isoformat(" ", "minutes")),
    ]
    return [(what, text) for what, text in facts if text]


def version_of(module, packages):
    """Of a library, by pkg-config or by the system's packages."""
    found = module and first_line("pkg-config", "--modversion", module)
    for package in packages if not found else ():
        for query in (("dpkg-query", "-W", "-f", "${Version}", package),
                      ("rpm", "-q", "--qf", "%{VERSION}", package),
                      ("pacman", "-Q", package)):
            if not found and shutil.which(query[0]):
                found = first_line(*query)
    return found or "version not known"


# The goals -------------------------------------------------------------------

def goal_table(goals_):
    return table(["goal", "what", "wanted", "reached", "met"],
                 [[goal.name, goal.what, goal.wanted, goal.reached, yes(goal.is_met)]
                  for goal in goals_])


def ratio_lines(results, go):
    """A line a row, the worst of its two goals first; and how many were met."""
    lines, met, asked = [], 0, 0
    for row, (name, *wanted) in goals.RATIOS.items():
        cells, shares = [], []
        for n in (1, 2, 4):
            ratio = results.ratio(row, n, go, OURS)
            if ratio is None:
                cells.append("–")
                continue
            cells.append(f"{times(ratio)} ({number(results.value(row, n, OURS))} / "
                         f"{number(results.value(row, n, go))})")
            if n <= 2:
                shares.append(ratio / wanted[n - 1])
        if not shares:
            continue
        asked += len(shares)
        met += sum(share >= 1 for share in shares)
        lines.append((min(shares), [name, row, " · ".join(f"{w}×" for w in wanted)]
                      + cells + [yes(min(shares) >= 1)]))
    return [line for _, line in sorted(lines, key=lambda pair: pair[0])], met, asked


def goal_part(results, go, go_24):
    out = ["## What was wanted, what was reached", ""]
    if go is None:
        out += ["No Go before 1.24 was found, whose sync.Map the goals E1 to E11 are "
                "ratios to: they are skipped.", ""]
    else:
        lines, met, asked = ratio_lines(results, go)
        means = {n: geometric_mean(results.ratios(go, OURS, n).values())
                 for n in (1, 2, 4)}
        out += [f"syncmap against {go}: how many times faster, and ns per operation of "
                f"both. {met} of {asked} goals are met. Geometric mean of all rows: "
                + ", ".join(f"{times(mean)} at {n}" for n, mean in means.items() if mean)
                + ".", ""]
        out += table(["goal", "row", "wanted at 1 · 2", "1 thread", "2 threads",
                      "4 threads", "met"], lines)
    if go_24 is None:
        out += ["No Go 1.24 or newer was found: E11's comparison with its sync.Map is "
                "skipped.", ""]
    out += ["Goals that are one number (means over one and two threads):", ""]
    return out + goal_table(goals.single_goals(results, go, go_24))


# The peers -------------------------------------------------------------------

def peer_part(results, peers, absent):
    """How all of them compare with syncmap, in one number each."""
    out = ["## Maps in this run", "",
           "syncmap is called in line, through a lane, as the C and C++ maps are; "
           "our other maps through their class. "
           "How many times longer an operation takes there than in syncmap, as the "
           "geometric mean of the rows that both have; in brackets, how many of these "
           "rows syncmap wins.", ""]
    lines = []
    for peer in peers:
        cells = [peer.name, peer.version]
        for n in (1, 2, 4):
            ratios = results.ratios(peer.name, OURS, n).values()
            won = sum(ratio > 1 for ratio in ratios)
            cells.append("–" if peer.name == OURS or not ratios else
                         f"{times(geometric_mean(ratios))} ({won} of {len(ratios)})")
        lines.append(cells)
    out += table(["map", "version", "1 thread", "2 threads", "4 threads"], lines)
    out += [f"- {name} is left out: {why}" for name, why in absent] + [""]
    return out


def locked_part(results):
    """The engines with locks against Go's map with an RWMutex."""
    names = {peer for by_peer in results.by_row.values() for peer in by_peer}
    go_names = [name.replace("-rwmap", "-syncmap") for name in names
                if name.startswith("go") and name.endswith("-rwmap")]
    go = goals.newest_go(go_names, 0, 24)
    if go is None:
        return []
    go = go.replace("-syncmap", "-rwmap")
    lines = []
    for engine in ("mutexmap:off", "rwmap:off", "shardmap:off"):
        cells = [engine.split(":")[0]]
        for n in (1, 2, 4):
            ratios = results.ratios(go, engine, n)
            below = [f"{row} {ratios[(row, n)]:.2f}" for row, n in ratios
                     if ratios[(row, n)] < 1]
            cells.append("–" if not ratios else times(geometric_mean(ratios.values()))
                         + (f"; below 1: {', '.join(below)}" if below else ""))
        lines.append(cells)
    return [f"Maps under locks against {go}, a map under an RWMutex (shardmap's Clear "
            "clears all its tables, one lock after the other):", ""] + table(
                ["map", "1 thread", "2 threads", "4 threads"], lines)


# Every number ----------------------------------------------------------------

def units_cell(results, row, n):
    """Units told for an operation: changes of structure, and each operation too."""
    cells = []
    for mode in goals.ALONE:
        units = results.value(row, n, f"syncmap:{mode}", "units")
        ops = results.value(row, n, f"syncmap:{mode}", "ops")
        cells.append(number(units / ops) if units is not None and ops else "–")
    return " / ".join(cells)


def recorder_limit(results):
    """What a recorder beside the workers can take, as far as it was seen."""
    rates = goals.recorder_rates(results)
    if not rates:
        return []
    rate = statistics.median(rates)
    return [f"Where workers mostly waited for the recorder (runs: {len(rates)}) it took "
            f"{rate / 1e6:.0f} M units a second, as the median. With it an operation "
            f"that tells n units cannot take less than n × {1e9 / rate:.0f} ns on all "
            "threads together, however little telling them costs.", ""]


def recording_part(results):
    modes = [mode for mode in goals.RECORDINGS
             if any(f"syncmap:{mode}" in peers for peers in results.by_row.values())]
    pairs = [(OURS, "syncmap:out")] + [(f"syncmap:{mode}", OURS) for mode in modes]
    lines, means = [], []
    for row in results.rows():
        for n in (1, 2):
            costs = [results.ratio(row, n, slow, fast) for slow, fast in pairs]
            if any(costs):
                lines.append((max(cost or 0 for cost in costs), [row, str(n)] + [
                    times(cost) if cost else "–" for cost in costs]
                    + [units_cell(results, row, n)]))
    if not lines:
        return []
    lines.sort(key=lambda pair: -pair[0])
    for n in (1, 2):
        costs = [geometric_mean(results.ratios(slow, fast, n).values())
                 for slow, fast in pairs]
        if any(costs):
            means.append(["geometric mean", str(n)]
                         + [times(cost) if cost else "–" for cost in costs] + [""])
    return ["## What recording costs syncmap", "",
            "How many times longer an operation takes. off: compiled in and switched "
            "off, against compiled out; the others against off: changes of structure "
            "told; each operation too, in one event (brief) or with its two ends and "
            "its result (spans). alone: told into rings that nobody reads, which is "
            "what R1 to R3 ask; in the other columns a recorder merges and packs "
            "meanwhile, on the same processors. told: units of 16 bytes an operation, "
            "structural / brief.", ""] + recorder_limit(results) + table(
                ["row", "threads", "off"] + modes + ["told"],
                means + [line for _, line in lines])


def spread(results):
    """Half the width of the middle half, in percent of the median."""
    values = [result["ns_per_op"] for result in results]
    if len(values) < 3:
        return None
    low, middle, high = statistics.quantiles(values, n=4)
    return 50 * (high - low) / middle if middle else None


def every_part(results, peers):
    ours = [peer.name for peer in peers if ":" in peer.name]
    others = [peer.name for peer in peers if ":" not in peer.name]
    out = ["## Every map, every row", "",
           "Medians of ns per operation; in brackets half the width of the middle half "
           "of the passes, in percent of the median.", ""]
    for n in (1, 2, 4):
        for title, names in (("ours", ours), ("others", [OURS] + others)):
            lines = []
            for row in results.rows():
                by_peer = results.by_row.get((row, n), {})
                widths = {name: spread(by_peer.get(name, [])) for name in names}
                if any(name in by_peer for name in names):
                    lines.append([row] + [
                        number(results.value(row, n, name))
                        + (f" ({widths[name]:.0f})" if widths[name] is not None else "")
                        for name in names])
            if lines and len(names) > 1:
                out += [f"### {n} thread{'s' if n > 1 else ''}, {title}", ""]
                out += table(["row"] + names, lines)
    return out


def single_part(results, peers):
    """Latencies, bytes, and what the writers beside a Range get done."""
    names = [peer.name for peer in peers]
    out = []
    for row, title in (("GrowLatency", "Single inserts of a million"),
                       ("WorstStore", "Stores of new keys into a million read ones"),
                       ("WorstLoad", "Loads that promote a million keys")):
        lines = []
        for name in names:
            values = [results.value(row, 1, name, key)
                      for key in ("p50", "p99", "p99.9", "max")]
            if values[0] is not None:
                lines.append([name] + [duration(value) for value in values])
        if lines:
            out += [f"### {title}", ""]
            out += table(["map", "p50", "p99", "p99.9", "max"], lines)
    lines = []
    for name in names:
        cells = [results.value("Memory", 1, name, "bytes_per_key")]
        cells += [results.value("f", n, name, "writes_per_s") for n in (2, 4)]
        if any(cell is not None for cell in cells):
            lines.append([name, number(cells[0])] + [
                f"{cell / 1e6:.2f} M" if cell is not None else "–" for cell in cells[1:]])
    if lines:
        out += ["### Memory, and writes while another thread ranges", ""]
        out += table(["map", "bytes per key", "f: writes a second, 2 threads",
                      "4 threads"], lines)
    return ["## Single operations, memory", ""] + out if out else []


def write(by_row, peers, absent, n_passes, minutes):
    results = goals.Results(by_row)
    names = [peer.name for peer in peers]
    go, go_24 = goals.newest_go(names, 9, 24), goals.newest_go(names, 24, 1000)
    out = ["# Maps side by side", "",
           "Every map does the same operations in a process of its own; "
           f"{n_passes} pass{'es' if n_passes > 1 else ''} went round all of them in "
           f"turns, in {minutes:.0f} minutes. What is shown are medians; ratios are of "
           "medians of this one run. ns per operation is the time from the first "
           "thread's start to the last one's end over the operations of all. Single "
           "operations are timed with pages at hand, not such as a virtual machine's "
           "host has first to find.", ""]
    out += table(["machine", ""], machine_facts())
    out += goal_part(results, go, go_24)
    out += peer_part(results, peers, absent) + locked_part(results)
    out += recording_part(results)
    out += single_part(results, peers) + every_part(results, peers)
    out += ["Rows: " + "; ".join(f"{row}: {text}" for row, text in MEANINGS.items())
            + "; the others as in Go's sync/map_bench_test.go."]
    return "\n".join(out) + "\n"
