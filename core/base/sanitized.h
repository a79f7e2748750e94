/* SPDX-License-Identifier: GPL-3.0-or-later */

/* sanitized.h — which sanitizers this is built with
 *
 * Both are 0 or 1. Who keeps memory of its own leaves it to malloc() under either, which
 * they watch; who writes past the caches does not under the thread sanitizer, which does
 * not see it. gcc tells by macros, clang by features.
 */
#pragma once

#if defined(__SANITIZE_ADDRESS__)
#define HAS_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_ASAN 1
#endif
#endif
#ifndef HAS_ASAN
#define HAS_ASAN 0
#endif

#if defined(__SANITIZE_THREAD__)
#define HAS_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define HAS_TSAN 1
#endif
#endif
#ifndef HAS_TSAN
#define HAS_TSAN 0
#endif
