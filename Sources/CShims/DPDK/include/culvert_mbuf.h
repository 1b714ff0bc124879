// Packet buffers. Swift sees rte_mbuf as an opaque pointer (it imports no structure with an alignment attribute), so its
// fields are read and written here. A shim wraps; it does not decide.
#ifndef CULVERT_MBUF_H
#define CULVERT_MBUF_H

#include <rte_mbuf.h>
#include <rte_memcpy.h>
#include <rte_prefetch.h>
#include <stdint.h>

typedef struct rte_mbuf *culvert_mbuf;

// First byte of the frame.
__attribute__((returns_nonnull)) static inline void *culvert_mbuf_data(culvert_mbuf m) { return rte_pktmbuf_mtod(m, void *); }
// Bytes of the frame in its first segment, and in all of them.
static inline uint32_t culvert_mbuf_data_length(culvert_mbuf m) { return m->data_len; }
static inline uint32_t culvert_mbuf_length(culvert_mbuf m) { return m->pkt_len; }
// Bytes of the buffer in front of the frame and behind it.
static inline uint32_t culvert_mbuf_headroom(culvert_mbuf m) { return m->data_off; }
static inline uint32_t culvert_mbuf_tailroom(culvert_mbuf m) { return rte_pktmbuf_tailroom(m); }
static inline uint16_t culvert_mbuf_port(culvert_mbuf m) { return m->port; }
static inline uint64_t culvert_mbuf_offload_flags(culvert_mbuf m) { return m->ol_flags; }
static inline uint32_t culvert_mbuf_l2_length(culvert_mbuf m) { return m->l2_len; }
static inline uint32_t culvert_mbuf_l3_length(culvert_mbuf m) { return m->l3_len; }

// Makes the frame of this single-segment buffer the `length` bytes that start `shift` bytes after its present first byte
// (before it, when negative). The caller has made sure that both ends lie in the buffer.
static inline void culvert_mbuf_set_frame(culvert_mbuf m, int32_t shift, uint32_t length) {
    m->data_off = (uint16_t)(m->data_off + shift);
    m->data_len = (uint16_t)length;
    m->pkt_len = length;
}

// Frames in several segments. `segment` is one of them, the frame's own buffer being the first.
static inline culvert_mbuf culvert_mbuf_next(culvert_mbuf segment) { return segment->next; }
static inline uint32_t culvert_mbuf_segments(culvert_mbuf m) { return m->nb_segs; }
// Moves the first byte of this segment alone, not its last. The caller has made sure that it lies in the buffer.
static inline void culvert_mbuf_move_start(culvert_mbuf segment, int32_t shift) {
    segment->data_off = (uint16_t)(segment->data_off + shift);
    segment->data_len = (uint16_t)(segment->data_len - shift);
}
// The bytes of this segment alone.
static inline void culvert_mbuf_set_data_length(culvert_mbuf segment, uint32_t length) { segment->data_len = (uint16_t)length; }
// Where the frame goes on after this segment; NULL: nowhere.
static inline void culvert_mbuf_set_next(culvert_mbuf segment, culvert_mbuf next) { segment->next = next; }
// What the frame's first buffer says of all of its segments.
static inline void culvert_mbuf_set_chain(culvert_mbuf m, uint32_t segments, uint32_t length) {
    m->nb_segs = (uint16_t)segments;
    m->pkt_len = length;
}
// Frees one segment, which is no part of a frame any more.
static inline void culvert_mbuf_free_segment(culvert_mbuf segment) { rte_pktmbuf_free_seg(segment); }

// No transmit offload is asked of the port: what receive flags the frame came with mean nothing on the way out.
static inline void culvert_mbuf_clear_offload_flags(culvert_mbuf m) { m->ol_flags = 0; }

// A note of 64 bits that travels with a buffer between a worker and the exchange.
static inline void culvert_mbuf_set_note(culvert_mbuf m, uint32_t low, uint32_t high) {
    m->hash.fdir.lo = low;
    m->hash.fdir.hi = high;
}
// 16 bits more of it.
static inline void culvert_mbuf_set_note_detail(culvert_mbuf m, uint16_t detail) { m->vlan_tci = detail; }
static inline uint16_t culvert_mbuf_note_detail(culvert_mbuf m) { return m->vlan_tci; }
static inline uint32_t culvert_mbuf_note_low(culvert_mbuf m) { return m->hash.fdir.lo; }
static inline uint32_t culvert_mbuf_note_high(culvert_mbuf m) { return m->hash.fdir.hi; }

// Asks the port for the UDP checksum: the headers before UDP have so many bytes, and the sum over the pseudo header is in the
// checksum's place. The frame lies in one buffer.
static inline void culvert_mbuf_request_udp_checksum(culvert_mbuf m, uint32_t l2_length, uint32_t l3_length, int is_ipv6) {
    m->ol_flags = RTE_MBUF_F_TX_UDP_CKSUM | (is_ipv6 ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4);
    m->tx_offload = 0;
    m->l2_len = l2_length;
    m->l3_len = l3_length;
}

static inline struct rte_mempool *culvert_mbuf_pool(culvert_mbuf m) { return m->pool; }
static inline culvert_mbuf culvert_mbuf_allocate(struct rte_mempool *pool) { return rte_pktmbuf_alloc(pool); }
static inline int culvert_mbuf_allocate_bulk(struct rte_mempool *pool, culvert_mbuf *m, unsigned count) {
    return rte_pktmbuf_alloc_bulk(pool, m, count);
}
static inline void culvert_mbuf_free(culvert_mbuf m) { rte_pktmbuf_free(m); }
// Frees a frame and counts it. Being cold, it tells the compiler to keep what leads here out of the way of what does not.
__attribute__((cold)) void culvert_mbuf_drop(culvert_mbuf m, uint64_t *counter);
static inline void culvert_mbuf_free_bulk(culvert_mbuf *m, unsigned count) { rte_pktmbuf_free_bulk(m, count); }
static inline void culvert_mbuf_set_port(culvert_mbuf m, uint16_t port) { m->port = port; }
// Puts an allocated buffer into the state that a fresh one has: whole, empty, default headroom.
static inline void culvert_mbuf_reset(culvert_mbuf m) { rte_pktmbuf_reset(m); }

static inline struct rte_mempool *culvert_pool_create(
    const char *name, unsigned count, unsigned cache, uint16_t data_room, int socket) {
    return rte_pktmbuf_pool_create(name, count, cache, 0, data_room, socket);
}
// A pool without a cache, for one thread that takes buffers and one that gives them back.
static inline struct rte_mempool *culvert_pool_create_single(const char *name, unsigned count, uint16_t data_room, int socket) {
    return rte_pktmbuf_pool_create_by_ops(name, count, 0, 0, data_room, socket, "ring_sp_sc");
}
static inline void culvert_pool_free(struct rte_mempool *pool) { rte_mempool_free(pool); }
static inline unsigned culvert_pool_available(struct rte_mempool *pool) { return rte_mempool_avail_count(pool); }
static inline struct rte_mempool *culvert_pool_lookup(const char *name) { return rte_mempool_lookup(name); }

// Copies what does not overlap, in vectors and without a call.
static inline void culvert_copy(void *to, const void *from, size_t length) { rte_memcpy(to, from, length); }

static inline void culvert_prefetch(const void *address) { rte_prefetch0(address); }

enum {
    CULVERT_DEFAULT_HEADROOM = RTE_PKTMBUF_HEADROOM,
    CULVERT_POOL_CACHE_MAX = RTE_MEMPOOL_CACHE_MAX_SIZE,
};
static const uint64_t CULVERT_TX_UDP_CHECKSUM = RTE_MBUF_F_TX_UDP_CKSUM;
static const uint64_t CULVERT_TX_IPV4 = RTE_MBUF_F_TX_IPV4;
static const uint64_t CULVERT_TX_IPV6 = RTE_MBUF_F_TX_IPV6;
static const uint64_t CULVERT_RX_IP_CHECKSUM_MASK = RTE_MBUF_F_RX_IP_CKSUM_MASK;
static const uint64_t CULVERT_RX_IP_CHECKSUM_GOOD = RTE_MBUF_F_RX_IP_CKSUM_GOOD;
static const uint64_t CULVERT_RX_L4_CHECKSUM_MASK = RTE_MBUF_F_RX_L4_CKSUM_MASK;
static const uint64_t CULVERT_RX_L4_CHECKSUM_GOOD = RTE_MBUF_F_RX_L4_CKSUM_GOOD;

#endif
