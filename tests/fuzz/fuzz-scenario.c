/* SPDX-License-Identifier: GPL-3.0-or-later */

/* fuzz-scenario.c — any bytes as a scenario
 *
 * Refused with an error, or else written and read back as the same text.
 */
#include "core/workload/scenario.h"
#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput (const uint8_t *bytes,
                        size_t         length) {
  g_autoptr (GError) error = NULL;
  g_autoptr (Scenario) scenario = NULL;
  g_autoptr (Scenario) again = NULL;
  g_autofree char *first = NULL;
  g_autofree char *second = NULL;

  scenario = scenario_new_from_json ((const char *)bytes, (gssize)length, "fuzz",
                                     &error);
  if (scenario == NULL) {
    g_assert_nonnull (error);
    return 0;
  }
  first = scenario_to_json (scenario);
  again = scenario_new_from_json (first, -1, "fuzz", &error);
  g_assert_no_error (error);
  second = scenario_to_json (again);
  g_assert_cmpstr (first, ==, second);
  return 0;
}
