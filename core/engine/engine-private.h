/* SPDX-License-Identifier: GPL-3.0-or-later */

/* engine-private.h — the engines that are bucket tables
 *
 * Each is defined in the file of its name; gomap in gomap-engine.c.
 */
#pragma once

#include "core/engine/engine.h"

extern const EngineClass gomap_class;
extern const EngineClass mutexmap_class;
extern const EngineClass rwmap_class;
extern const EngineClass shardmap_class;
extern const EngineClass viewmap_class;
