// Quiescent-state reclamation in the shared segment: rte_rcu_qsbr through its inline functions.
//
// The variable lives in the segment. Workers report quiescent points (one store each); culvertd asks whether all of them
// have passed one since it unpublished an entry. Only the data plane links DPDK's libraries: what culvertd calls here is
// inline code over the structure.
#ifndef CULVERT_RCU_H
#define CULVERT_RCU_H

#include <rte_rcu_qsbr.h>
#include <stdint.h>

// Bytes that the variable takes for `workers` reader threads; what rte_rcu_qsbr_get_memsize answers, without the library.
static inline uint64_t culvert_rcu_size(unsigned workers) {
    const uint64_t bitmap_words = (workers + 63) / 64;
    const uint64_t size = sizeof(struct rte_rcu_qsbr) + sizeof(struct rte_rcu_qsbr_cnt) * workers + 8 * bitmap_words;
    return (size + RTE_CACHE_LINE_SIZE - 1) / RTE_CACHE_LINE_SIZE * RTE_CACHE_LINE_SIZE;
}

// Makes the variable ready for `workers` readers, none of them registered. Calls DPDK's library, as the next two do: for
// the data plane alone, while no worker runs. Returns 0, or -1 when `size` bytes are too few.
static inline int culvert_rcu_initialise(void *variable, uint64_t size, unsigned workers) {
    if (rte_rcu_qsbr_get_memsize(workers) > size) return -1;
    return rte_rcu_qsbr_init((struct rte_rcu_qsbr *)variable, workers) == 0 ? 0 : -1;
}

// Makes a worker known as a reader; it is offline until culvert_rcu_online. Returns 0, or an error number.
static inline int culvert_rcu_register(void *variable, unsigned worker) {
    return rte_rcu_qsbr_thread_register((struct rte_rcu_qsbr *)variable, worker);
}
static inline int culvert_rcu_unregister(void *variable, unsigned worker) {
    return rte_rcu_qsbr_thread_unregister((struct rte_rcu_qsbr *)variable, worker);
}

// From here on grace periods wait for the worker.
static inline void culvert_rcu_online(void *variable, unsigned worker) {
    rte_rcu_qsbr_thread_online((struct rte_rcu_qsbr *)variable, worker);
}

// The worker holds no reference and will not look at the tables until culvert_rcu_online: before it sleeps or ends.
static inline void culvert_rcu_offline(void *variable, unsigned worker) {
    rte_rcu_qsbr_thread_offline((struct rte_rcu_qsbr *)variable, worker);
}

// Starts a grace period: the token that culvert_rcu_check is asked for. Writer only.
static inline uint64_t culvert_rcu_start(void *variable) { return rte_rcu_qsbr_start((struct rte_rcu_qsbr *)variable); }

// Whether every online worker has passed a quiescent point since `token`. Never waits. Writer only.
static inline int culvert_rcu_check(void *variable, uint64_t token) {
    return rte_rcu_qsbr_check((struct rte_rcu_qsbr *)variable, token, false);
}

// Reports a quiescent point: the worker holds no reference into the tables now.
static inline void culvert_rcu_quiescent(void *variable, unsigned worker) {
    rte_rcu_qsbr_quiescent((struct rte_rcu_qsbr *)variable, worker);
}

#endif
