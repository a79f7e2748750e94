/* SPDX-License-Identifier: GPL-3.0-or-later */

/* seen-tasks.c — GTasks whose order the thread sanitizer sees
 *
 * GLib hands a task over under locks of its own, made of futexes in a library that is
 * not instrumented: the sanitizer tells of a race wherever a thread of the pool reads
 * what the main thread put into the task's data, and the other way round. Linked with
 * --wrap, the functions here stand between our code and GLib's and tell the order that
 * GLib keeps: what is done before a task is started comes before its work, its work
 * before its callback, and all of that before its data is freed. They tell nothing
 * else, so that what our code shares beside its tasks is watched as ever.
 *
 * What GLib itself allocates in one thread and frees in another is in thread.supp.
 */
#include <gio/gio.h>
#include <sanitizer/tsan_interface.h>

#define WRAPPED(type, name, arguments)                                        \
  type __real_##name arguments;                                               \
  type __wrap_##name arguments

WRAPPED (GTask *, g_task_new,
         (gpointer source, GCancellable *cancellable,
          GAsyncReadyCallback callback, gpointer data));
WRAPPED (void, g_task_set_task_data,
         (GTask *task, gpointer data, GDestroyNotify destroy));
WRAPPED (gpointer, g_task_get_task_data, (GTask *task));
WRAPPED (void, g_task_run_in_thread, (GTask *task, GTaskThreadFunc work));
WRAPPED (void, g_task_return_pointer,
         (GTask *task, gpointer result, GDestroyNotify destroy));
WRAPPED (void, g_task_return_boolean, (GTask *task, gboolean result));
void __wrap_g_task_return_new_error (GTask *task, GQuark domain, gint code,
                                     const char *format, ...) G_GNUC_PRINTF (4, 5);

/* Stands in for a task's data; what is told of goes by its address. */
typedef struct {
  gpointer        data;
  GDestroyNotify  destroy;
  GTaskThreadFunc work;
} Seen;

/* Stands in for what a callback is given. */
typedef struct {
  GAsyncReadyCallback callback;
  gpointer            data;
} Called;

static void
called_cb (GObject      *source,
           GAsyncResult *result,
           gpointer      data) {
  Called *called = data;
  Seen *seen = __real_g_task_get_task_data (G_TASK (result));

  __tsan_acquire (seen);
  called->callback (source, result, called->data);
  __tsan_release (seen);
  g_free (called);
}

GTask *
__wrap_g_task_new (gpointer            source,
                   GCancellable       *cancellable,
                   GAsyncReadyCallback callback,
                   gpointer            data) {
  Called *called = g_new (Called, 1);

  *called = (Called){ callback, data };
  return __real_g_task_new (source, cancellable, called_cb, called);
}

static void
seen_free (gpointer data) {
  Seen *seen = data;

  __tsan_acquire (seen);
  seen->destroy (seen->data);
  g_free (seen);
}

void
__wrap_g_task_set_task_data (GTask         *task,
                             gpointer       data,
                             GDestroyNotify destroy) {
  Seen *seen = g_new (Seen, 1);

  *seen = (Seen){ data, destroy, NULL };
  __real_g_task_set_task_data (task, seen, seen_free);
}

gpointer
__wrap_g_task_get_task_data (GTask *task) {
  Seen *seen = __real_g_task_get_task_data (task);

  /* None in what g_task_report_error() tells. */
  return seen == NULL ? NULL : seen->data;
}

static void
work (GTask        *task,
      gpointer      source,
      gpointer      data,
      GCancellable *cancellable) {
  Seen *seen = data;

  __tsan_acquire (seen);
  seen->work (task, source, seen->data, cancellable);
  __tsan_release (seen);
}

void
__wrap_g_task_run_in_thread (GTask          *task,
                             GTaskThreadFunc func) {
  Seen *seen = __real_g_task_get_task_data (task);

  seen->work = func;
  __tsan_release (seen);
  __real_g_task_run_in_thread (task, work);
}

void
__wrap_g_task_return_pointer (GTask         *task,
                              gpointer       result,
                              GDestroyNotify destroy) {
  __tsan_release (__real_g_task_get_task_data (task));
  __real_g_task_return_pointer (task, result, destroy);
}

void
__wrap_g_task_return_boolean (GTask    *task,
                              gboolean  result) {
  __tsan_release (__real_g_task_get_task_data (task));
  __real_g_task_return_boolean (task, result);
}

void
__wrap_g_task_return_new_error (GTask      *task,
                                GQuark      domain,
                                gint        code,
                                const char *format,
                                ...) {
  va_list arguments;
  GError *error;

  va_start (arguments, format);
  error = g_error_new_valist (domain, code, format, arguments);
  va_end (arguments);
  __tsan_release (__real_g_task_get_task_data (task));
  g_task_return_error (task, error);
}
