# SPDX-License-Identifier: GPL-3.0-or-later
"""read_states.py: the state in a KEYFRAME, from FORMAT-states.md alone.

The fields are not told here again: they are taken from the document's tables, so
that a document that says less, more or another size cannot be read with.
"""

import pathlib
import re
import struct

DOCUMENTS = pathlib.Path(__file__).resolve().parents[2] / "core" / "record"
VERSION = 2
FRAME_MAX = 262144
LISTS = ("Table", "Lock", "Thread", "Iteration", "Free", "Snapshot", "Run")


def sections(name):
    """Heading to lines of a document."""
    found, lines = {}, []
    for line in (DOCUMENTS / name).read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            lines = found.setdefault(line.lstrip("# "), [])
        lines.append(line)
    return found


def rows(lines):
    return [[cell.strip() for cell in line.strip("|").split("|")]
            for line in lines if line.startswith("|")][2:]


DOCUMENT = sections("FORMAT-states.md")


def fields_of(name):
    """(field, bytes of a number, how many, is signed) in their order."""
    for field, size, _ in rows(DOCUMENT[name]):
        n, size, sign = re.fullmatch(r"(?:(\d+) × )?(\d)(i?)", size).groups()
        yield field, int(size), int(n or 1), bool(sign)


def columns_of():
    """Kind to columns: (name, bits, how many)."""
    found = {}
    for kinds, columns in rows(DOCUMENT["Columns"])[:4]:
        listed = [re.fullmatch(r"([a-z_]+) (\d+)(?: × (\d))?", column).groups()
                  for column in columns.split("; ")]
        for kind in re.findall(r"\d", kinds):
            found[int(kind)] = [(name, int(bits), int(n or 1))
                                for name, bits, n in listed]
    return found


COLUMNS = columns_of()


class Bytes:
    def __init__(self, data, at=0):
        self.data, self.at = data, at

    def number(self, size, signed=False):
        assert self.at + size <= len(self.data)
        self.at += size
        return int.from_bytes(self.data[self.at - size:self.at], "little",
                              signed=signed)

    def record(self, name):
        found = {}
        for field, size, n, is_signed in fields_of(name):
            values = [self.number(size, is_signed) for _ in range(n)]
            found[field] = values if n > 1 else values[0]
        return found


def read_run(data, run):
    """Records of one run, each a dictionary of its columns."""
    records = [{} for _ in range(run["n"])]
    for name, bits, k in COLUMNS[run["kind"]]:
        width = data.number(1)
        base = data.number(8, True)
        assert width in (0, 1, 2, 4, 8)
        for record in records:
            values = [(data.number(width) + base) % (1 << bits)
                      for _ in range(k)]
            record[name] = values if k > 1 else values[0]
    return records


def read_state(frames):
    """The head's records by the document's names, and vectors by (kind, owner)."""
    version, length, n_frames = struct.unpack_from("<III", frames[0])
    assert version == VERSION and n_frames == len(frames)
    n_head = -(-length // FRAME_MAX)
    head = Bytes(b"".join(frames[:n_head]), 12)
    assert len(head.data) == length
    state = {name: head.record(name) for name in ("State", "Counters", "Misuse")}
    counts = [head.number(4) for _ in LISTS]
    for name, n in zip(LISTS, counts):
        state[name] = []
        for _ in range(n):
            record = head.record(name)
            if name == "Table":
                record["buckets"] = [head.number(4) for _ in range(3)]
                record["oldbuckets"] = [head.number(4) for _ in range(3)]
            state[name].append(record)
    assert head.at == length

    state["vectors"] = {}
    places = [Bytes(frame) for frame in frames[n_head:]]
    for run in state["Run"]:
        vector = state["vectors"].setdefault((run["kind"], run["owner"]), {})
        for i, record in enumerate(read_run(places[run["frame"]], run)):
            vector[run["first"] + i] = record
    assert all(place.at == len(place.data) for place in places)
    return state


def signed(value):
    return value - (1 << 64) if value >> 63 else value


def keys_of(state):
    """The map: key to value. What read, dirty, the only table or shards hold."""
    found = {}
    tables = [(i, table) for i, table in enumerate(state["Table"])
              if table["role"] in (1, 2, 3, 5)]
    entries = state["vectors"].get((2, 0), {})
    versions = state["vectors"].get((3, 0), {})
    for place, table in tables:
        for kind in (0, 1):
            for bucket in state["vectors"].get((kind, place), {}).values():
                for slot in range(8):
                    if bucket["tophash"] >> 8 * slot & 255 < 5:
                        continue
                    key, value = bucket["keys"][slot], bucket["values"][slot]
                    if table["flags_table"] & 1:
                        entry = entries[value]
                        if entry["state"] & 255 or entry["state"] >> 16 & 1:
                            continue
                        value = entry["value"]
                        if table["flags_table"] & 8:
                            value = versions[value & 0xffffffff]["value"]
                    found[signed(key)] = signed(value)
    return found
