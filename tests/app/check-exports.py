#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""check-exports.py: every export, read by who reads such files.

  check-exports.py TOPHASH-CLI

Records a run, writes every form, and holds each against its reader: csv and
json of Python, a checker of linearizability, promtool for Prometheus' text and
the protocol's own classes for OTLP where they are installed (else the fields
that the protocol demands). What the forms say is held against each other and
against `info --json`. Speaks TAP.
"""

import csv
import io
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True  # not beside the sources
import recorded_checks  # noqa: E402

cli = sys.argv[1]

SCENARIO = recorded_checks.scenario(**{
    "key-text": 'k"%d"\\', "phases": recorded_checks.phases(800, **{
        "load": 6, "store": 2, "insert": 1, "delete": 1, "swap": 1,
        "compare-and-swap": 1, "compare-and-delete": 1, "clear": 0.02,
        "load-and-delete": 1, "load-or-store": 1, "range": 0.02})})


def run(*args):
    done = subprocess.run([cli, *args], capture_output=True, check=False)
    if done.returncode != 0:
        raise AssertionError(f"{args}: exit {done.returncode}: "
                             f"{done.stderr.decode()}")
    return done.stdout.decode()


def lines_of(text):
    return [json.loads(line) for line in text.splitlines()]


def check_events(file, info, kind="op-ended"):
    rows = list(csv.DictReader(io.StringIO(run("export", "events-csv", file))))
    objects = lines_of(run("export", "events-json", file))
    assert len(rows) == len(objects) == info["recording"]["events"], len(rows)
    for row, event in zip(rows, objects):
        for name in ("index", "at_ns", "res", "ver", "aux8", "aux16", "a", "b"):
            assert int(row[name]) == event[name], (row, event)
        assert row["kind"] == event["kind"] and row["thread"] == event["thread"]
        assert row["key"] == event.get("key", ""), (row, event)
    times = [event["at_ns"] for event in objects]
    assert times == sorted(times), "times go back"
    loads = lines_of(run("export", "events-json", file,
                         "--where", f"kind={kind} op=load"))
    wanted = [event for event in objects
              if event["kind"] == kind and event["op"] == "load"]
    assert loads == wanted and wanted
    part = lines_of(run("export", "events-json", file, "--from", "100",
                        "--to", "200"))
    assert [event["index"] for event in part] == list(range(100, 200))


def check_counters(file, info):
    rows = list(csv.DictReader(io.StringIO(run("export", "counters-csv", file))))
    objects = lines_of(run("export", "counters-json", file))
    assert [{k: int(v) for k, v in row.items()} for row in rows] == objects
    for name in ("ops_load", "misses", "promotions", "copied"):
        values = [row[name] for row in objects]
        assert values == sorted(values), name
    assert objects[-1]["position"] == info["recording"]["events"]
    assert objects[-1]["live"] == info["memory"]["live-keys"], (objects[-1], info)


def check_changes(file, info):
    live = {}
    for change in lines_of(run("export", "changes", file)):
        key, what = change.get("key"), change["change"]
        if what in ("update", "delete"):
            assert key in live, change
        elif what == "insert":
            assert key not in live, change
        if what in ("store", "insert", "update"):
            live[key] = change["value"]
        elif what == "delete":
            del live[key]
        elif what == "clear":
            live.clear()
    assert len(live) == info["memory"]["live-keys"], (len(live), info["memory"]["live-keys"])
    assert all(key.startswith('k"') and key.endswith("\\") for key in live)


def check_history(file, _info):
    open_calls = {}
    n_done = 0
    for line in run("export", "history", file).splitlines():
        match = re.fullmatch(
            r"\{:index (\d+), :time (\d+|nil), :process (-?\d+), :type :(\w+), "
            r":f :([a-z-]+), :value (nil|\[.*\])\}", line)
        assert match, line
        process, kind, function = match[3], match[4], match[5]
        if kind == "invoke":
            assert process not in open_calls, line
            open_calls[process] = function
        else:
            assert open_calls.pop(process) == function, line
            n_done += 1
    assert not open_calls and n_done > 1000, n_done


CALL = re.compile(r"\{:index \d+, :time (?:\d+|nil), :process (-?\d+), :type :(\w+), "
                  r":f :([a-z-]+), :value (?:nil|\[(-?\d+) (.*)\])\}")


def number(text):
    return None if text == "nil" else int(text)


def step(value, function, told):
    """The value that an operation leaves of a key that had @value; False: it can not
    have returned what it tells. None: no value."""
    words = [number(word) for word in told.strip("[]").split()] if told else []
    if function == "load":
        return value if words[0] == value else False
    if function == "store":
        return words[0]
    if function == "swap":
        return words[0] if words[1] == value else False
    if function == "load-or-store":
        if words[1] != value:
            return False
        return words[0] if value is None else value
    if function in ("compare-and-swap", "compare-and-delete"):
        if value != words[0]:
            return False
        return words[1] if function == "compare-and-swap" else None
    if function == "load-and-delete":
        return None if words[0] == value else False
    assert function in ("delete", "clear"), function
    return None


def reach(states, calls, must):
    """All states in which @must has happened, by any calls that are open."""
    seen, left = set(states), list(states)
    while left:
        done, value = left.pop()
        for process, (function, told) in calls.items():
            after = False if process in done else step(value, function, told)
            state = (done | {process}, after)
            if after is not False and state not in seen:
                seen.add(state)
                left.append(state)
    return {(done - {must}, value) for done, value in seen if must in done}


def is_linearizable(moments):
    """Of one key. As Jepsen's checkers do: what a call returned is known from its
    return, and what failed has not happened."""
    states, calls, began = {(frozenset(), None)}, {}, {}
    fates = []
    for place, (process, kind, _function, _told) in enumerate(moments):
        fates.append(None)
        if kind == "invoke":
            began[process] = place
        else:
            fates[began.pop(process)] = place
    for place, (process, kind, function, told) in enumerate(moments):
        if kind == "invoke":
            fate = fates[place]
            if fate is not None and moments[fate][1] == "ok":
                calls[process] = function, moments[fate][3]
        elif kind == "ok":
            states = reach(states, calls, process)
            if not states:
                return False
            del calls[process]
    return True


def histories_of(text):
    """Of each key, with the Clears that concern all; Ranges left out."""
    moments = [CALL.fullmatch(line) for line in text.splitlines()
               if ":f :range," not in line]
    assert None not in moments
    keys = {match[4] for match in moments} - {None}
    return {key: [(match[1], match[2], match[3], match[5]) for match in moments
                  if match[4] == key or match[3] == "clear"] for key in keys}


def check_linearizable(file, _info):
    """Every engine's; and a history with one wrong return is found out."""
    for key, moments in histories_of(run("export", "history", file)).items():
        assert is_linearizable(moments), key
    for engine in ("mutexmap", "rwmap", "viewmap"):
        with tempfile.TemporaryDirectory() as folder:
            other, _info = run_like(folder, engine=engine)
            found = histories_of(run("export", "history", other))
            for key, moments in found.items():
                assert is_linearizable(moments), (engine, key)
    n_wrong = 0
    for key, moments in found.items():
        for place, (process, kind, function, told) in enumerate(moments):
            if function == "load" and kind == "ok" and told != "nil":
                wrong = [*moments]
                wrong[place] = process, kind, function, "77"
                assert not is_linearizable(wrong), key
                n_wrong += 1
                break
    assert n_wrong > 10, n_wrong


def check_nesting(trace):
    """Of each thread what ends is what began last, in the order of the lines."""
    is_open, last = {}, {}
    for event in trace:
        if event["ph"] not in "BE":
            continue
        thread = event["tid"]
        assert event["ts"] >= last.get(thread, 0), event
        last[thread] = event["ts"]
        began = is_open.setdefault(thread, [])
        if event["ph"] == "B":
            assert event["cat"] != "lock" \
                or event["name"] not in [span["name"] for span in began], event
            began.append(event)
        else:
            span = began.pop()
            args = span["args"]
            if event["args"].get("end") == "not recorded":
                args = {"end": "not recorded", **args}
            assert (span["name"], args) == (event["name"], event["args"])
    return sum(map(len, is_open.values()))


def check_chrome(file, _info):
    trace = json.loads(run("export", "chrome", file))
    spans = [event for event in trace["traceEvents"] if event["ph"] == "B"]
    names = {event["tid"] for event in trace["traceEvents"]
             if event.get("name") == "thread_name"}
    assert spans and {span["tid"] for span in spans} <= names
    for event in trace["traceEvents"]:
        assert event["ph"] in "BEiCM" and event["pid"] == 1
        assert event["ph"] == "M" or event["ts"] >= 0
    assert check_nesting(trace["traceEvents"]) <= 3 * len(names)
    ended = [event for event in lines_of(run("export", "events-json", file))
             if event["kind"] == "op-ended"]
    assert sum("ok" in span["args"] for span in spans) <= len(ended)
    assert any(event["ph"] == "C" for event in trace["traceEvents"])


def check_otlp(file, info):
    text = run("export", "otlp", file)
    ids = set()
    parents = {}
    for line in text.splitlines():
        for span in json.loads(line)["resourceSpans"][0]["scopeSpans"][0]["spans"]:
            assert re.fullmatch("[0-9a-f]{32}", span["traceId"])
            assert re.fullmatch("[0-9a-f]{16}", span["spanId"])
            assert span["spanId"] not in ids, span
            ids.add(span["spanId"])
            if "parentSpanId" in span:
                assert span["name"] != "range", span
                parents[span["spanId"]] = span["parentSpanId"]
            assert int(span["startTimeUnixNano"]) <= int(span["endTimeUnixNano"])
    assert ids
    # What was still under way, or lost in a gap, is not written.
    assert len(set(parents.values()) - ids) <= 4 + info["recording"]["dropped"]
    assert parents
    for child, parent in parents.items():
        assert int(parent, 16) < int(child, 16), child
    try:
        from google.protobuf import json_format
        from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
    except ImportError:
        return "the protocol's classes are not installed"
    for line in text.splitlines():
        message = json.loads(line)
        # OTLP writes ids in hexadecimal where protobuf's JSON has base64: both
        # are bytes, and a multiple of four letters of one is valid in the other.
        json_format.Parse(json.dumps(message),
                          trace_service_pb2.ExportTraceServiceRequest())
    return None


def check_prometheus(file, info):
    text = run("export", "prometheus", file)
    values = dict(line.rsplit(" ", 1) for line in text.splitlines()
                  if not line.startswith("#"))
    assert int(values["tophash_live_keys"]) == info["memory"]["live-keys"]
    total = sum(int(value) for name, value in values.items()
                if name.startswith("tophash_operations_total"))
    assert total == sum(op["n"] for op in info["operations"].values()), (total, info["operations"])
    if shutil.which("promtool") is None:
        return "promtool is not installed"
    done = subprocess.run(["promtool", "check", "metrics"], input=text.encode(),
                          capture_output=True, check=False)
    assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()
    return None


def check_stats(file, info):
    stats = json.loads(run("stats", "--json", file))
    told = stats["operations"]
    for name, op in info["operations"].items():
        assert told[name]["told"] + told[name]["counted"] == op["n"], name
        assert sum(told[name]["counts"]) == told[name]["told"], name
    assert told["all"]["told"] == sum(op["told"] for name, op in told.items()
                                      if name != "all")
    for table in stats["tables"]:
        assert sum(table["chains-by-buckets"]) == table["chains"]
        assert sum(n * keys for n, keys in enumerate(table["buckets-by-keys"])) \
            == table["keys"], table
    half = json.loads(run("stats", "--json", file, "--to", str(stats["to"] // 2)))
    rest = json.loads(run("stats", "--json", file, "--from",
                          str(stats["to"] // 2)))
    for name, op in told.items():
        parts = [part["operations"].get(name, {"told": 0}) for part in (half, rest)]
        assert sum(part["told"] for part in parts) == op["told"], name
    assert "load" in run("stats", file) and "chains" in run("stats", file)


def check_words(file, info):
    lines = run("events", file).splitlines()
    assert len(lines) == info["recording"]["events"]
    few = run("events", file, "--where", "dirty-promoted", "--max", "2")
    assert len(few.splitlines()) == 2 and "read = dirty" in few, few


def check_errors(file, _info):
    for args, what in ((["export", "pdf", file], "pdf"),
                       (["export", "chrome", file, "--where", "kind="], "--where"),
                       (["export", "chrome", file, "--from", "soon"], "--from"),
                       (["export", "counters-csv", file, "--every", "0"],
                        "--every")):
        done = subprocess.run([cli, *args], capture_output=True, check=False)
        assert done.returncode == 2 and what in done.stderr.decode(), args
        assert not done.stdout, args
    # What stood there is kept when nothing can be written.
    with tempfile.TemporaryDirectory() as folder:
        kept = pathlib.Path(folder, "kept")
        kept.write_text("kept", encoding="utf-8")
        done = subprocess.run([cli, "export", "history", "-o", str(kept),
                               str(file) + "x"], capture_output=True, check=False)
        assert done.returncode == 2 and kept.read_text(encoding="utf-8") == "kept"


def info_of(file):
    return json.loads(run("info", "--json", file))


def run_like(folder, **changes):
    """Records another run; its file and what info says."""
    file = recorded_checks.record(cli, folder, {**SCENARIO, **changes})
    return file, info_of(file)


def check_shards(_file, _info):
    """A shard is cleared while others are written to."""
    with tempfile.TemporaryDirectory() as folder:
        check_changes(*run_like(folder, engine="shardmap", shards=16,
                                telling="counts", phases=[{
            "name": "mix", "operationcount": 2000, "threads": [
                {"role": "worker", "count": 4, "mix": {"store": 4, "clear": 0.3,
                                                       "delete": 1}}]}]))


def check_views(_file, _info):
    """Of a key's versions each is told once."""
    with tempfile.TemporaryDirectory() as folder:
        check_changes(*run_like(folder, engine="viewmap"))


def check_brief(_file, _info):
    """Operations in one event each have a name and a key."""
    with tempfile.TemporaryDirectory() as folder:
        file, info = run_like(folder, telling="brief")
        check_events(file, info, "op-told")
        told = [event for event in lines_of(run("export", "events-json", file))
                if event["kind"] == "op-told"]
        assert len(told) > 1000
        trace = json.loads(run("export", "chrome", file))["traceEvents"]
        shown = [event for event in trace
                 if event["ph"] == "i" and event.get("cat") == "operation"]
        assert [(event["name"], event["args"].get("key")) for event in shown] \
            == [(event["op"], event.get("key")) for event in told]
        for event in told:
            assert ("key" in event) == (event["op"] not in ("range", "clear")), event
            if "key" in event:
                key = event["ver"] << 32 | event["res"]
                assert event["key"] == 'k"%d"\\' % key, event


def check_gaps(_file, _info):
    """Nothing that ends is told of what began before events were dropped."""
    with tempfile.TemporaryDirectory() as folder:
        file, info = run_like(folder, overflow="drop", phases=[{
            "name": "mix", "operationcount": 20000, "threads": [
                {"role": "worker", "count": 3, "mix": {"store": 4, "load": 4,
                                                       "delete": 1}}]}])
        begun = {}
        for event in lines_of(run("export", "events-json", file)):
            thread, kind = event["thread"], event["kind"]
            if kind == "dropped":
                begun.pop(thread, None)
            elif kind == "op-began":
                begun[thread] = event["op"], event["key"]
            elif kind == "op-ended":
                op, key = begun.pop(thread, (None, None))
                key = key if op == event["op"] else None
                assert event.get("key") == key, (event, op, key)
        dropped = info["recording"]["dropped"]
        counters = lines_of(run("export", "counters-json", file))
        gaps = lines_of(run("export", "events-json", file, "--where", "dropped"))
        assert dropped == counters[-1]["dropped"] == sum(gap["res"] for gap in gaps)
        assert dropped == json.loads(run("stats", "--json", file))["dropped"]
        assert f"tophash_dropped_events_total {dropped}\n" \
            in run("export", "prometheus", file)
        for args in (["stats"], ["verify"], ["info"]):
            assert (dropped > 0) == ("dropped" in run(*args, file).replace(
                " 0 dropped", "")), args
        return f"{dropped} dropped"


def check_every_map(_file, _info):
    """The forms of other programs, also where events were dropped."""
    n_dropped = 0
    for engine in ("mutexmap", "rwmap", "shardmap", "viewmap", "syncmap"):
        for overflow in ("wait", "drop"):
            with tempfile.TemporaryDirectory() as folder:
                told = recorded_checks.phases(4000, load=1, store=4, delete=1)
                told[0]["threads"][0]["count"] = 3
                file, info = run_like(folder, engine=engine, overflow=overflow,
                                      shards=4, phases=told)
                n_dropped += info["recording"]["dropped"]
                for check in (check_events, check_chrome, check_otlp,
                              check_prometheus):
                    check(file, info)
    return f"{n_dropped} dropped"


CHECKS = [check_events, check_counters, check_changes, check_history,
          check_linearizable, check_chrome, check_otlp, check_prometheus, check_stats,
          check_words, check_errors, check_shards, check_views, check_brief,
          check_gaps, check_every_map]


def with_info(check):
    """A check that gets what `info --json` says besides."""
    def call(file):
        return check(file, info_of(file))
    call.__name__ = check.__name__
    return call


sys.exit(1 if recorded_checks.run_checks([*map(with_info, CHECKS)], cli, SCENARIO)
         else 0)
