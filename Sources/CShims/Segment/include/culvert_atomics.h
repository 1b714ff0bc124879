// Atomic accesses to words of the shared segment.
//
// The segment is mapped by two processes that were compiled apart from each other, so its atomics are plain C words
// reached through compiler built-ins: lock-free, address-free, and with an ordering fixed by the function's name.
#ifndef CULVERT_ATOMICS_H
#define CULVERT_ATOMICS_H

#include <errno.h>
#include <linux/futex.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static inline uint32_t culvert_load_acquire_u32(const uint32_t *word) { return __atomic_load_n(word, __ATOMIC_ACQUIRE); }
static inline uint64_t culvert_load_acquire_u64(const uint64_t *word) { return __atomic_load_n(word, __ATOMIC_ACQUIRE); }
static inline uint32_t culvert_load_relaxed_u32(const uint32_t *word) { return __atomic_load_n(word, __ATOMIC_RELAXED); }
static inline uint64_t culvert_load_relaxed_u64(const uint64_t *word) { return __atomic_load_n(word, __ATOMIC_RELAXED); }
static inline void culvert_store_release_u32(uint32_t *word, uint32_t value) { __atomic_store_n(word, value, __ATOMIC_RELEASE); }
static inline void culvert_store_release_u64(uint64_t *word, uint64_t value) { __atomic_store_n(word, value, __ATOMIC_RELEASE); }
static inline void culvert_store_relaxed_u32(uint32_t *word, uint32_t value) { __atomic_store_n(word, value, __ATOMIC_RELAXED); }
static inline void culvert_store_relaxed_u64(uint64_t *word, uint64_t value) { __atomic_store_n(word, value, __ATOMIC_RELAXED); }
static inline uint8_t culvert_load_acquire_u8(const uint8_t *byte) { return __atomic_load_n(byte, __ATOMIC_ACQUIRE); }
static inline void culvert_store_release_u8(uint8_t *byte, uint8_t value) { __atomic_store_n(byte, value, __ATOMIC_RELEASE); }
static inline uint16_t culvert_load_relaxed_u16(const uint16_t *word) { return __atomic_load_n(word, __ATOMIC_RELAXED); }
static inline void culvert_store_relaxed_u16(uint16_t *word, uint16_t value) { __atomic_store_n(word, value, __ATOMIC_RELAXED); }
static inline uint8_t culvert_load_relaxed_u8(const uint8_t *byte) { return __atomic_load_n(byte, __ATOMIC_RELAXED); }
static inline void culvert_store_relaxed_u8(uint8_t *byte, uint8_t value) { __atomic_store_n(byte, value, __ATOMIC_RELAXED); }
// Puts `value` in the place of `expected`. Returns what was there before: `expected`, when it has succeeded.
static inline uint16_t culvert_exchange_u16(uint16_t *word, uint16_t expected, uint16_t value) {
    __atomic_compare_exchange_n(word, &expected, value, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
    return expected;
}
static inline void culvert_fence(void) { __atomic_thread_fence(__ATOMIC_SEQ_CST); }

// Adds to a counter that has one writer: a reader of another process sees the old value or the new one, never a mix.
// Not a locked instruction, and not for two writers.
static inline void culvert_add_single_writer_u64(uint64_t *counter, uint64_t amount) {
    __atomic_store_n(counter, __atomic_load_n(counter, __ATOMIC_RELAXED) + amount, __ATOMIC_RELAXED);
}

// A doorbell is a counter in the segment on which the other process can sleep (futex(2), shared between processes).
// ring: count up, then wake the sleeper if there is one. One system call only when `sleeping` is set.
static inline void culvert_doorbell_ring(uint32_t *doorbell, const uint32_t *sleeping) {
    __atomic_fetch_add(doorbell, 1, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(sleeping, __ATOMIC_SEQ_CST)) syscall(SYS_futex, doorbell, FUTEX_WAKE, 1, 0, 0, 0);
}

// Sleeps until the doorbell differs from `seen`, at most `timeout_ns`. Returns 1 when it was rung, 0 on the time-out.
// The caller reads the doorbell, looks for work, and only then waits with the value that it read.
static inline int culvert_doorbell_wait(uint32_t *doorbell, uint32_t *sleeping, uint32_t seen, uint64_t timeout_ns) {
    struct timespec timeout = {.tv_sec = (time_t)(timeout_ns / 1000000000u), .tv_nsec = (long)(timeout_ns % 1000000000u)};
    __atomic_store_n(sleeping, 1, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(doorbell, __ATOMIC_SEQ_CST) == seen) syscall(SYS_futex, doorbell, FUTEX_WAIT, seen, &timeout, 0, 0);
    __atomic_store_n(sleeping, 0, __ATOMIC_SEQ_CST);
    return __atomic_load_n(doorbell, __ATOMIC_SEQ_CST) != seen;
}

// CLOCK_MONOTONIC in nanoseconds: the clock of every time stamp in the segment, the same in both processes.
static inline uint64_t culvert_monotonic_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

#endif
