// SPDX-License-Identifier: MIT
/* Stands in for the back end over io_uring where there is no liburing to build it with. */
#include "reactor/poller.h"

const struct utw_poller_ops *const utw_poller_uring;
