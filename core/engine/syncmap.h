/* SPDX-License-Identifier: GPL-3.0-or-later */

/* syncmap.h — Go's sync.Map up to 1.23
 *
 * Loads of known keys without a lock, from a table that never changes; new keys
 * in a second table behind a lock. Told in syncmap.c.
 */
#pragma once

#include "core/engine/engine.h"

extern const EngineClass syncmap_class;
