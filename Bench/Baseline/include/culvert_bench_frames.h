// What the bench needs around the measured path: a clock, and frames that can be put back cheaply.
#ifndef CULVERT_BENCH_FRAMES_H
#define CULVERT_BENCH_FRAMES_H

#include <rte_cycles.h>
#include <rte_mbuf.h>
#include <stdint.h>
#include <string.h>

// The processor's time-stamp counter, after everything before it has been executed.
static inline uint64_t culvert_bench_ticks(void) {
#if defined(__x86_64__)
    __builtin_ia32_lfence();
    uint64_t now = __builtin_ia32_rdtsc();
    __builtin_ia32_lfence();
    return now;
#else
    return rte_rdtsc_precise();
#endif
}

// Ticks of that counter a second.
static inline uint64_t culvert_bench_ticks_per_second(void) { return rte_get_tsc_hz(); }

// A frame as it came off the wire: `header` at the start of the data room, `length` bytes in all. What lies behind the
// header stays as it is, since forwarding writes only in front of it.
static inline void culvert_bench_restore(struct rte_mbuf *frame, const uint8_t *header, uint32_t header_length, uint32_t length, uint16_t port) {
    frame->data_off = RTE_PKTMBUF_HEADROOM;
    frame->nb_segs = 1;
    frame->next = NULL;
    frame->ol_flags = 0;
    frame->packet_type = 0;
    frame->port = port;
    frame->data_len = (uint16_t)length;
    frame->pkt_len = length;
    memcpy((uint8_t *)frame->buf_addr + RTE_PKTMBUF_HEADROOM, header, header_length);
}

// Lets each of these frames be freed once and still be there.
static inline void culvert_bench_share(struct rte_mbuf **frames, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) rte_mbuf_refcnt_set(frames[i], 2);
}

static inline struct rte_mbuf *culvert_bench_allocate(struct rte_mempool *pool) { return rte_pktmbuf_alloc(pool); }
static inline void culvert_bench_free(struct rte_mbuf *frame) { rte_pktmbuf_free(frame); }
static inline const uint8_t *culvert_bench_bytes(const struct rte_mbuf *frame) { return (const uint8_t *)frame->buf_addr + frame->data_off; }
static inline uint32_t culvert_bench_length(const struct rte_mbuf *frame) { return frame->data_len; }
static inline void culvert_bench_fill(struct rte_mbuf *frame, uint8_t value) { memset(frame->buf_addr, value, frame->buf_len); }

#endif
