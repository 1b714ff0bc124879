// Rings of packet buffers between threads: rte_ring with one consumer, and one producer or many.
#ifndef CULVERT_RING_H
#define CULVERT_RING_H

#include <rte_ring.h>
#include "culvert_mbuf.h"

// `count` is a power of two; the ring holds one less.
static inline struct rte_ring *culvert_ring_create(const char *name, unsigned count, int socket) {
    return rte_ring_create(name, count, socket, RING_F_SP_ENQ | RING_F_SC_DEQ);
}
static inline void culvert_ring_free(struct rte_ring *ring) { rte_ring_free(ring); }
static inline unsigned culvert_ring_count(struct rte_ring *ring) { return rte_ring_count(ring); }

static inline unsigned culvert_ring_free_count(struct rte_ring *ring) { return rte_ring_free_count(ring); }

// As many as fit; returns how many that were.
static inline unsigned culvert_ring_enqueue(struct rte_ring *ring, culvert_mbuf *m, unsigned count) {
    return rte_ring_sp_enqueue_burst(ring, (void *const *)m, count, NULL);
}
// As many as there are, at most `count`; returns how many that were.
static inline unsigned culvert_ring_dequeue(struct rte_ring *ring, culvert_mbuf *m, unsigned count) {
    return rte_ring_sc_dequeue_burst(ring, (void **)m, count, NULL);
}

// A ring with many producers. "Relaxed tail sync": a producer that loses its core in the middle does not hold up the others.
static inline struct rte_ring *culvert_shared_ring_create(const char *name, unsigned count, int socket) {
    return rte_ring_create(name, count, socket, RING_F_MP_RTS_ENQ | RING_F_SC_DEQ);
}
// As many as fit, by any of the producers; returns how many that were.
static inline unsigned culvert_shared_ring_enqueue(struct rte_ring *ring, culvert_mbuf *m, unsigned count) {
    return rte_ring_mp_rts_enqueue_burst(ring, (void *const *)m, count, NULL);
}

#endif
