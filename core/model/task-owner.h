/* SPDX-License-Identifier: GPL-3.0-or-later */

/* task-owner.h — whoever started a task ends in the thread that it lives in */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * task_keep_owner:
 * @task: not started yet
 * @owner: its source, or what its data has a reference to
 *
 * Sees to it that letting go of @task is never what ends @owner in another thread.
 *
 * Threads: that of @owner, whose main context @task's callback comes to.
 */
void task_keep_owner (GTask    *task,
                      gpointer  owner);

G_END_DECLS
