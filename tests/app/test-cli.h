/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-cli.h — the program under test, for the files of test-cli */
#pragma once

#include <gio/gio.h>

/* Runs the program with the arguments up to NULL; returns its exit code. @out,
 * @err (transfer full). */
int         run_cli         (char      **out,
                             char      **err,
                             const char *first,
                             ...);
/* Empty, and gone at the end. */
const char *test_folder     (void);

void        add_check_tests (void);
