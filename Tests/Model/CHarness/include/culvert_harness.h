// Packet buffers whose memory lies between two pages that nobody may touch: the first octet read or written beyond a buffer
// ends the program.
#ifndef CULVERT_HARNESS_H
#define CULVERT_HARNESS_H

#include <rte_mbuf.h>
#include <stdint.h>
#include <sys/mman.h>

// `size` octets, whole pages, between two pages without access. NULL when there is no memory.
static inline void *culvert_harness_guarded(size_t size, size_t page) {
    uint8_t *base = mmap(NULL, size + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (base == MAP_FAILED) return NULL;
    if (mprotect(base + page, size, PROT_READ | PROT_WRITE) != 0) return NULL;
    return base + page;
}

// Makes `memory` the room of an allocated packet buffer, and the frame its `length` octets from `offset` on.
static inline void culvert_harness_set_room(struct rte_mbuf *m, void *memory, uint16_t size, uint16_t offset, uint16_t length) {
    m->buf_addr = memory;
    m->buf_len = size;
    m->data_off = offset;
    m->data_len = length;
    m->pkt_len = length;
}

static inline uint16_t culvert_harness_room(const struct rte_mbuf *m) { return m->buf_len; }

// keep: notes the cores that this thread may run on. take back: lets it, and the threads that it starts from then on, run on
// them again; DPDK binds the thread that starts it to one core.
void culvert_harness_keep_cores(void);
void culvert_harness_take_cores_back(void);

// A trap is memory, in whole pages, at which the next thread that touches it stands still until the trap is released; then it
// goes on as if nothing had happened. set: 0, or -1 with errno set. One trap at a time.
int culvert_harness_set_trap(void *memory, size_t size);
int culvert_harness_is_trapped(void);
void culvert_harness_release_trap(void);

#endif
