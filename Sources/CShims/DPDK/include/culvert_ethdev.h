// Ports.
#ifndef CULVERT_ETHDEV_H
#define CULVERT_ETHDEV_H

#include <rte_bus.h>
#include <rte_dev.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <string.h>
#include "culvert_mbuf.h"

static inline uint16_t culvert_rx_burst(uint16_t port, uint16_t queue, culvert_mbuf *m, uint16_t count) {
    return rte_eth_rx_burst(port, queue, m, count);
}
static inline uint16_t culvert_tx_burst(uint16_t port, uint16_t queue, culvert_mbuf *m, uint16_t count) {
    return rte_eth_tx_burst(port, queue, m, count);
}

// What a port can do, as far as its configuration depends on it.
struct culvert_port_capability {
    uint16_t max_rx_queues;
    uint16_t max_tx_queues;
    uint16_t max_mtu; // 0: the driver states none
    uint16_t min_mtu;
    uint32_t max_frame; // largest Ethernet frame, 0: the driver states none
    int socket;         // NUMA node, negative: unknown
    uint64_t rss;       // RTE_ETH_RSS_* that the port can hash by
    uint64_t rx_offloads;
    uint64_t tx_offloads;
    char driver[32];
};

struct culvert_port_figures {
    uint64_t rx_packets, rx_octets, rx_missed, rx_errors, tx_packets, tx_octets, tx_errors;
};

static inline int culvert_port_capability(uint16_t port, struct culvert_port_capability *capability) {
    struct rte_eth_dev_info info;
    int failed = rte_eth_dev_info_get(port, &info);
    if (failed) return failed;
    memset(capability, 0, sizeof *capability);
    capability->max_rx_queues = info.max_rx_queues;
    capability->max_tx_queues = info.max_tx_queues;
    capability->max_mtu = info.max_mtu == UINT16_MAX ? 0 : info.max_mtu;
    capability->min_mtu = info.min_mtu;
    capability->max_frame = info.max_rx_pktlen;
    capability->socket = rte_eth_dev_socket_id(port);
    capability->rss = info.flow_type_rss_offloads;
    capability->rx_offloads = info.rx_offload_capa;
    capability->tx_offloads = info.tx_offload_capa;
    if (info.driver_name) strncpy(capability->driver, info.driver_name, sizeof capability->driver - 1);
    return 0;
}

static const uint64_t CULVERT_RSS_IP_UDP = RTE_ETH_RSS_IP | RTE_ETH_RSS_UDP;
static const uint64_t CULVERT_RSS_PPPOE = RTE_ETH_RSS_PPPOE;
static const uint64_t CULVERT_RSS_L2TPV2 = RTE_ETH_RSS_L2TPV2;
static const uint64_t CULVERT_RX_OFFLOAD_CHECKSUM = RTE_ETH_RX_OFFLOAD_IPV4_CKSUM | RTE_ETH_RX_OFFLOAD_UDP_CKSUM;
static const uint64_t CULVERT_TX_OFFLOAD_UDP_CHECKSUM = RTE_ETH_TX_OFFLOAD_UDP_CKSUM;
static const uint64_t CULVERT_TX_OFFLOAD_CHAINED = RTE_ETH_TX_OFFLOAD_MULTI_SEGS;

// `rss` and the offloads within the port's capability; rss 0: no spreading over queues.
static inline int culvert_port_configure(
    uint16_t port, uint16_t rx_queues, uint16_t tx_queues, uint32_t mtu, uint64_t rss, uint64_t rx_offloads,
    uint64_t tx_offloads) {
    struct rte_eth_conf configuration;
    memset(&configuration, 0, sizeof configuration);
    configuration.rxmode.mtu = mtu;
    configuration.rxmode.offloads = rx_offloads;
    configuration.txmode.offloads = tx_offloads;
    if (rss) {
        configuration.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
        configuration.rx_adv_conf.rss_conf.rss_hf = rss;
    }
    return rte_eth_dev_configure(port, rx_queues, tx_queues, &configuration);
}
static inline int culvert_port_adjust_descriptors(uint16_t port, uint16_t *rx, uint16_t *tx) {
    return rte_eth_dev_adjust_nb_rx_tx_desc(port, rx, tx);
}
static inline int culvert_port_rx_queue(uint16_t port, uint16_t queue, uint16_t descriptors, int socket, struct rte_mempool *pool) {
    return rte_eth_rx_queue_setup(port, queue, descriptors, (unsigned)socket, NULL, pool);
}
static inline int culvert_port_tx_queue(uint16_t port, uint16_t queue, uint16_t descriptors, int socket) {
    return rte_eth_tx_queue_setup(port, queue, descriptors, (unsigned)socket, NULL);
}
// The device's own statistics, in the order of culvert_port.
static inline int culvert_port_statistics(uint16_t port, struct culvert_port_figures *figures) {
    struct rte_eth_stats stats;
    int failed = rte_eth_stats_get(port, &stats);
    if (failed) return failed;
    *figures = (struct culvert_port_figures){
        .rx_packets = stats.ipackets, .rx_octets = stats.ibytes, .rx_missed = stats.imissed + stats.rx_nombuf,
        .rx_errors = stats.ierrors, .tx_packets = stats.opackets, .tx_octets = stats.obytes, .tx_errors = stats.oerrors};
    return 0;
}
static inline int culvert_port_set_mtu(uint16_t port, uint16_t mtu) { return rte_eth_dev_set_mtu(port, mtu); }
static inline int culvert_port_start(uint16_t port) { return rte_eth_dev_start(port); }
static inline int culvert_port_stop(uint16_t port) { return rte_eth_dev_stop(port); }
static inline int culvert_port_close(uint16_t port) { return rte_eth_dev_close(port); }
static inline int culvert_port_promiscuous(uint16_t port) { return rte_eth_promiscuous_enable(port); }
static inline int culvert_port_all_multicast(uint16_t port) { return rte_eth_allmulticast_enable(port); }

// The six octets of the port's address, in wire order.
static inline int culvert_port_mac(uint16_t port, uint8_t octets[6]) {
    struct rte_ether_addr address;
    int failed = rte_eth_macaddr_get(port, &address);
    if (!failed) memcpy(octets, address.addr_bytes, 6);
    return failed;
}

// speed in Mbit/s.
static inline int culvert_port_link(uint16_t port, uint32_t *speed, uint8_t *up) {
    struct rte_eth_link link;
    memset(&link, 0, sizeof link);
    int failed = rte_eth_link_get_nowait(port, &link);
    *speed = link.link_speed == RTE_ETH_SPEED_NUM_UNKNOWN ? 0 : link.link_speed;
    *up = link.link_status;
    return failed;
}

static inline int culvert_port_by_name(const char *name, uint16_t *port) { return rte_eth_dev_get_port_by_name(name, port); }

// Probes a device, `name,key=value,…`. Negative errno when it cannot be opened.
static inline int culvert_device_probe(const char *arguments) { return rte_dev_probe(arguments); }

// A port whose single receive and transmit queue are these rings; for tests.
static inline int culvert_port_from_rings(const char *name, struct rte_ring *rx, struct rte_ring *tx, int socket) {
    return rte_eth_from_rings(name, &rx, 1, &tx, 1, (unsigned)socket);
}

#endif
