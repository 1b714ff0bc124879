// The forwarding path once more, by hand in C: what the Swift data plane is measured against.
//
// Same segment, same frames, same checks, same bytes out. It is compiled twice, by the clang that SwiftPM uses and by gcc
// (Bench/Baseline/build-gcc.sh makes a shared object of it); the faster of the two counts.
#ifndef CULVERT_BASELINE_H
#define CULVERT_BASELINE_H

#include <culvert_segment.h>
#include <stdint.h>

struct rte_mbuf;

enum {
    CULVERT_BASELINE_BURST = 32,
    CULVERT_BASELINE_PORTS = 32,
    CULVERT_BASELINE_QUEUE = 2048,
};

// What became of the frames that were not forwarded; one counter each.
enum culvert_baseline_reason {
    CULVERT_BASELINE_SHORT_FRAME,
    CULVERT_BASELINE_SEGMENTED_FRAME,
    CULVERT_BASELINE_NOT_FOR_US,
    CULVERT_BASELINE_NOT_LOCAL,
    CULVERT_BASELINE_ETHERTYPE,
    CULVERT_BASELINE_NO_CIRCUIT,
    CULVERT_BASELINE_PPPOE_HEADER,
    CULVERT_BASELINE_PPPOE_LENGTH,
    CULVERT_BASELINE_NO_SESSION,
    CULVERT_BASELINE_KEY_MISMATCH,
    CULVERT_BASELINE_NO_TUNNEL,
    CULVERT_BASELINE_NEXT_HOP,
    CULVERT_BASELINE_TOO_BIG,
    CULVERT_BASELINE_IPV4_HEADER,
    CULVERT_BASELINE_IPV4_CHECKSUM,
    CULVERT_BASELINE_FRAGMENT,
    CULVERT_BASELINE_UDP_LENGTH,
    CULVERT_BASELINE_UDP_CHECKSUM,
    CULVERT_BASELINE_L2TP_HEADER,
    CULVERT_BASELINE_PEER,
    CULVERT_BASELINE_PUNT,
    CULVERT_BASELINE_LONG_WAY,
    CULVERT_BASELINE_TRANSMIT_FULL,
    CULVERT_BASELINE_REASONS,
};

// Frames that wait for transmission on one port.
struct culvert_baseline_queue {
    uint32_t count;
    struct rte_mbuf *frames[CULVERT_BASELINE_QUEUE];
};

// One worker: the segment's sections as this process sees them, and what the worker owns.
struct culvert_baseline {
    const struct culvert_port *ports;
    const uint32_t *vlan_entries;
    const struct culvert_circuit *circuits;
    const struct culvert_tunnel *tunnels;
    const struct culvert_template *templates;
    struct culvert_upstream *upstream;
    struct culvert_downstream *downstream;
    uint32_t session_mask;
    uint32_t tunnel_mask;
    uint32_t circuit_mask;
    uint32_t vlan_block_count;
    uint32_t port_count;
    uint32_t plain_session; // what the line of a session without features says that this worker has
    uint32_t ip_identification;
    uint32_t ip_identification_step;
    uint16_t mtu[CULVERT_BASELINE_PORTS];
    uint64_t received_packets[2]; // on access ports, on core ports
    uint64_t received_octets[2];
    uint64_t packets[2]; // forwarded upstream, downstream
    uint64_t octets[2];  // PPP frames from the protocol field on
    uint64_t reasons[CULVERT_BASELINE_REASONS];
    struct culvert_baseline_queue queues[CULVERT_BASELINE_PORTS];
};

// Forwards a burst of at most CULVERT_BASELINE_BURST frames that came in on `port`, below CULVERT_BASELINE_PORTS: PPPoE to L2TP,
// and L2TP to PPPoE. Forwarded frames are in the queue of their port afterwards, the others are counted and freed.
void culvert_baseline_receive(struct culvert_baseline *worker, struct rte_mbuf **frames, uint32_t count, uint32_t port);

// The function as one symbol, for dlopen.
struct culvert_baseline_functions {
    void (*receive)(struct culvert_baseline *, struct rte_mbuf **, uint32_t, uint32_t);
    const char *compiler;
};
const struct culvert_baseline_functions *culvert_baseline_entry(void);

// Forgets the frames that wait for transmission on `port`: they stay their owner's.
static inline void culvert_baseline_discard(struct culvert_baseline *worker, uint32_t port) {
    worker->queues[port & (CULVERT_BASELINE_PORTS - 1)].count = 0;
}

#endif
