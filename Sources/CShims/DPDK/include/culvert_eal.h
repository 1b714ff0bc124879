// Environment: start, threads on cores, time, memory near a core.
#ifndef CULVERT_EAL_H
#define CULVERT_EAL_H

#include <numa.h>
#include <numaif.h>
#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <rte_malloc.h>
#include <rte_pause.h>
#include <rte_version.h>
#include <sched.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

static inline int culvert_eal_init(int count, char **arguments) { return rte_eal_init(count, arguments); }
static inline int culvert_eal_cleanup(void) { return rte_eal_cleanup(); }
static inline int culvert_errno(void) { return rte_errno; }
static inline const char *culvert_error_text(int error) { return rte_strerror(error < 0 ? -error : error); }
static inline const char *culvert_dpdk_version(void) { return rte_version(); }

static inline int culvert_launch(int (*function)(void *), void *argument, unsigned lcore) {
    return rte_eal_remote_launch(function, argument, lcore);
}
// Waits until the function that was launched on `lcore` has returned.
static inline int culvert_join(unsigned lcore) { return rte_eal_wait_lcore(lcore); }
static inline unsigned culvert_socket_of_lcore(unsigned lcore) { return rte_lcore_to_socket_id(lcore); }

static inline uint64_t culvert_cycles(void) { return rte_rdtsc(); }
static inline uint64_t culvert_cycles_per_second(void) { return rte_get_tsc_hz(); }
static inline void culvert_pause(void) { rte_pause(); }
static inline void culvert_yield(void) { sched_yield(); }
static inline void culvert_sleep_ns(uint64_t ns) {
    struct timespec interval = {.tv_sec = (time_t)(ns / 1000000000u), .tv_nsec = (long)(ns % 1000000000u)};
    nanosleep(&interval, NULL);
}

// Zeroed memory in whole cache lines on a NUMA node; NULL when there is none.
static inline void *culvert_allocate(size_t size, int socket) { return rte_zmalloc_socket(NULL, size, RTE_CACHE_LINE_SIZE, socket); }
static inline void culvert_free(void *memory) { rte_free(memory); }

// Asks the kernel to keep the pages of [memory, memory + size) on `node` if it can, and to move those that are there already.
// Returns 0, or -1 with errno set; -1 as well on a machine without NUMA.
static inline int culvert_place_on_node(void *memory, size_t size, unsigned node) {
    if (numa_available() < 0 || node >= 64) return -1;
    unsigned long mask = 1ul << node;
    return (int)mbind(memory, size, MPOL_PREFERRED, &mask, 8 * sizeof mask, MPOL_MF_MOVE);
}

#endif
