#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""read-recording.py: a reader of .tophash files, from FORMAT.md alone.

  read-recording.py FILE                 one line of facts, one for each event
  read-recording.py --test TOPHASH-CLI SCENARIO

Shares nothing with the program: what it reads, anybody can. --test records the
scenario and holds every event against `tophash-cli export … events-csv`. zstd is
unpacked by the program zstd.
"""

import csv
import io
import json
import pathlib
import struct
import subprocess
import sys
import tempfile

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


def unpack(codec, data, raw_size):
    if codec == 0:
        raw = data
    elif codec == 1:
        raw = unpack_lz4(data, raw_size)
    elif codec == 2:
        raw = subprocess.run(["zstd", "-d", "-c", "-q"], input=data,
                             stdout=subprocess.PIPE, check=True).stdout
    else:
        raise ValueError(f"codec {codec}")
    assert len(raw) == raw_size
    return raw


def read_chunks(data):
    """(type, header's fields, payload) of every chunk, in order."""
    assert data[:8] == MAGIC
    major, minor, order = struct.unpack_from("<HHI", data, 8)
    assert major == 1 and order == 0x01020304
    assert struct.unpack_from("<I", data, 44)[0] & ~1 == 0
    assert struct.unpack_from("<I", data, 60)[0] == crc32c(data[:60])
    at = 64
    while at < len(data):
        header = data[at:at + 64]
        magic, kind, codec, flags, stored, raw, n = struct.unpack_from(
            "<IHBBIII", header)
        first, t0, t1 = struct.unpack_from("<QQQ", header, 24)
        payload_crc, = struct.unpack_from("<I", header, 52)
        assert magic == 0x4B4E43AB
        assert struct.unpack_from("<I", header, 60)[0] == crc32c(header[:60])
        payload = data[at + 64:at + 64 + stored]
        assert payload_crc == crc32c(payload)
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
               next(b) if has_payload else 0)


def read_waits(payload):
    """What each worker waited, by thread; None where the file does not say."""
    if len(payload) <= 64:
        return None
    n, = struct.unpack_from("<I", payload, 64)
    return {thread: (times, ns) for thread, times, ns in
            struct.iter_unpack("<QQQ", payload[72:72 + 24 * n])}


def read_recording(path):
    data = pathlib.Path(path).read_bytes()
    info, honesty, events, contents, places = None, None, [], None, []
    waits = None
    for at, kind, codec, raw_size, n, first, t0, t1, payload in read_chunks(data):
        places.append((kind, at))
        if kind == INFO:
            info = json.loads(payload)
        elif kind == EVENTS:
            del events[first:]  # a short block is replaced by a longer one
            assert len(events) == first and first % 4096 == 0
            events += read_block(unpack(codec, payload, raw_size), n)
            assert len(events) == first + n
            assert events[first][0] == t0 and events[-1][0] == t1
        elif kind == HONESTY:
            honesty = struct.unpack_from("<QQQQQI", payload)
            waits = read_waits(payload)
        elif kind == INDEX:
            for k in range(0, len(payload), 24):
                offset, index, time = struct.unpack_from("<QQQ", payload, k)
                assert (EVENTS, offset) in places and events[index][0] == time
        elif kind == END:
            contents = payload
            assert first == len(events)
            assert struct.unpack_from("<Q", payload, len(payload) - 8)[0] == at
    for k in range(0, len(contents) - 8, 24):
        kind, _, offset, _ = struct.unpack_from("<IIQQ", contents, k)
        assert (kind, offset) in places
    assert struct.unpack_from("<Q", data, len(data) - 8)[0] == places[-1][1]
    assert honesty[0] == len(events) and honesty[4] == events[-1][0]
    assert all(x[0] <= y[0] for x, y in zip(events, events[1:]))
    if waits is not None:
        assert honesty[2] == sum(times for times, _ in waits.values())
        assert honesty[3] == sum(ns for _, ns in waits.values())
    return info, honesty, waits, events


def signed(value):
    return value - (1 << 64) if value >> 63 else value


def as_rows(info, events):
    for i, event in enumerate(events):
        now, thread, kind, aux8, aux16, res, ver, a, b = event
        yield [str(i), str(now), "main" if thread == 0xFFFF else f"W{thread + 1}",
               info["kinds"][kind], str(res), str(ver), str(aux8), str(aux16),
               str(signed(a)), str(signed(b))]


def test(cli, scenario):
    print("1..3")
    with tempfile.TemporaryDirectory() as folder:
        path = str(pathlib.Path(folder) / "run.tophash")
        subprocess.run([cli, "run", scenario, "--duration", "0.02",
                        "--record", path],
                       check=True, stdout=subprocess.DEVNULL)
        info, honesty, waits, events = read_recording(path)
        print(f"ok 1 /core/format/reads-{len(events)}-events", flush=True)
        text = subprocess.run([cli, "export", "events-csv", path], check=True,
                              stdout=subprocess.PIPE, text=True).stdout
        rows = [row[:4] + row[6:12] for row in csv.reader(io.StringIO(text))]
        assert len(rows) == len(events) + 1
        for wanted, found in zip(rows[1:], as_rows(info, events)):
            assert wanted == found, (wanted, found)
        print("ok 2 /core/format/every-event-is-the-program's", flush=True)
        text = subprocess.run([cli, "info", "--json", path], check=True,
                              stdout=subprocess.PIPE, text=True).stdout
        facts = json.loads(text)["recording"]
        assert facts["waits"] == honesty[2] and facts["waited-ns"] == honesty[3]
        assert waits == {entry["thread"]: (entry["waits"], entry["waited-ns"])
                         for entry in facts["waits-by-worker"]}
        print("ok 3 /core/format/waits-by-worker")
    return 0


def main():
    if sys.argv[1] == "--test":
        return test(sys.argv[2], sys.argv[3])
    info, _, _, events = read_recording(sys.argv[1])
    print(json.dumps({k: v for k, v in info.items() if k != "kinds"}))
    for event in events:
        print(*event[:2], info["kinds"][event[2]], *event[3:])
    return 0


if __name__ == "__main__":
    sys.exit(main())
