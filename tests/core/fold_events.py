# SPDX-License-Identifier: GPL-3.0-or-later
"""fold_events.py: events to the state of the map, from FORMAT-events.md alone.

Tables, entries and versions: what stands where after so many events. Compared with
what a KEYFRAME holds by the document's names, so that what the two documents say is
the same, behind a gap too. Counters, locks and threads are not folded here.
"""

EMPTY_REST, EMPTY_ONE, MOVED_X, MOVED_Y, MOVED_EMPTY, FIRST_TOPHASH = range(6)
HOLDS_ENTRIES, IS_LAZY, HOLDS_VERSIONS = 1, 4, 8
ITERATOR, OLD_ITERATOR, SAME_SIZE_GROW = 1, 2, 8
NONE, ONLY, READ, DIRTY, SUPERSEDED, SHARD = range(6)
VALUE, NIL, EXPUNGED = range(3)
HALF = 1 << 31


class Misfit(Exception):
    """Events are missing before this one: it is left out."""


def demand(fits):
    if not fits:
        raise Misfit


class Bucket:
    def __init__(self, previous=0):
        self.tophash, self.keys, self.values = [0] * 8, [0] * 8, [0] * 8
        self.overflow, self.previous = 0, previous

    def row(self):
        return (int.from_bytes(bytes(self.tophash), "little"), self.overflow,
                self.keys, self.values, self.previous)


class Table:
    def __init__(self, id, aux8, res, ver, a, b):
        self.id = id
        self.role, self.shard, self.flags = NONE, 0, 0
        self.B, self.flags_table, self.created_ver = aux8, res, ver
        self.hash0, self.domain, self.hash_kind = a, b & 0xFFFFFFFF, b >> 32
        self.count = self.noverflow = self.nevacuate = 0
        self.old = None
        self.buckets = None if res & IS_LAZY else self.array()

    def array(self):
        return [Bucket() for _ in range(1 << self.B)]

    def find(self, place):
        demand(self.buckets is not None and place < len(self.buckets))
        return self.buckets[place]

    def find_old(self, place):
        demand(self.old is not None and place < len(self.old))
        return self.old[place]

    def link(self, place):
        demand(self.find(place).overflow == 0)
        self.buckets[place].overflow = len(self.buckets)
        self.buckets.append(Bucket(place))
        if self.B < 16:
            self.noverflow += 1

    def append(self, chain, tophash, key, value):
        while self.buckets[chain].overflow:
            chain = self.buckets[chain].overflow
        bucket = self.buckets[chain]
        slots = [slot for slot in range(8) if bucket.tophash[slot] <= EMPTY_ONE]
        if not slots:
            self.link(chain)
            bucket, slots = self.buckets[-1], [0]
        slot = slots[0]
        bucket.tophash[slot] = tophash
        bucket.keys[slot], bucket.values[slot] = key, value

    def clear_slot(self, place, slot):
        bucket = self.find(place)
        demand(bucket.tophash[slot] >= FIRST_TOPHASH and self.count > 0)
        value, bucket.values[slot] = bucket.values[slot], 0
        bucket.tophash[slot] = EMPTY_ONE
        self.count -= 1
        if slot < 7:
            after = bucket.tophash[slot + 1]
        elif bucket.overflow:
            after = self.buckets[bucket.overflow].tophash[0]
        else:
            after = EMPTY_REST
        while after == EMPTY_REST and bucket.tophash[slot] == EMPTY_ONE:
            bucket.tophash[slot] = EMPTY_REST
            if slot > 0:
                slot -= 1
            elif place < 1 << self.B:
                break
            else:
                place, slot = bucket.previous, 7
                bucket = self.buckets[place]
        return value


class Entry:
    def __init__(self):
        self.key = self.value = self.version = self.epoch = 0
        self.state, self.expunged_in, self.is_deleted = NIL, 0, False


class Version:
    def __init__(self, generation):
        self.generation, self.stamp, self.value, self.key = generation, 0, 0, 0
        self.says_deleted = self.is_retired = self.is_in_chain = False
        self.older = self.older_generation = 0


class Map:
    """Applies events one by one: take_KIND (event, its other fields)."""

    def __init__(self, kinds):
        self.tables, self.entries, self.versions = [], {}, {}
        self.freed, self.written, self.n_dropped = [], {}, 0
        self.latest = {}
        self.epoch, self.promotions, self.misses = 1, 0, 0
        self.is_amended, self.clock = 0, 0
        self.takes = [getattr(self, "take_" + kind.replace("-", "_"), None)
                      for kind in kinds]

    def take(self, event):
        _, thread, kind, *fields = event
        take = self.takes[kind]
        if take is None:
            return
        try:
            take(thread, *fields)
        except Misfit:
            assert self.n_dropped > 0, event

    def take_dropped(self, _, aux8, aux16, res, *rest):
        self.n_dropped += res


    # Tables

    def find(self, id):
        """The one that was created last; it may have gone while an older is there."""
        table = self.latest.get(id)
        demand(table is not None)
        return table

    def take_table_created(self, _, aux8, table, res, ver, a, b):
        self.latest[table] = Table(table, aux8, res, ver, a, b)
        self.tables.append(self.latest[table])

    def take_table_allocated(self, _, aux8, table, *rest):
        table = self.find(table)
        demand(table.buckets is None)
        table.buckets = table.array()

    def take_table_freed(self, _, aux8, table, res, *rest):
        self.freed.append((table, res))
        self.drop_freed()

    def drop_freed(self):
        for table in [*self.tables]:
            told = table.id, table.created_ver
            if table.role == SUPERSEDED and told in self.freed:
                self.freed.remove(told)
                self.tables.remove(table)
                if self.latest.get(table.id) is table:
                    del self.latest[table.id]

    def take_table_cleared(self, _, aux8, table, res, ver, a, b):
        table = self.find(table)
        table.buckets = table.buckets and table.array()
        table.old, table.hash0 = None, a
        table.count = table.noverflow = table.nevacuate = 0
        table.flags &= ~SAME_SIZE_GROW

    def take_table_reseeded(self, _, aux8, table, res, ver, a, b):
        self.find(table).hash0 = a

    def take_table_flags_changed(self, _, aux8, table, *rest):
        self.find(table).flags = aux8

    def take_slot_written(self, _, aux8, table, res, ver, a, b):
        table = self.find(table)
        bucket, slot = table.find(res // 8), res % 8
        demand(bucket.tophash[slot] <= EMPTY_ONE)
        bucket.tophash[slot], bucket.keys[slot], bucket.values[slot] = aux8, a, b
        table.count += 1
        self.place_entry(table, a, b)

    def place_entry(self, table, key, id):
        if table.flags_table & HOLDS_ENTRIES:
            entry = self.entries.setdefault(id, Entry())
            entry.key, entry.epoch = key, self.epoch

    def take_slot_updated(self, _, aux8, table, res, ver, a, b):
        table = self.find(table)
        bucket, slot = table.find(res // 8), res % 8
        demand(bucket.tophash[slot] >= FIRST_TOPHASH)
        assert bucket.keys[slot] == a or self.n_dropped > 0
        bucket.keys[slot], bucket.values[slot] = a, b
        self.place_entry(table, a, b)

    def take_slot_cleared(self, _, aux8, table, res, *rest):
        table = self.find(table)
        value = table.clear_slot(res // 8, res % 8)
        if table.flags_table & HOLDS_ENTRIES and table.role == DIRTY:
            self.entries.setdefault(value, Entry()).epoch = 0

    def take_overflow_linked(self, _, aux8, table, res, *rest):
        self.find(table).link(res)

    def take_growth_started(self, _, aux8, table, res, *rest):
        table = self.find(table)
        demand(table.buckets is not None and table.old is None
               and aux8 == table.B + (res == 0))
        table.old, table.B = table.buckets, aux8
        table.buckets, table.nevacuate, table.noverflow = table.array(), 0, 0
        was_iterated = table.flags & ITERATOR
        table.flags &= ~(ITERATOR | OLD_ITERATOR)
        table.flags |= ((OLD_ITERATOR if was_iterated else 0)
                        | (SAME_SIZE_GROW if res else 0))
        table.n_old = 1 << aux8 - (res == 0)

    def take_bucket_evacuated(self, _, aux8, table, res, ver, a, b):
        table = self.find(table)
        old = table.find_old(res)
        demand(a < table.n_old and (res >= table.n_old or res == a)
               and not MOVED_X <= old.tophash[0] <= MOVED_EMPTY
               and (aux8 == 0 or table.n_old < 1 << table.B))
        for slot, tophash in enumerate(old.tophash):
            goes_y = aux8 >> slot & 1
            if tophash < FIRST_TOPHASH:
                old.tophash[slot] = MOVED_EMPTY
                continue
            old.tophash[slot] = MOVED_Y if goes_y else MOVED_X
            table.append(a + (goes_y << table.B - 1 if goes_y else 0), tophash,
                         old.keys[slot], old.values[slot])

    def take_chain_wiped(self, _, aux8, table, res, *rest):
        table = self.find(table)
        old = table.find_old(res)
        demand(res < table.n_old)
        old.keys, old.values, old.overflow = [0] * 8, [0] * 8, 0

    def take_evacuation_advanced(self, _, aux8, table, res, *rest):
        self.find(table).nevacuate = res

    def take_growth_ended(self, _, aux8, table, *rest):
        table = self.find(table)
        demand(table.old is not None)
        table.old = None
        table.flags &= ~SAME_SIZE_GROW

    def take_overflow_counted(self, _, aux8, table, res, *rest):
        self.find(table).noverflow = res

    def take_bucket_copied(self, _, aux8, table, res, ver, a, b):
        table, source = self.find(table), self.find(b)
        demand(table is not source and table.buckets is not None
               and a < 1 << table.B)
        bucket = source.find(res)
        for slot in range(8):
            if aux8 >> slot & 1 and bucket.tophash[slot] >= FIRST_TOPHASH:
                table.append(a, bucket.tophash[slot], bucket.keys[slot],
                             bucket.values[slot])
                table.count += 1
            elif aux8 >> slot & 1:
                assert self.n_dropped > 0

    # Read and dirty

    def give_role(self, id, role):
        table = self.find(id)
        if table.role == role:
            return
        table.role = NONE
        self.supersede(role)
        table.role = role

    def supersede(self, role):
        for table in self.tables:
            if table.role == role:
                table.role = SUPERSEDED
        self.drop_freed()

    def take_table_named(self, _, aux8, table, res, *rest):
        if aux8:
            table = self.find(table)
            table.role, table.shard = SHARD, res
        else:
            self.give_role(table, ONLY)

    def take_read_published(self, _, aux8, table, *rest):
        self.give_role(table, READ)
        self.is_amended = 0
        self.epoch += 1

    def take_dirty_created(self, _, aux8, table, *rest):
        self.give_role(table, DIRTY)

    def take_dirty_dropped(self, _, aux8, table, *rest):
        demand(self.find(table).role == DIRTY)
        self.supersede(DIRTY)

    def take_read_amended(self, *_):
        self.is_amended = 1

    def take_miss_counted(self, _, aux8, aux16, res, *rest):
        self.misses = res

    def take_dirty_promoted(self, _, aux8, table, *rest):
        self.give_role(table, READ)
        self.is_amended = self.misses = 0
        self.promotions += 1

    def take_misses_reset(self, *_):
        self.misses = 0

    # Entries and versions

    def change_entry(self, id, version, state):
        entry = self.entries.setdefault(id, Entry())
        entry.version, entry.state, entry.is_deleted = version, state, False
        return entry

    def take_entry_stored(self, thread, aux8, aux16, res, ver, a, b):
        entry = self.entries.setdefault(res, Entry())
        before = entry.value + 1 if entry.state == VALUE else 0
        entry = self.change_entry(res, ver, VALUE)
        entry.value = a
        if not any(table.flags_table & HOLDS_VERSIONS
                   for table in self.tables):
            return
        version = self.versions.setdefault(a, Version(0))
        id, generation, is_deleted = self.written.get(thread, (None, 0, False))
        if id != a:
            assert self.n_dropped > 0
            generation, is_deleted = version.generation, version.says_deleted
        entry.is_deleted = is_deleted
        entry.value = a | generation << 32
        if version.generation == generation:
            entry.is_deleted = version.says_deleted
            version.is_in_chain = not version.is_retired
            version.older, version.older_generation = before % 2**32, before >> 32

    def take_entry_deleted(self, _, aux8, aux16, res, ver, *rest):
        self.change_entry(res, ver, NIL)

    take_entry_unexpunged = take_entry_deleted

    def take_entry_expunged(self, _, aux8, aux16, res, ver, *rest):
        self.change_entry(res, ver, EXPUNGED).expunged_in = self.promotions

    def find_version(self, id, generation):
        """None: the event is of an older one."""
        version = self.versions.get(id)
        if version is None or 0 < (generation - version.generation) % 2**32 < HALF:
            version = self.versions[id] = Version(generation)
        return version if version.generation == generation else None

    def take_version_written(self, thread, aux8, aux16, res, ver, a, b):
        self.written[thread] = res, ver, aux8 == 1
        version = self.find_version(res, ver)
        if version is not None:
            version.value, version.key, version.says_deleted = a, b, aux8 == 1

    def take_version_stamped(self, _, aux8, aux16, res, ver, a, b):
        version = self.find_version(res, ver)
        if version is not None:
            version.stamp = a
            self.clock = max(self.clock, a)

    def take_version_retired(self, _, aux8, aux16, res, ver, *rest):
        version = self.find_version(res, ver)
        if version is not None:
            version.is_retired, version.is_in_chain = True, False

    def take_write_barrier(self, _, aux8, aux16, res, ver, a, b):
        self.clock = max(self.clock, a)


# Against a keyframe ----------------------------------------------------------

ZEROS = {"tophash": 0, "overflow": 0, "keys": [0] * 8, "values": [0] * 8,
         "previous": 0}
FIELDS = ("id", "created_ver", "role", "shard", "flags", "flags_table", "B", "count", "noverflow",
          "nevacuate", "domain", "hash_kind")


def assert_tables(found, state):
    """Of two with the same id the older one waits for its `table-freed`."""
    assert len(state["Table"]) == len(found.tables)
    for place, (table, record) in enumerate(zip(found.tables, state["Table"])):
        for field in FIELDS:
            assert getattr(table, field) == record[field], (table.id, field)
        assert table.hash0 == record["hash0"] % 2**64
        for kind, array in enumerate((table.buckets, table.old)):
            has, _, n = record[("buckets", "oldbuckets")[kind]]
            assert (array is not None) == bool(has) and len(array or []) == n
            vector = state["vectors"].get((kind, place), {})
            for i, bucket in enumerate(array or []):
                row = vector.get(i, ZEROS)
                assert bucket.row() == tuple(row[name] for name in ZEROS), \
                    (table.id, i)


def assert_entries(found, state):
    vector = state["vectors"].get((2, 0), {})
    for id, entry in found.entries.items():
        record = vector[id]
        # Bit 8: an event has named it.
        assert entry.state | entry.is_deleted << 16 == record["state"] & ~256
        for field in ("key", "value", "version", "epoch", "expunged_in"):
            assert getattr(entry, field) == record[field], (id, field)


def assert_versions(found, state):
    vector = state["vectors"].get((3, 0), {})
    for id, version in found.versions.items():
        record = vector[id]
        for field in ("stamp", "value", "key", "older_generation"):
            assert getattr(version, field) == record[field], (id, field)
        assert version.generation | version.older << 32 == record["generation"]
        assert record["state"] == (version.says_deleted | version.is_retired << 8
                                   | version.is_in_chain << 16), id
    assert state["State"]["n_in_chains"] == sum(
        version.is_in_chain for version in found.versions.values())


def assert_state_is_the_fold(kinds, events, state):
    """What the events give is what the keyframe holds, field by field."""
    found = Map(kinds)
    for event in events:
        found.take(event)
    for field in ("epoch", "misses", "is_amended", "clock"):
        assert getattr(found, field) == state["State"][field], field
    assert_tables(found, state)
    assert_entries(found, state)
    assert_versions(found, state)
