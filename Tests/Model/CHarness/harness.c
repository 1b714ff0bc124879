#define _GNU_SOURCE
#include "culvert_harness.h"

#include <sched.h>

static cpu_set_t cores;
static int are_known;

void culvert_harness_keep_cores(void) { are_known = sched_getaffinity(0, sizeof cores, &cores) == 0; }

void culvert_harness_take_cores_back(void) {
    if (are_known) sched_setaffinity(0, sizeof cores, &cores);
}
