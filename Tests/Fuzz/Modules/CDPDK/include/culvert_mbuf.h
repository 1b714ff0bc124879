// The packet buffer shims as they are, but for where buffers come from and go to: each is a malloc of its own, and so is each
// frame's room, of exactly the size that the test asks for. So AddressSanitizer sees every octet that is touched outside of
// a buffer, after it was freed, or twice freed, and what is never freed is counted.
#ifndef CULVERT_FUZZ_MBUF_H
#define CULVERT_FUZZ_MBUF_H

#define culvert_mbuf_allocate culvert_mbuf_allocate_from_pool
#define culvert_mbuf_allocate_bulk culvert_mbuf_allocate_bulk_from_pool
#define culvert_mbuf_free culvert_mbuf_free_to_pool
#define culvert_mbuf_free_bulk culvert_mbuf_free_bulk_to_pool
#define culvert_mbuf_free_segment culvert_mbuf_free_segment_to_pool
#include "../../../../../Sources/CShims/DPDK/include/culvert_mbuf.h"
#undef culvert_mbuf_allocate
#undef culvert_mbuf_allocate_bulk
#undef culvert_mbuf_free
#undef culvert_mbuf_free_bulk
#undef culvert_mbuf_free_segment

// A buffer for a frame of `length` octets with room in front of it and behind it.
culvert_mbuf fuzz_mbuf_make(uint32_t headroom, uint32_t length, uint32_t tailroom);
// Buffers that were made and not freed.
uint64_t fuzz_mbuf_count(void);

// Buffers of a usual size, whichever the pool; and none when `fuzz_mbuf_limit` are there.
culvert_mbuf culvert_mbuf_allocate(struct rte_mempool *pool);
int culvert_mbuf_allocate_bulk(struct rte_mempool *pool, culvert_mbuf *m, unsigned count);
void fuzz_mbuf_limit(uint64_t count);

// Stops the program unless the first buffer tells the truth about the segments.
void culvert_mbuf_free(culvert_mbuf m);
void culvert_mbuf_free_bulk(culvert_mbuf *m, unsigned count);
void culvert_mbuf_free_segment(culvert_mbuf segment);

#endif
