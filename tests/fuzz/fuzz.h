/* SPDX-License-Identifier: GPL-3.0-or-later */

/* fuzz.h — what a fuzz target offers: libFuzzer's entry point */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Must return whatever the bytes are, and leak nothing. Returns 0. */
int LLVMFuzzerTestOneInput (const uint8_t *data,
                            size_t         size);
