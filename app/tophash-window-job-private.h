/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tophash-window-job-private.h — one file being read or written for a window
 *
 * A job runs in a task, with progress and Cancel over the top of the map; a window
 * has one at a time. What it works on is its own: the window may close meanwhile,
 * and then nobody is told how the job ended.
 */
#pragma once

#include "app/compat.h"
#include "app/tophash-window-private.h"

G_BEGIN_DECLS

typedef enum {
  JOB_OPEN,
  JOB_SAVE,
  JOB_SAVE_NOTES,
  JOB_EXPORT,
} JobKind;

typedef struct _FileJob FileJob;

/* In the main thread, with the window there. @error: why it failed or that it was
 * cancelled; NULL: neither. */
typedef void (*FileJobDone) (FileJob      *job,
                             const GError *error);

struct _FileJob {
  TophashWindow *window; /* a reference: the task outlives a closed window */
  GFile         *file;
  TraceLog      *log;     /* to save, or the result of opening */
  Timeline      *timeline; /* over the log to save */
  TraceNotes    *notes;   /* as they were when saving began */
  guint64        length;  /* the same: of the log */
  JobKind        kind;
  char          *warning; /* of opening */
  ExportFormat   format;  /* of exporting */
  guint64        to;      /* the same: what stands at one instant, at this */
  FileJobDone    done;
};

/* Tells that it is under way; (transfer full). */
FileJob *file_job_begin    (TophashWindow       *self,
                            GFile               *file,
                            JobKind              kind);
/* Takes @job over: @work in a thread, then @done. */
void     file_job_start    (FileJob             *job,
                            GTaskThreadFunc      work,
                            FileJobDone          done);
/* A TraceLogProgress; in the task's thread. */
void     file_job_progress (double               fraction,
                            gpointer             job);

/* (transfer full): as people read it, whatever its bytes. */
char    *tophash_window_name_of      (GFile         *file);
/* Tells where it stands now. */
void     tophash_window_toast_saved  (TophashWindow *self,
                                      GFile         *file);
/* Asks for a name to save what is shown, beside its file if it has got one. */
void     tophash_window_choose_name  (TophashWindow      *self,
                                      const char         *title,
                                      const char         *suffix,
                                      const char *const  *filters,
                                      CompatFileChosen    chosen);

G_END_DECLS
