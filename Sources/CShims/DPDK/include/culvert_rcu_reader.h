// The reader's side of quiescent-state reclamation: what only the data plane, which links DPDK's libraries, calls.
#ifndef CULVERT_RCU_READER_H
#define CULVERT_RCU_READER_H

#include <rte_rcu_qsbr.h>
#include <stdint.h>

// Makes worker `worker` one that reclamation waits for, from culvert_rcu_online on.
static inline int culvert_rcu_register(void *variable, unsigned worker) {
    return rte_rcu_qsbr_thread_register((struct rte_rcu_qsbr *)variable, worker);
}
// Takes it out again; also one that a data plane left behind when it died.
static inline int culvert_rcu_unregister(void *variable, unsigned worker) {
    return rte_rcu_qsbr_thread_unregister((struct rte_rcu_qsbr *)variable, worker);
}
// Reclamation waits for the worker. It may read the tables from here on.
static inline void culvert_rcu_online(void *variable, unsigned worker) {
    rte_rcu_qsbr_thread_online((struct rte_rcu_qsbr *)variable, worker);
}
// Reclamation does not wait for the worker, which reads no table until it is online again: before a sleep, before it ends.
static inline void culvert_rcu_offline(void *variable, unsigned worker) {
    rte_rcu_qsbr_thread_offline((struct rte_rcu_qsbr *)variable, worker);
}

#endif
