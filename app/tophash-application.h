/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tophash-application.h — one instance, its shortcuts, its options */
#pragma once

#include <adwaita.h>

G_BEGIN_DECLS

#define TOPHASH_TYPE_APPLICATION (tophash_application_get_type ())
G_DECLARE_FINAL_TYPE (TophashApplication, tophash_application, TOPHASH, APPLICATION, AdwApplication)

TophashApplication *tophash_application_new (void);

G_END_DECLS
