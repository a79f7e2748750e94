/* SPDX-License-Identifier: GPL-3.0-or-later */

/* telling-words.c — how operations at full speed are told, in words */
#include "app/telling-words.h"

#include <glib/gi18n.h>

const char *
telling_title (OperationTelling telling) {
  switch (telling) {
  case TELLING_COUNTS:
    return _ ("counted");
  case TELLING_BRIEF:
    return _ ("in brief");
  case TELLING_WHOLE:
    return _ ("whole");
  case TELLING_N_KINDS:
    break;
  }
  return "";
}

const char *
telling_meaning (OperationTelling telling) {
  switch (telling) {
  case TELLING_COUNTS:
    return _ ("A sample of the operations is recorded whole, the others are "
              "counted: the least cost.");
  case TELLING_BRIEF:
    return _ ("Each operation is one event: what it did, to which key, and by "
              "which path.");
  case TELLING_WHOLE:
    return _ ("Each operation is recorded from its start to its result: the most "
              "cost, and the run can be checked for linearizability.");
  case TELLING_N_KINDS:
    break;
  }
  return "";
}
