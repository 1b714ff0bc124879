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

// What a thread that touches the trap is to do, or does: stop, stands still, go on, goes.
enum { STOP, STANDS, GO, GOES };
static uint32_t trapped = GO;
static uint8_t *trap;
static size_t trap_size;

static void touched(int number, siginfo_t *info, void *context) {
    (void)context;
    const uintptr_t address = (uintptr_t)info->si_addr;
    if (address < (uintptr_t)trap || address >= (uintptr_t)trap + trap_size) {
        signal(number, SIG_DFL);
        return;
    }
    const int error = errno;
    const struct timespec pause = {.tv_sec = 0, .tv_nsec = 10000};
    uint32_t expected = STOP;
    if (__atomic_compare_exchange_n(&trapped, &expected, STANDS, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
        while (__atomic_load_n(&trapped, __ATOMIC_ACQUIRE) != GO) nanosleep(&pause, NULL);
        __atomic_store_n(&trapped, GOES, __ATOMIC_RELEASE);
    }
    errno = error;
}

int culvert_harness_set_trap(void *memory, size_t size) {
    struct sigaction action = {.sa_sigaction = touched, .sa_flags = SA_SIGINFO};
    trap = memory;
    trap_size = size;
    if (sigaction(SIGSEGV, &action, NULL) != 0) return -1;
    __atomic_store_n(&trapped, STOP, __ATOMIC_RELEASE);
    return mprotect(memory, size, PROT_NONE);
}

int culvert_harness_is_trapped(void) { return __atomic_load_n(&trapped, __ATOMIC_ACQUIRE) == STANDS; }

void culvert_harness_release_trap(void) {
    if (mprotect(trap, trap_size, PROT_READ | PROT_WRITE) != 0) abort();
    if (__atomic_exchange_n(&trapped, GO, __ATOMIC_ACQ_REL) != STANDS) return;
    while (__atomic_load_n(&trapped, __ATOMIC_ACQUIRE) != GOES) sched_yield();
}
