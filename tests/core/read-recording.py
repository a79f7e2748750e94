#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""read-recording.py: a reader of .tophash files, from FORMAT*.md alone.

  read-recording.py FILE                 one line of facts, one for each event
  read-recording.py --test TOPHASH-CLI KEEP-STATE SOURCE

Shares nothing with the program: what it reads, anybody can. --test makes
recordings and holds what it reads, every event and every part of a file, against
the program; and the documents against the file told in FORMAT.md and event.h.
zstd is unpacked by the program zstd.
"""

import csv
import io
import json
import pathlib
import re
import struct
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True  # not beside the sources
import fold_events  # noqa: E402
import read_states  # noqa: E402

MAGIC = bytes.fromhex("895450480d0a1a0a")
INFO, EVENTS, HONESTY, INDEX, END, KEYFRAME, NOTES = range(1, 8)


def make_table():
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    return table


TABLE = make_table()


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ TABLE[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


def unpack_lz4(data, raw_size):
    """One LZ4 block: literals, then copies of what is there already."""
    out, at = bytearray(), 0

    def length(start):
        nonlocal at
        if start == 15:
            while True:
                start += data[at]
                at += 1
                if data[at - 1] != 255:
                    break
        return start

    while at < len(data):
        token = data[at]
        at += 1
        n = length(token >> 4)
        out += data[at:at + n]
        at += n
        if at == len(data):
            break
        back = data[at] | data[at + 1] << 8
        at += 2
        for _ in range(length(token & 15) + 4):
            out.append(out[-back])
    assert len(out) == raw_size
    return bytes(out)


def unpack_zstd(data):
    return subprocess.run(["zstd", "-d", "-c", "-q"], input=data,
                          stdout=subprocess.PIPE, check=True).stdout


def unpack(codec, data, raw_size):
    if codec == 0:
        raw = data
    elif codec == 1:
        raw = unpack_lz4(data, raw_size)
    elif codec == 2:
        raw = unpack_zstd(data)
    else:
        raise ValueError(f"codec {codec}")
    assert len(raw) == raw_size
    return raw


def unpack_planes(data, n):
    """Codec 3: the raw block, and the foretold table or None."""
    _, n_payloads, n_longs = struct.unpack_from("<QII", data)
    seed, table, b, is_there = struct.unpack_from("<QHBB", data, 16)
    ways, at = data[32:67], 67
    sizes = [n] * 18 + [8 * n_longs] + [n_payloads] * 16
    stored = sum(size if way == 2 else way == 1 for way, size in zip(ways, sizes))
    packed = data[at + stored:]
    frame, taken, raw = unpack_zstd(packed) if packed else b"", 0, data[:16]
    for way, size in zip(ways, sizes):
        assert way <= 3
        if way == 3:
            raw += frame[taken:taken + size]
            taken += size
        elif way == 2:
            raw += data[at:at + size]
            at += size
        else:
            raw += data[at:at + 1] * size if way else bytes(size)
            at += way
    assert taken == len(frame) and at + len(packed) == len(data)
    return raw, (table, b, seed) if is_there else None


def good_hash(key, seed):
    def fold(x, y):
        return x * y >> 64 ^ x * y & (1 << 64) - 1
    return fold(fold(key ^ 0x9e3779b97f4a7c15, seed ^ 0xe7037ed1a0b428db) ^ key,
                0xa0761d6478bd642f)


def foretell(kinds, table, event):
    """The event with what its key foretells."""
    now, thread, kind, aux8, aux16, res, ver, a, b, has_payload = event
    is_new = kinds[kind] == "slot-written"
    if (table is not None and has_payload and aux16 == table[0]
            and (is_new or kinds[kind] == "slot-updated")):
        h = good_hash(a, table[2])
        res = (res + 8 * (h & (1 << table[1]) - 1)) % (1 << 32)
        if is_new:
            top = h >> 56
            aux8 = (aux8 + (top + 5 if top < 5 else top)) % 256
    return now, thread, kind, aux8, aux16, res, ver, a, b


def is_whole(data, at):
    """Whether a chunk is there, to its last byte."""
    if at + 64 > len(data) or data[at:at + 4] != b"\xabCNK":
        return False
    stored, = struct.unpack_from("<I", data, at + 8)
    crc, = struct.unpack_from("<I", data, at + 60)
    return (crc == crc32c(data[at:at + 60])
            and at + 64 + (stored + 7) // 8 * 8 <= len(data)
            and struct.unpack_from("<I", data, at + 52)[0]
            == crc32c(data[at + 64:at + 64 + stored]))


def read_chunks(data):
    """(type, header's fields, payload) of every whole chunk, in order."""
    assert data[:8] == MAGIC
    major, minor, order = struct.unpack_from("<HHI", data, 8)
    assert major == 1 and order == 0x01020304
    assert struct.unpack_from("<I", data, 44)[0] & ~3 == 0
    assert struct.unpack_from("<I", data, 60)[0] == crc32c(data[:60])
    at = 64
    while is_whole(data, at):
        header = data[at:at + 64]
        kind, codec, flags, stored, raw, n = struct.unpack_from(
            "<HBBIII", header, 4)
        first, t0, t1 = struct.unpack_from("<QQQ", header, 24)
        payload = data[at + 64:at + 64 + stored]
        if not INFO <= kind <= NOTES and flags & 1:
            break
        yield at, kind, codec, raw, n, first, t0, t1, payload
        at += 64 + (stored + 7) // 8 * 8


class Planes:
    def __init__(self, raw):
        self.raw, self.at = raw, 0

    def take(self, n, planes):
        values = [0] * n
        for plane in range(planes):
            part = self.raw[self.at:self.at + n]
            self.at += n
            values = [v | b << 8 * plane for v, b in zip(values, part)]
        return values


def read_block(raw, n):
    now, n_payloads, n_longs = struct.unpack_from("<QII", raw)
    planes = Planes(raw)
    planes.at = 16
    kinds = planes.take(n, 1)
    aux8 = planes.take(n, 1)
    threads = planes.take(n, 2)
    aux16 = planes.take(n, 2)
    res = planes.take(n, 4)
    ver = planes.take(n, 4)
    steps = planes.take(n, 4)
    longs = iter(struct.unpack_from(f"<{n_longs}Q", raw, planes.at))
    planes.at += 8 * n_longs
    a = iter(planes.take(n_payloads, 8))
    b = iter(planes.take(n_payloads, 8))
    assert planes.at == len(raw)
    for i in range(n):
        now += next(longs) if steps[i] == 0xFFFFFFFF else steps[i]
        has_payload = kinds[i] & 0x80
        yield (now, threads[i], kinds[i] & 0x7F, aux8[i], aux16[i], res[i],
               ver[i], next(a) if has_payload else 0,
               next(b) if has_payload else 0, has_payload)


def read_waits(payload):
    """What each worker waited, by thread; None where the file does not say."""
    if len(payload) <= 64:
        return None
    n, = struct.unpack_from("<I", payload, 64)
    return {thread: (times, ns) for thread, times, ns in
            struct.iter_unpack("<QQQ", payload[72:72 + 24 * n])}


def read_keyframe(payload):
    """Its frames; None: of a version that is not known."""
    n, version, crc, _ = struct.unpack_from("<IIII", payload)
    table = payload[16:16 + 16 * n]
    assert crc == crc32c(table)
    frames, at = [], 16 + 16 * n
    for stored, raw, crc, codec in struct.iter_unpack("<IIII", table):
        frame = payload[at:at + stored]
        assert crc == crc32c(frame) and raw <= 262144
        frames.append(unpack(codec, frame, raw))
        at += stored
    assert at == len(payload)
    return frames if version == read_states.VERSION else None


class Recording:
    """What the chunks of a file say, taken one by one."""

    def __init__(self, path):
        self.info, self.honesty, self.waits, self.notes = None, None, None, None
        self.events, self.keyframes, self.places = [], {}, []
        self.index, self.foretold = {}, set()
        data = pathlib.Path(path).read_bytes()
        for at, kind, *facts in read_chunks(data):
            self.places.append((kind, at))
            self.take(at, kind, *facts)
        self.is_whole = self.places[-1][0] == END
        if self.is_whole and data[10] >= 3:
            assert struct.unpack_from("<Q", data, len(data) - 8)[0] \
                == self.places[-1][1]

    def take(self, at, kind, codec, raw_size, n, first, t0, t1, payload):
        events = self.events
        if kind == INFO:
            self.info = json.loads(payload)
        elif kind == EVENTS:
            before = events[first:]  # a short block, replaced by a longer one
            assert first % 4096 == 0 and first <= len(events)
            assert len(before) <= min(n, 4095)
            table = None
            if codec == 3:
                raw, table = unpack_planes(payload, n)
            else:
                raw = unpack(codec, payload, raw_size)
            assert len(raw) == raw_size
            self.foretold.add(table)
            events[first:] = [foretell(self.info["kinds"], table, event)
                              for event in read_block(raw, n)]
            assert events[first:first + len(before)] == before
            assert len(events) == first + n
            assert events[first][0] == t0 and events[-1][0] == t1
        elif kind == HONESTY:
            self.honesty = struct.unpack_from("<QQQQQI", payload)
            self.waits = read_waits(payload)
        elif kind == INDEX:
            for offset, index, time in struct.iter_unpack("<QQQ", payload):
                assert (EVENTS, offset) in self.places
                assert events[index][0] == time
                self.index[index] = offset
            assert t0 == 0 or (INDEX, t0) in self.places
        elif kind == KEYFRAME:
            frames = read_keyframe(payload)
            if frames is not None:
                self.keyframes[first] = read_states.read_state(frames)
        elif kind == NOTES:
            self.notes = json.loads(payload)
        elif kind == END:
            assert first == len(events)
            for kind, _, offset, _ in struct.iter_unpack("<IIQQ", payload[:-8]):
                assert (kind, offset) in self.places
            assert not payload or payload[-8:] == struct.pack("<Q", at)


def read_recording(path):
    file = Recording(path)
    events, waits, honesty = file.events, file.waits, file.honesty
    assert all(x[0] <= y[0] for x, y in zip(events, events[1:]))
    if file.is_whole and honesty is not None and honesty[5] & 1:
        assert honesty[0] == len(events)
        assert honesty[4] == (events[-1][0] if events else 0)
        assert sorted(file.index) == list(range(0, len(events), 4096))
    if waits is not None:
        assert honesty[2] == sum(times for times, _ in waits.values())
        assert honesty[3] == sum(ns for _, ns in waits.values())
    return file


def signed(value):
    return value - (1 << 64) if value >> 63 else value


def as_rows(info, events):
    for i, event in enumerate(events):
        now, thread, kind, aux8, aux16, res, ver, a, b = event
        yield [str(i), str(now), "main" if thread == 0xFFFF else f"W{thread + 1}",
               info["kinds"][kind], str(res), str(ver), str(aux8), str(aux16),
               str(signed(a)), str(signed(b))]


# Tests --------------------------------------------------------------------


def run(*args):
    return subprocess.run(args, check=True, stdout=subprocess.PIPE, text=True,
                          encoding="utf-8").stdout


def assert_events_are_the_programs(cli, path, file):
    text = subprocess.run([cli, "export", "events-csv", path], check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          text=True).stdout
    rows = [row[:4] + row[6:12] for row in csv.reader(io.StringIO(text))]
    assert len(rows) == len(file.events) + 1
    for wanted, found in zip(rows[1:], as_rows(file.info, file.events)):
        assert wanted == found, (wanted, found)


def test_run(cli, folder):
    """The events of a run at full speed, and who waited."""
    path = str(folder / "run.tophash")
    run(cli, "run", "full-speed", "--duration", "0.02", "--record", path)
    file = read_recording(path)
    assert_events_are_the_programs(cli, path, file)
    facts = json.loads(run(cli, "info", "--json", path))["recording"]
    assert facts["waits"] == file.honesty[2]
    assert facts["waited-ns"] == file.honesty[3]
    assert file.waits == {entry["thread"]: (entry["waits"], entry["waited-ns"])
                          for entry in facts["waits-by-worker"]}


def scenario(engine):
    """Of a gomap a full block and more, which are packed in another way."""
    n = 20000 if engine == "gomap" else 2000
    return {"title": engine, "summary": "-", "watch-for": "-", "learn": "-",
            "engine": engine, "seed": 3, "recordcount": 300, "shards": 4,
            "phases": [{"name": "mix", "operationcount": n, "threads": [
                {"role": "one", "mix": {"load": 4, "store": 4, "insert": 1,
                                        "delete": 4, "range": 0.01}}]}]}


def test_parts(cli, keep_state, folder):
    """A keyframe of every map, against the changes before it; notes."""
    for engine in ("gomap", "syncmap", "mutexmap", "rwmap", "shardmap", "viewmap"):
        (folder / "s.json").write_text(json.dumps(scenario(engine)))
        path, out = str(folder / "run.tophash"), str(folder / "kept.tophash")
        run(cli, "run", str(folder / "s.json"), "--record", path)
        position = len(read_recording(path).events) // 2
        run(keep_state, path, str(position), out)
        file = read_recording(out)
        assert_events_are_the_programs(cli, out, file)
        assert engine != "gomap" or file.foretold - {None}
        (found, state), = file.keyframes.items()
        assert found == position == state["State"]["n_events"]
        assert state["State"]["at_ns"] == file.events[position - 1][0]
        fold_events.assert_state_is_the_fold(
            file.info["kinds"], file.events[:position], state)
        wanted = {}
        for line in run(cli, "export", "changes", "--to", str(position),
                        out).splitlines():
            change = json.loads(line)
            if change["change"] in ("store", "insert", "update"):
                wanted[int(change["key"][1:])] = change["value"]
            elif change["change"] == "delete":
                wanted.pop(int(change["key"][1:]), None)
            else:  # of no key, or of one that is gone
                assert change["change"] in ("promote", "expunge", "unexpunge") \
                    or not wanted, change
        assert wanted and read_states.keys_of(state) == wanted, engine
        tables = [table for table in state["Table"] if table["role"] in (1, 5)]
        assert len(wanted) == (sum(table["count"] for table in tables)
                               if tables else state["State"]["n_live"]), engine
        assert file.notes == {
            "bookmarks": [{"id": 2, "position": 7, "at_ns": 300, "title": "",
                           "note": ""},
                          {"id": 1, "position": 100, "at_ns": 5000,
                           "title": "here", "note": "“what”\n"}],
            "next-id": 3, "text": "all", "view": {"zoom": 2}}, file.notes


def assert_states(keep_state, folder, path, positions):
    """Keyframes of a recording at some positions, against the events before them."""
    out = str(folder / "kept.tophash")
    for position in positions:
        run(keep_state, path, str(position), out)
        file = read_recording(out)
        (found, state), = file.keyframes.items()
        assert found == position
        fold_events.assert_state_is_the_fold(
            file.info["kinds"], file.events[:position], state)


def places_of(kind, file):
    return [i for i, event in enumerate(file.events)
            if file.info["kinds"][event[2]] == kind]


def test_rare(cli, keep_state, folder):
    """Kinds that only a large table tells, or a map without memory."""
    large = {**scenario("gomap"), "hash": "all-equal", "hint": 300000}
    large["phases"] = [{"name": "mix", "operationcount": 400, "threads": [
        {"role": "one", "mix": {"store": 4, "insert": 4, "delete": 1}}]}]
    (folder / "s.json").write_text(json.dumps(large))
    path = str(folder / "large.tophash")
    run(cli, "run", str(folder / "s.json"), "--record", path)
    places = places_of("overflow-counted", read_recording(path))
    assert len(places) > 3
    assert_states(keep_state, folder, path, [places[-1] + 1])

    path = str(folder / "starved.tophash")
    run(keep_state, "--without-memory", path)
    file = read_recording(path)
    places = places_of("dirty-dropped", file)
    assert places
    assert_states(keep_state, folder, path,
                  [places[0], places[0] + 1, len(file.events)])


def test_gaps(cli, keep_state, folder):
    """A keyframe behind a gap is the guess that FORMAT-events.md tells."""
    n_dropped = 0
    for engine in ("syncmap", "mutexmap", "rwmap", "shardmap", "viewmap"):
        told = {**scenario(engine), "overflow": "drop", "telling": "whole"}
        told["phases"][0]["operationcount"] = 4000
        told["phases"][0]["threads"][0]["count"] = 3
        (folder / "s.json").write_text(json.dumps(told))
        path = str(folder / "run.tophash")
        run(cli, "run", str(folder / "s.json"), "--record", path)
        file = read_recording(path)
        assert_events_are_the_programs(cli, path, file)
        gaps = places_of("dropped", file)
        assert sum(file.events[i][5] for i in gaps) == file.honesty[1]
        n_dropped += file.honesty[1]
        length = min(len(file.events), 60000)
        assert_states(keep_state, folder, path, [length // 2, length])
    return f"{n_dropped} dropped"


def test_cut(cli, folder):
    """What is left of a file at any length is what the program says is left."""
    data = (folder / "kept.tophash").read_bytes()
    path = folder / "cut.tophash"
    lengths = [0]
    for length in range(len(data) // 3, len(data), len(data) // 7):
        path.write_bytes(data[:length])
        file = read_recording(path)
        if not file.events:
            continue
        assert not file.is_whole
        assert_events_are_the_programs(cli, str(path), file)
        lengths.append(len(file.events))
    assert sorted(lengths) == lengths and len(set(lengths)) > 2, lengths


def test_example(cli, folder):
    """FORMAT.md's file, byte by byte, is one, and says what stands below it."""
    lines = read_states.sections("FORMAT.md")["A file, byte by byte"]
    data = bytearray()
    for at, told, zeros in re.findall(
            r"^(\w{3})  ((?:\w\w ?)+?)(?: × (\d+))?(?:  .*)?$",
            "\n".join(lines), re.M):
        assert int(at, 16) == len(data), at
        data += bytes(int(zeros)) if zeros else bytes.fromhex(told)
    path = folder / "example.tophash"
    path.write_bytes(data)
    file = read_recording(path)
    assert file.is_whole
    found = [[i, event[0], "main" if event[1] == 0xFFFF else event[1],
              file.info["kinds"][event[2]], *event[3:7], *map(signed, event[7:])]
             for i, event in enumerate(file.events)]
    wanted = read_states.rows(lines)
    assert [[str(cell) for cell in row] for row in found] == wanted
    assert_events_are_the_programs(cli, str(path), file)
    assert run(cli, "info", str(path)).startswith("? (?) on ?\n")


def test_corpus(cli, source):
    """Files of older versions, grown ones, cut ones."""
    versions, replaced = set(), 0
    for path in sorted((source / "tests/fuzz/corpus/tracelog").iterdir()):
        data = path.read_bytes()
        if data[:8] != MAGIC:
            continue
        file = read_recording(path)
        if file.is_whole:
            assert_events_are_the_programs(cli, str(path), file)
        versions.add(data[10])
        blocks = [at for kind, at in file.places if kind == EVENTS]
        replaced += len(blocks) - -(-len(file.events) // 4096)
    assert min(versions) == 0 and len(versions) > 1 and replaced > 1


def test_kinds(source):
    """FORMAT-events.md knows every kind, in the order of the program."""
    text = (source / "core/probe/event.h").read_text(encoding="utf-8")
    told = read_states.sections("FORMAT-events.md")
    names = [name for lines in told.values()
             for name in re.findall(r"^\| `([a-z-]+)` \|", "\n".join(lines), re.M)]
    assert sorted(set(names)) == sorted(names)
    wanted = re.findall(r'^  X \(\w+, "([a-z-]+)", GATE', text, re.M)
    assert len(wanted) > 40 and wanted == names, (set(wanted) ^ set(names))


def test(cli, keep_state, source):
    source = pathlib.Path(source)
    tests = {"every-event-is-the-program-s": (test_run, cli),
             "keyframes-and-notes": (test_parts, cli, keep_state),
             "rare-kinds": (test_rare, cli, keep_state),
             "gaps": (test_gaps, cli, keep_state),
             "cut-files": (test_cut, cli),
             "the-document-s-example": (test_example, cli)}
    print(f"1..{len(tests) + 2}")
    with tempfile.TemporaryDirectory() as folder:
        for i, (name, (check, *args)) in enumerate(tests.items(), 1):
            note = check(*args, pathlib.Path(folder))
            print(f"ok {i} /core/format/{name}" + (f" # {note}" if note else ""),
                  flush=True)
    test_kinds(source)
    print(f"ok {len(tests) + 1} /core/format/the-document-s-kinds")
    test_corpus(cli, source)
    print(f"ok {len(tests) + 2} /core/format/files-of-all-kinds")
    return 0


def main():
    if sys.argv[1] == "--test":
        return test(*sys.argv[2:5])
    file = read_recording(sys.argv[1])
    print(json.dumps({k: v for k, v in file.info.items() if k != "kinds"}))
    for event in file.events:
        print(*event[:2], file.info["kinds"][event[2]], *event[3:])
    return 0


if __name__ == "__main__":
    sys.exit(main())
