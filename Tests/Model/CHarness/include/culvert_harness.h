// Packet buffers whose memory lies between two pages that nobody may touch: the first octet read or written beyond a buffer
// ends the program.
#ifndef CULVERT_HARNESS_H
#define CULVERT_HARNESS_H

#include <rte_eth_ring.h>
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

// A port whose queues are these rings, `count` of either kind.
static inline int culvert_harness_port_from_rings(const char *name, struct rte_ring **rx, struct rte_ring **tx, unsigned count) {
    return rte_eth_from_rings(name, rx, count, tx, count, 0);
}

// Copies a frame of at most `room` octets out of all of its buffers; answers how many octets that were.
static inline uint32_t culvert_harness_copy(const struct rte_mbuf *m, void *into, uint32_t room) {
    uint32_t copied = 0;
    for (; m && copied < room; m = m->next) {
        const uint32_t count = RTE_MIN((uint32_t)m->data_len, room - copied);
        memcpy((uint8_t *)into + copied, rte_pktmbuf_mtod(m, const void *), count);
        copied += count;
    }
    return copied;
}

// Whether every buffer of a frame has its part of it within its room, and the lengths add up.
static inline int culvert_harness_is_sound(const struct rte_mbuf *m) {
    uint32_t length = 0, buffers = 0;
    for (const struct rte_mbuf *part = m; part; part = part->next) {
        if ((uint32_t)part->data_off + part->data_len > part->buf_len) return 0;
        length += part->data_len;
        buffers++;
    }
    return length == m->pkt_len && buffers == m->nb_segs;
}

// Puts `tail` behind a frame, as its last buffer. 0, or negative when it would be too many.
static inline int culvert_harness_chain(struct rte_mbuf *head, struct rte_mbuf *tail) { return rte_pktmbuf_chain(head, tail); }

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
