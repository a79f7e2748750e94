/* SPDX-License-Identifier: GPL-3.0-or-later */

/* cli.h — what the commands of tophash-cli share
 *
 * A command gets its own arguments, argv[0] being its name, and returns the
 * exit code. Results go to standard output, errors to standard error.
 */
#pragma once

#include "core/record/tracelog.h"
#include "core/state/fold.h"

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

typedef enum {
  CLI_GOOD,         /* 0 */
  CLI_CHECK_FAILED, /* 1: the recording or the map is not right */
  CLI_BAD_INPUT,    /* 2: wrong usage, or a file that cannot be used or written */
} CliExit;

int cli_run    (int argc, char **argv);
int cli_info   (int argc, char **argv);
int cli_events (int argc, char **argv);
int cli_export (int argc, char **argv);
int cli_stats  (int argc, char **argv);
int cli_verify (int argc, char **argv);
int cli_check  (int argc, char **argv);
int cli_render (int argc, char **argv);
int cli_step   (int argc, char **argv);
int cli_list   (int argc, char **argv);

/* Prints "tophash-cli: …" and takes the error. Returns CLI_BAD_INPUT. */
int cli_fail   (GError *error);

/* Before anything else: text goes to standard output in pieces, and what could not be
 * written there is said in the end and settles the exit code. */
void     cli_begin_output (void);
/* FALSE: what is printed goes nowhere any more. */
gboolean cli_is_heard     (void);
/* Sends off what was printed, before waiting for more; as cli_is_heard(). */
gboolean cli_flush_output (void);
/* The finished @builder, as UTF-8. */
void     cli_print_json   (JsonBuilder *builder);

/* What stands there under this name, or else a path or a URI. (transfer full) */
GFile         *cli_file        (const char *path);
/* FALSE: @path is the recording itself, which would be lost; said with the name of
 * @option. */
gboolean       cli_may_write   (const char *option,
                                const char *path,
                                const char *recording);
/* (transfer full): standard output for NULL and "-", or the pipe or device @path;
 * NULL with no error: @path is to be a file. */
GOutputStream *cli_open_stream (const char *path,
                                GError    **error);
/* While a file is being written: Ctrl+C and the like cancel this from now on.
 * Borrowed. */
GCancellable  *cli_cancel_on_interrupt (void);
/* cli_fail(), or the end by the signal that cancelled. */
int            cli_fail_write  (GError *error);

/* Parses options; the rest must be @n_wanted arguments, which argv[1] … are
 * then. @description (nullable) stands below the options that --help prints. FALSE:
 * something was printed. */
gboolean  cli_parse (int                *argc,
                     char             ***argv,
                     const GOptionEntry *entries,
                     const char         *parameters,
                     const char         *summary,
                     const char         *description,
                     int                 n_wanted);

/* Opens a recording, saying on standard error when it is not whole; NULL: an
 * error was printed. @is_whole (nullable). */
TraceLog *cli_open  (const char *path,
                     gboolean   *is_whole);
/* The same of one that another process may be recording: it grows by
 * cli_wait_for_more(), which waits until @log is longer than @length; FALSE: it
 * never will be. */
TraceLog *cli_open_growing  (const char *path);
gboolean  cli_wait_for_more (TraceLog   *log,
                             guint64     length);
/* The exit code of a command that did its work: CLI_CHECK_FAILED when the recording was
 * cut or damaged, or when a block proved so while it was read, which is said on
 * standard error. */
int       cli_conclude (TraceLog *log);

/* A place in @log: a count of events ("1200": after the first 1200), or a time
 * since its start with a unit ("2.5s", "40ms", "7us", "90ns"). @text NULL: *position
 * stays. FALSE: it is neither; said with the name of @option. */
gboolean  cli_position (TraceLog   *log,
                        const char *option,
                        const char *text,
                        guint64    *position);
/* What lies between two places, *end being the log's length at first or what else is
 * the end without @to. FALSE: one is none, or @to comes before @from; said. */
gboolean  cli_span     (TraceLog   *log,
                        const char *from,
                        const char *to,
                        guint64    *begin,
                        guint64    *end);

/* (transfer full): the state after the first @n_events events. @keeps_states: some
 * are put into the log, to be saved with it. @faults (nullable): events that did
 * not fit; @first_fault (nullable, transfer full) */
MapState *cli_fold  (TraceLog   *log,
                     guint64     n_events,
                     gboolean    keeps_states,
                     guint64    *faults,
                     char      **first_fault);

/* What happened, from the log alone: as text, or as one JSON object. @extra
 * (nullable): operations that failed and events that were ungated. */
typedef struct {
  guint64 n_errors;
  guint64 n_ungated;
} CliRunFacts;
/* Its first line: what ran on which map. */
void      cli_print_title   (TraceLog          *log);
void      cli_print_summary (TraceLog          *log,
                             const MapState    *state,
                             const CliRunFacts *extra,
                             gboolean           as_json);
/* A part of it: times and bytes. The latter adds the members "costs" and
 * "memory" to the object under way. */
void      cli_print_costs   (const MapState    *state);
void      cli_put_costs     (JsonBuilder       *builder,
                             const MapState    *state);
/* The same: which worker waited for the recorder, where that is known. Adds the
 * member "waits-by-worker". */
void      cli_print_waits   (TraceLog          *log);
void      cli_put_waits     (JsonBuilder       *builder,
                             TraceLog          *log);
/* Says so when events are missing before what is told of. */
void      cli_print_dropped (guint64            n_dropped);

G_END_DECLS
