// Quiescent-state reclamation in the shared segment: rte_rcu_qsbr through its inline functions.
//
// The variable lives in the segment. Workers report quiescent points (one store each); culvertd asks whether all of them
// have passed one since it unpublished an entry. Only the data plane links DPDK's libraries: what culvertd calls here is
// inline code over the structure.
#ifndef CULVERT_RCU_H
#define CULVERT_RCU_H

#include <rte_rcu_qsbr.h>
#include <stdint.h>

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
