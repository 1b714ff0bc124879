#include "culvert_eal.h"
#include "culvert_ethdev.h"
#include "culvert_mbuf.h"
#include "culvert_rcu.h"
#include "culvert_ring.h"

void culvert_mbuf_drop(culvert_mbuf m, uint64_t *counter) {
    __atomic_store_n(counter, __atomic_load_n(counter, __ATOMIC_RELAXED) + 1, __ATOMIC_RELAXED);
    rte_pktmbuf_free(m);
}
