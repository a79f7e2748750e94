# SPDX-License-Identifier: GPL-3.0-or-later
"""goals.py: what is wanted of the maps, and what was reached.

The engines' goals E1 to E13 and the recording's R0 to R3. A goal is a ratio to
Go's sync.Map (the newest before Go 1.24, whose algorithm ours is), a share of our
own time without recording, or a bound on one number. Goals are set for one thread
and for two; with four, more threads than the machine these were set on has
processors, the ratios are shown beside.
"""

import math
import statistics

OURS = "syncmap:off"

# Wanted ratio to Go's sync.Map at one thread and at two.
_MOSTLY = ("SwapMostlyHits", "CompareAndSwapMostlyHits",
           "CompareAndSwapMostlyMisses", "CompareAndDeleteMostlyHits",
           "CompareAndDeleteMostlyMisses")
RATIOS = {"LoadMostlyHits": ("E1", 10, 10), "LoadMostlyMisses": ("E2", 7, 7)}
RATIOS |= {name: ("E3", 6, 5) for name in _MOSTLY}
RATIOS |= {
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
MEAN, MEAN_24, FLOOR = 5, 3.5, 1  # E11
BYTES_PER_KEY = 40  # E12
WORST_NS = 10_000_000  # E13

# What bench-map can record of syncmap. An "-alone" is told into rings that nobody
# reads, as the goals R1 to R3 were set: what telling costs the one who tells. The
# others have a recorder beside them, which wants a processor of its own.
ALONE = ("structural-alone", "brief-alone")
RECORDERS = ("structural", "brief", "spans")
RECORDINGS = ALONE + RECORDERS

# Of R3: how much longer an operation may take when each is told.
EVERY = {"LoadMostlyHits": 1.6, "a": 1.25, "b": 1.25, "c": 1.25,
         "d1": 1.2, "d2": 1.2, "g": 1.2}
OFF, LOADS, STRUCTURAL, STRUCTURAL_MEAN = 1.03, 1.05, 1.25, 1.10  # R0, R1, R2


def median(results, key="ns_per_op"):
    values = [result[key] for result in results if key in result]
    return statistics.median(values) if values else None


def geometric_mean(values):
    values = list(values)
    return math.exp(statistics.fmean(map(math.log, values))) if values else None


def minor(name):
    """23 of go1.23-syncmap; None when @name is no sync.Map of Go."""
    if not (name.startswith("go1.") and name.endswith("-syncmap")):
        return None
    return int(name[4:].split("-")[0])


def newest_go(names, at_least, below):
    names = [name for name in names if at_least <= (minor(name) or 0) < below]
    return max(names, key=minor, default=None)


class Results:
    """{(row, threads): {peer: [result, ...]}}, and what can be asked of it."""

    def __init__(self, by_row):
        self.by_row = by_row

    def value(self, row, threads, peer, key="ns_per_op"):
        return median(self.by_row.get((row, threads), {}).get(peer, []), key)

    def ratio(self, row, threads, slow, fast):
        """How many times longer @slow takes than @fast; None: one is missing."""
        a, b = self.value(row, threads, slow), self.value(row, threads, fast)
        return a / b if a and b else None

    def rows(self):
        """Those that are timed as a whole, in the order of the table."""
        latencies = {row for (row, _), peers in self.by_row.items()
                     for many in peers.values() for one in many
                     if "max" in one or "bytes_per_key" in one}
        return [row for row in dict.fromkeys(row for row, _ in self.by_row)
                if row not in latencies]

    def ratios(self, slow, fast, threads=None, rows=None):
        """{(row, threads): ratio}"""
        found = {}
        for row, n in self.by_row:
            if row in (rows or self.rows()) and threads in (None, n):
                ratio = self.ratio(row, n, slow, fast)
                if ratio:
                    found[(row, n)] = ratio
        return found


class Goal:
    """One line: what was wanted, what was reached; @share below 1 is a miss."""

    def __init__(self, name, what, wanted, reached, share):
        self.name, self.what, self.wanted = name, what, wanted
        self.reached, self.share = reached, share

    @property
    def is_met(self):
        return self.share >= 1


def at_most(name, what, limit, value, text):
    """A goal that a number stays below; None when it was not measured."""
    if value is None:
        return None
    return Goal(name, what, f"≤ {text(limit)}", text(value),
                limit / value if value > 0 else math.inf)


def at_least(name, what, limit, value, text):
    if value is None:
        return None
    return Goal(name, what, f"≥ {text(limit)}", text(value), value / limit)


def times(value):
    return f"{value:.2f}×"


def duration(ns):
    for unit in ("ns", "µs", "ms"):
        if ns < 999.5:
            return f"{ns:.3g} {unit}"
        ns /= 1000
    return f"{ns:.3g} s"


def mean_goals(results, go, go_24):
    """E11: one thread and two together."""
    goals = []
    for name, wanted in ((go, MEAN), (go_24, MEAN_24)):
        if name is None:
            continue
        ratios = {key: ratio for key, ratio in results.ratios(name, OURS).items()
                  if key[1] <= 2}
        goals.append(at_least("E11", f"geometric mean against {name}, "
                              f"{len(ratios)} rows", wanted,
                              geometric_mean(ratios.values()), times))
        if name == go and ratios:
            row, n = min(ratios, key=ratios.get)
            goals.append(at_least("E11", f"the lowest of them: {row} at {n}", FLOOR,
                                  ratios[(row, n)], times))
    return goals


def size_goals(results):
    """E12, E13"""
    load, small = (results.value(row, 1, OURS, "max")
                   for row in ("WorstLoad", "WorstLoad1k"))
    goals = [
        at_most("E12", "bytes per key, a full table", BYTES_PER_KEY,
                results.value("Memory", 1, OURS, "bytes_per_key"),
                lambda value: f"{value:.1f}"),
        at_most("E13", "longest Store into a million keys (the dirty copy)",
                WORST_NS, results.value("WorstStore", 1, OURS, "max"), duration),
        at_most("E13", "longest Load that promotes a million keys"
                + (f" (1,000 keys: {duration(small)})" if small else ""),
                WORST_NS, load, duration),
    ]
    return goals


def costs(results, mode, rows=None, base=OURS):
    """How many times longer an operation takes, with one thread and with two."""
    return {key: ratio for key, ratio
            in results.ratios(f"syncmap:{mode}", base, rows=rows).items()
            if key[1] <= 2}


def mean_and_worst(name, what, mean, worst, ratios):
    """Bounds for the geometric mean (None: there is none) and for each row."""
    if not ratios:
        return []
    row, n = max(ratios, key=ratios.get)
    goals = [at_most(name, f"{what}: {row} at {n}, the dearest", worst,
                     ratios[(row, n)], times)]
    if mean:
        goals.append(at_most(name, f"{what}: geometric mean", mean,
                             geometric_mean(ratios.values()), times))
    return goals


def recording_goals(results):
    """R0 to R3: what is told is read by nobody, as when they were set."""
    structural, brief = ALONE
    goals = mean_and_worst("R0", "switched off", OFF, OFF,
                           costs(results, "off", base="syncmap:out"))
    goals += mean_and_worst("R1", "structure told, loads", None, LOADS,
                            costs(results, structural,
                                  ("LoadMostlyHits", "LoadMostlyMisses")))
    goals += mean_and_worst("R2", "structure told", STRUCTURAL_MEAN, STRUCTURAL,
                            costs(results, structural))
    for row, limit in EVERY.items():
        goals += mean_and_worst("R3", "every operation told", None, limit,
                                costs(results, brief, (row,)))
    return goals


def recorder_rates(results):
    """Units a second of the recorder, in each run whose workers mostly waited for
    it, for longer than their rings last: then its speed was measured, not theirs."""
    rates = []
    for (_, threads), by_peer in results.by_row.items():
        for mode in RECORDERS:
            for one in by_peer.get(f"syncmap:{mode}", []):
                took_ns = one["ns_per_op"] * one["ops"]
                if took_ns >= 2e7 and one["stalled_ns"] > took_ns * threads / 2:
                    rates.append(one["units"] * 1e9 / took_ns)
    return rates


def single_goals(results, go, go_24):
    """All goals but the ratios row by row, the worst first."""
    goals = (mean_goals(results, go, go_24) + size_goals(results)
             + recording_goals(results))
    return sorted((goal for goal in goals if goal), key=lambda goal: goal.share)
