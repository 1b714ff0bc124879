#define _GNU_SOURCE
#include "culvert_harness.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

static cpu_set_t cores;
static int are_known;

void culvert_harness_keep_cores(void) { are_known = sched_getaffinity(0, sizeof cores, &cores) == 0; }

void culvert_harness_take_cores_back(void) {
    if (are_known) sched_setaffinity(0, sizeof cores, &cores);
}

// What the thread is to do, or does: stop, stands still, go on, goes.
enum { STOP, STANDS, GO, GOES };
static uint32_t stalled;

static void stall(int signal) {
    (void)signal;
    const int error = errno;
    const struct timespec pause = {.tv_sec = 0, .tv_nsec = 10000};
    __atomic_store_n(&stalled, STANDS, __ATOMIC_RELEASE);
    while (__atomic_load_n(&stalled, __ATOMIC_ACQUIRE) != GO) nanosleep(&pause, NULL);
    __atomic_store_n(&stalled, GOES, __ATOMIC_RELEASE);
    errno = error;
}

void culvert_harness_stall(pthread_t thread) {
    struct sigaction action = {.sa_handler = stall, .sa_flags = SA_RESTART};
    sigaction(SIGUSR1, &action, NULL);
    __atomic_store_n(&stalled, STOP, __ATOMIC_RELEASE);
    if (pthread_kill(thread, SIGUSR1) != 0) abort();
    while (__atomic_load_n(&stalled, __ATOMIC_ACQUIRE) != STANDS) sched_yield();
}

void culvert_harness_resume(void) {
    __atomic_store_n(&stalled, GO, __ATOMIC_RELEASE);
    while (__atomic_load_n(&stalled, __ATOMIC_ACQUIRE) != GOES) sched_yield();
}
