/* SPDX-License-Identifier: GPL-3.0-or-later */

/* scenario-strings.c — the words of the scenarios, for translators
 *
 * Written by scenario-strings.py from data/scenarios and never compiled.
 */

/* Translators: first-promotion.json, title */
N_("First promotion");

/* Translators: first-promotion.json, summary */
N_("Twenty seconds in the life of a small sync.Map as it was up to Go 1.23, slow enough to follow.");

/* Translators: first-promotion.json, watch-for */
N_("New keys appear in dirty alone. Each load that has to look there adds one to misses. When misses reach the number of keys in dirty, dirty becomes read in one step and nothing is copied. The copy comes later, with the next new key.");

/* Translators: first-promotion.json, learn */
N_("Reads of keys in read take no lock. A promotion moves one pointer, whatever the size of the map. The price is paid afterwards: the first new key copies every live entry of read into a new dirty and marks deleted ones as expunged.");

/* Translators: first-promotion.json, simplified */
N_("Keys and values are whole numbers. Workers pause between operations so that you can follow; the steps inside each operation run at full speed.");

/* Translators: full-speed.json, title */
N_("Full speed");

/* Translators: full-speed.json, summary */
N_("Two writers and two readers run sync.Map (Go 1.23 and before) as fast as this machine can, for five seconds.");

/* Translators: full-speed.json, watch-for */
N_("Now and then a Range promotes, and the next new key copies thousands of entries. Zoom in until single operations can be told apart, or drag the playhead: every change of state is there.");

/* Translators: full-speed.json, learn */
N_("What took seconds in the slow lessons takes microseconds here, and the order of steps is the same.");

/* Translators: full-speed.json, simplified */
N_("Every change of state is recorded. Operations that change nothing are counted exactly and shown one by one only now and then. Recording slows the workers; the window says by how much they had to wait.");

/* Translators: ghost-keys.json, title */
N_("Ghost keys");

/* Translators: ghost-keys.json, summary */
N_("Every key of a sync.Map (Go 1.23 and before) is deleted, yet its read table still holds them all.");

/* Translators: ghost-keys.json, watch-for */
N_("Deleted keys stay where they were, without a value. A Range visits none of them. One new key makes a dirty that takes none of these ghosts along and expunges them all. One load of a key that read lacks then promotes, and read shrinks to a single key.");

/* Translators: ghost-keys.json, learn */
N_("Delete frees the value at once. The key and its entry go only with the next copy and the promotion after it. If no new key ever comes, they stay.");

/* Translators: ghost-keys.json, simplified */
N_("Values are whole numbers here; in Go a value is often a pointer, and what it points to can be collected right after the delete.");

/* Translators: growth.json, title */
N_("A table grows");

/* Translators: growth.json, summary */
N_("Keys go into Go 1.23's built-in map, behind a lock, until it has doubled several times.");

/* Translators: growth.json, watch-for */
N_("When keys number more than 6.5 to a bucket, an array twice as large appears beside the old one. Each later write moves the bucket it needs and one more. Chains split in two by one more bit of the hash.");

/* Translators: growth.json, learn */
N_("Growing is spread over many writes, so none has to move the whole table. While it lasts, a lookup may have to go to the old array. Deleting never makes the table smaller.");

/* Translators: growth.json, simplified */
N_("One lock around the whole map. The eight slots of a bucket and the growth rules are those of Go 1.23 and before; since Go 1.24 the built-in map is built otherwise.");

/* Translators: hot-shard.json, title */
N_("A hot shard");

/* Translators: hot-shard.json, summary */
N_("Sixteen shards, each a Go map with its own lock: first all keys are asked for alike, then two of them most of the time.");

/* Translators: hot-shard.json, watch-for */
N_("In the first part the strip of shards is used evenly, and hardly anyone waits. In the second the shards of the popular keys are marked as hot, and the waits gather there.");

/* Translators: hot-shard.json, learn */
N_("Shards divide the waiting as long as the keys divide the work. A popular key stays in one shard, and more shards do not help it.");

/* Translators: hot-shard.json, simplified */
N_("Two keys are far more popular than any other. In real use popularity falls off more slowly, and the hot shards are less plain to see.");

/* Translators: iteration-and-write.json, title */
N_("A range loop and a writer, no lock");

/* Translators: iteration-and-write.json, summary */
N_("One thread walks over Go 1.23’s built-in map again and again while another stores into it, and there is no lock.");

/* Translators: iteration-and-write.json, watch-for */
N_("The loop looks at the bit hashWriting at every step. At a few stores a second they fall between two steps and are not noticed. At full speed a step meets a store that is under way, and Go ends the program: “fatal error: concurrent map iteration and map write”.");

/* Translators: iteration-and-write.json, learn */
N_("A loop over n keys looks n + 1 times, so it is the likeliest to be caught. A loop may itself store and delete: between two steps no write of its own is under way. Against others, hold a lock for the whole loop. recover() does not catch the error, and len() is not checked.");

/* Translators: iteration-and-write.json, simplified */
N_("The detector is Go’s, with its own races. The damage that a meeting it misses can do in Go (keys lost or doubled, broken memory) is not imitated: a hidden lock keeps the table whole.");

/* Translators: one-lock.json, title */
N_("One lock for all");

/* Translators: one-lock.json, summary */
N_("A Go map behind one mutex: a Range that takes its time, and four workers who want in.");

/* Translators: one-lock.json, watch-for */
N_("While the auditor ranges it has mu, and everyone else lines up at the door in the order in which they came. When it leaves, the first of them goes in.");

/* Translators: one-lock.json, learn */
N_("A plain mutex around a map makes every operation wait for every other, readers for readers too. How long one holds the lock is how long all others may have to wait.");

/* Translators: one-lock.json, simplified */
N_("The Range rests at every key, so that the queue can be seen. A real one is done in microseconds, and the queue is as short.");

/* Translators: open-view.json, title */
N_("A view held open");

/* Translators: open-view.json, summary */
N_("A map whose entries keep older versions: a view shows the map as it was while others write on.");

/* Translators: open-view.json, watch-for */
N_("A view opens, and later writes to a key put a new version before the one it sees. The chain grows only while someone may still ask for the older value. When the view closes, what was kept for it goes.");

/* Translators: open-view.json, learn */
N_("A snapshot need not stop the writers nor copy the map. It costs the values that are replaced while it is open, and those of the oldest view are kept longest.");

/* Translators: open-view.json, simplified */
N_("The views rest at every key. Each key is one number; with large values a forgotten view is dear.");

/* Translators: order-churn.json, title */
N_("Orders come and go");

/* Translators: order-churn.json, summary */
N_("Forty-eight order numbers are used over and over in a sync.Map (Go 1.23 and before).");

/* Translators: order-churn.json, watch-for */
N_("A number that is used again while its entry still stands costs one exchange and no lock. One that a copy has expunged must first be brought back under the lock, and goes into dirty again.");

/* Translators: order-churn.json, learn */
N_("An entry is in one of three states: value, nil (deleted) or expunged (deleted, and missing from dirty). Which of them a store meets decides what it costs.");

/* Translators: order-churn.json, simplified */
N_("Order numbers are drawn evenly. A real shop gives each order a new one.");

/* Translators: read-mostly.json, title */
N_("Read mostly");

/* Translators: read-mostly.json, summary */
N_("Three readers and one writer on keys that all stand in read: what sync.Map up to Go 1.23 was made for.");

/* Translators: read-mostly.json, watch-for */
N_("Nobody takes the lock. The writer changes entries in place, the readers find every key in read, misses stays at 0. Low keys are asked for most.");

/* Translators: read-mostly.json, learn */
N_("As long as no new key comes, loads and stores of a sync.Map (Go 1.23 and before) meet only at single entries.");

/* Translators: read-mostly.json, simplified */
N_("Which keys are popular follows Zipf's law with key 0 first, so that you can see them.");

/* Translators: reader-and-writer.json, title */
N_("A reader and a writer, no lock");

/* Translators: reader-and-writer.json, summary */
N_("One thread loads from Go 1.23’s built-in map while another stores into it, and there is no lock.");

/* Translators: reader-and-writer.json, watch-for */
N_("At a few operations a second nothing happens. At full speed the reader comes while the writer is inside, finds the bit hashWriting on, and Go ends the program: “fatal error: concurrent map read and map write”. The writer notices nothing: a reader leaves no mark.");

/* Translators: reader-and-writer.json, learn */
N_("Any number of readers may share a map that nobody writes to; one writer is enough to end that. A lookup checks the bit once, when it begins, and not at all in an empty map: a write that begins a moment later goes unseen. recover() does not catch it, and len() is not checked.");

/* Translators: scrape-tax.json, title */
N_("The scrape tax");

/* Translators: scrape-tax.json, summary */
N_("A monitor walks a sync.Map (Go 1.23 and before) once a second while new keys keep coming.");

/* Translators: scrape-tax.json, watch-for */
N_("Each Range finds keys that only dirty has, so it promotes. The next new key copies the whole map. The copies grow with the map.");

/* Translators: scrape-tax.json, learn */
N_("In sync.Map up to Go 1.23 a Range is not a free read: storing new keys and ranging in turn costs work that grows with the square of the number of keys. sync.Map since Go 1.24 is built otherwise and does not pay this.");

/* Translators: scrape-tax.json, simplified */
N_("One writer and one monitor with steady paces. Real monitors come less often and meet larger maps.");

/* Translators: two-writers.json, title */
N_("Two writers, no lock");

/* Translators: two-writers.json, summary */
N_("Two threads store into Go 1.23’s built-in map without a lock, a few times a second at first, then as fast as they can.");

/* Translators: two-writers.json, watch-for */
N_("At a few stores a second the two do not meet, and all is well. At full speed one comes while the other is inside. There Go ends the program: “fatal error: concurrent map writes”. It is found at the beginning of a store, when the bit hashWriting is on, or at its end, when somebody has turned it off.");

/* Translators: two-writers.json, learn */
N_("The bit is no lock: nobody waits for it. It only tells that two writes met, whatever their keys, and it misses many meetings. A fatal error is no panic: recover() does not catch it. What helps is a lock, or sync.Map, and go build -race, which finds what the bit misses. len() is not checked at all.");

/* Translators: writer-at-the-door.json, title */
N_("The writer at the door");

/* Translators: writer-at-the-door.json, summary */
N_("A Go map behind an RWMutex: readers go in together, a writer that waits keeps new readers out.");

/* Translators: writer-at-the-door.json, watch-for */
N_("Stop and step where a lane shows waiting. Readers are inside, a writer has its turn and stands in the door: readers that come now line up behind it, although the lock is only being read.");

/* Translators: writer-at-the-door.json, learn */
N_("Go's RWMutex lets a waiting writer go before readers that come later, else a stream of readers would starve it. One slow reader and one writer are enough to make all other readers wait.");

/* Translators: writer-at-the-door.json, simplified */
N_("The slow reader is a snapshot, which copies twelve thousand keys while it shares the lock. The others do one key at a time.");

/* Translators: a role of workers */
N_("auditor");

/* Translators: a role of workers */
N_("clerk");

/* Translators: a role of workers */
N_("customer");

/* Translators: a role of workers */
N_("reader");

/* Translators: a role of workers */
N_("scraper");

/* Translators: a role of workers */
N_("walker");

/* Translators: a role of workers */
N_("worker");

/* Translators: a role of workers */
N_("writer");
