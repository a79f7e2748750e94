/* SPDX-License-Identifier: GPL-3.0-or-later */

/* crc32c.c — the checksum of chunks in files
 *
 * CRC-32C (Castagnoli's polynomial, bits reversed: 0x82f63b78), as in iSCSI and
 * ext4. Processors of Intel's kind have an instruction for it: eight bytes in three
 * cycles. Elsewhere eight bytes a step too: table k holds the effect of a byte that
 * k more zero bytes follow, so the eight look-ups do not wait for each other.
 * Reading is byte by byte there, the same on every machine.
 *
 * Measured    17 KB, as a saved block may have: 1.7 µs, by the tables 6.5.
 *
 * Source      M. Kounavis, F. Berry, A Systematic Approach to Building High
 *             Performance Software-Based CRC Generators, 2005 (slicing by 8).
 */
#include "core/record/crc32c.h"

#include <pthread.h>
#include <string.h>
#ifdef __x86_64__
#include <nmmintrin.h>
#endif

#define POLYNOMIAL 0x82f63b78u

static guint32 tables[8][256];

static void
fill_tables (void) {
  for (guint32 byte = 0; byte < 256; byte++) {
    guint32 crc = byte;

    for (guint bit = 0; bit < 8; bit++)
      crc = crc >> 1 ^ (crc & 1 ? POLYNOMIAL : 0);
    tables[0][byte] = crc;
  }
  for (guint k = 1; k < 8; k++)
    for (guint byte = 0; byte < 256; byte++) {
      guint32 before = tables[k - 1][byte];

      tables[k][byte] = before >> 8 ^ tables[0][before & 0xff];
    }
}

static guint32
crc_by_tables (guint32       crc,
               const guint8 *byte,
               gsize         size) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;

  pthread_once (&once, fill_tables);
  for (; size >= 8; size -= 8, byte += 8) {
    crc ^= byte[0] | (guint32)byte[1] << 8 | (guint32)byte[2] << 16
           | (guint32)byte[3] << 24;
    crc = tables[7][crc & 0xff] ^ tables[6][crc >> 8 & 0xff]
          ^ tables[5][crc >> 16 & 0xff] ^ tables[4][crc >> 24]
          ^ tables[3][byte[4]] ^ tables[2][byte[5]] ^ tables[1][byte[6]]
          ^ tables[0][byte[7]];
  }
  for (; size > 0; size--, byte++)
    crc = crc >> 8 ^ tables[0][(crc ^ *byte) & 0xff];
  return crc;
}

#ifdef __x86_64__
__attribute__ ((target ("sse4.2"))) static guint32
crc_by_instruction (guint32       crc,
                    const guint8 *byte,
                    gsize         size) {
  guint64 crc64 = crc;

  for (; size >= 8; size -= 8, byte += 8) {
    guint64 eight;

    memcpy (&eight, byte, 8);
    crc64 = _mm_crc32_u64 (crc64, eight);
  }
  crc = (guint32)crc64;
  for (; size > 0; size--, byte++)
    crc = _mm_crc32_u8 (crc, *byte);
  return crc;
}
#endif

guint32
crc32c (guint32       crc,
        gconstpointer data,
        gsize         size) {
#ifdef __x86_64__
  if (__builtin_cpu_supports ("sse4.2"))
    return ~crc_by_instruction (~crc, data, size);
#endif
  return ~crc_by_tables (~crc, data, size);
}

guint32
crc32c_by_tables (guint32       crc,
                  gconstpointer data,
                  gsize         size) {
  return ~crc_by_tables (~crc, data, size);
}
