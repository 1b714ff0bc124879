#include "culvert_mbuf.h"
#include <stdlib.h>
#include <string.h>

static uint64_t made, limit = UINT64_MAX;
static char pool; // the address alone counts

culvert_mbuf fuzz_mbuf_make(uint32_t headroom, uint32_t length, uint32_t tailroom) {
    struct rte_mbuf *m = NULL;
    if (posix_memalign((void **)&m, RTE_CACHE_LINE_SIZE, sizeof *m)) abort();
    memset(m, 0, sizeof *m);
    const size_t size = (size_t)headroom + length + tailroom;
    if (size > UINT16_MAX) abort();
    m->buf_addr = malloc(size);
    if (!m->buf_addr) abort();
    m->buf_len = (uint16_t)size;
    m->data_off = (uint16_t)headroom;
    m->data_len = (uint16_t)length;
    m->pkt_len = length;
    m->nb_segs = 1;
    m->pool = (struct rte_mempool *)&pool;
    m->port = RTE_MBUF_PORT_INVALID;
    rte_mbuf_refcnt_set(m, 1);
    made++;
    return m;
}

uint64_t fuzz_mbuf_count(void) { return made; }
void fuzz_mbuf_limit(uint64_t count) { limit = count; }

culvert_mbuf culvert_mbuf_allocate(struct rte_mempool *pool) {
    (void)pool;
    return made < limit ? fuzz_mbuf_make(RTE_PKTMBUF_HEADROOM, 0, 2048) : NULL;
}

int culvert_mbuf_allocate_bulk(struct rte_mempool *pool, culvert_mbuf *m, unsigned count) {
    if (made + count > limit) return -1;
    for (unsigned i = 0; i < count; i++) m[i] = culvert_mbuf_allocate(pool);
    return 0;
}

void culvert_mbuf_free_segment(culvert_mbuf segment) {
    if (segment->data_off + segment->data_len > segment->buf_len) abort(); // a frame outside of its buffer
    free(segment->buf_addr);
    free(segment);
    made--;
}

void culvert_mbuf_free(culvert_mbuf m) {
    if (!m) return;
    uint32_t segments = 0, length = 0;
    for (culvert_mbuf segment = m; segment; segment = segment->next) segments++, length += segment->data_len;
    if (segments != m->nb_segs || length != m->pkt_len) abort(); // a driver would send something else
    while (m) {
        culvert_mbuf next = m->next;
        culvert_mbuf_free_segment(m);
        m = next;
    }
}

void culvert_mbuf_free_bulk(culvert_mbuf *m, unsigned count) {
    for (unsigned i = 0; i < count; i++) culvert_mbuf_free(m[i]);
}

void culvert_mbuf_drop(culvert_mbuf m, uint64_t *counter) {
    ++*counter;
    culvert_mbuf_free(m);
}
