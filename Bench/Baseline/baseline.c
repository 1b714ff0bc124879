// Encapsulation and decapsulation by hand in C. See culvert_baseline.h.
//
// Each direction is a few short loops over the burst. A loop does for every frame what can be done with the lines that the
// loop before it asked for, and asks for the next one: frame bytes, then session (upstream) or tunnel and session
// (downstream), then template. A frame that falls out is counted, freed, and leaves the list that the next loop walks.
#include "culvert_baseline.h"

#include <rte_mbuf.h>
#include <rte_prefetch.h>
#include <string.h>

#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)

static inline uint16_t load16(const void *at) { uint16_t v; memcpy(&v, at, 2); return v; }
static inline uint32_t load32(const void *at) { uint32_t v; memcpy(&v, at, 4); return v; }
static inline uint64_t load64(const void *at) { uint64_t v; memcpy(&v, at, 8); return v; }
static inline void store16(void *at, uint16_t v) { memcpy(at, &v, 2); }
static inline uint16_t be16(uint16_t v) { return __builtin_bswap16(v); }
static inline uint32_t fold(uint64_t sum) {
    sum = (sum & 0xffffffff) + (sum >> 32);
    sum = (sum & 0xffffffff) + (sum >> 32);
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    return (uint32_t)sum;
}

static inline uint64_t sum_bytes(const uint8_t *at, uint32_t length) {
    uint64_t sum = 0;
    for (; length >= 4; at += 4, length -= 4) sum += load32(at);
    if (length >= 2) { sum += load16(at); at += 2; length -= 2; }
    if (length) sum += *at;
    return sum;
}

static void drop(struct culvert_baseline *worker, struct rte_mbuf *frame, enum culvert_baseline_reason reason) {
    worker->reasons[reason] += 1;
    rte_pktmbuf_free(frame);
}

static inline void queue(struct culvert_baseline *worker, struct rte_mbuf *frame, uint32_t port) {
    struct culvert_baseline_queue *to = &worker->queues[port];
    if (UNLIKELY(to->count >= CULVERT_BASELINE_QUEUE)) { rte_pktmbuf_free(frame); return; }
    to->frames[to->count++] = frame;
}

// Ethernet with up to two tags. Yields the length of it all, and the circuit's lookup in the port's VLAN tables.
struct ethernet {
    uint32_t length;
    uint16_t ethertype; // wire order
    uint16_t outer, inner;
    uint16_t tpid; // host order, of the tag that `outer` came from
};

static inline int parse_ethernet(const uint8_t *bytes, uint32_t available, struct ethernet *header) {
    if (UNLIKELY(available < 14)) return 0;
    uint16_t type = load16(bytes + 12);
    header->length = 14;
    header->outer = 0;
    header->inner = 0;
    header->tpid = 0;
    // A tag with VLAN 0 carries a priority and names no VLAN.
    if (UNLIKELY(type == be16(0x8100) || type == be16(0x88a8))) {
        if (UNLIKELY(available < 18)) return 0;
        header->outer = be16(load16(bytes + 14)) & 0xfff;
        header->length = 18;
        if (header->outer) header->tpid = be16(type);
        type = load16(bytes + 16);
        if (type == be16(0x8100)) {
            if (UNLIKELY(available < 22)) return 0;
            header->inner = be16(load16(bytes + 18)) & 0xfff;
            if (header->outer == 0 && header->inner != 0) { header->outer = header->inner; header->inner = 0; header->tpid = 0x8100; }
            header->length = 22;
            type = load16(bytes + 20);
        }
    }
    header->ethertype = type;
    return 1;
}

static inline uint32_t vlan_entry(const struct culvert_baseline *worker, uint32_t block, uint32_t vlan) {
    if (UNLIKELY(block == 0 || block >= worker->vlan_block_count)) return 0;
    return __atomic_load_n(&worker->vlan_entries[(size_t)block * CULVERT_VLAN_COUNT + vlan], __ATOMIC_ACQUIRE);
}

static inline uint32_t circuit_of(const struct culvert_baseline *worker, const struct culvert_port *port, const struct ethernet *header) {
    if (LIKELY(header->outer == 0)) return header->inner == 0 ? port->untagged_circuit : CULVERT_NO_INDEX;
    uint32_t outer = vlan_entry(worker, port->vlan_block, header->outer);
    if (outer & CULVERT_VLAN_INNER) return vlan_entry(worker, outer & ~CULVERT_VLAN_INNER, header->inner) - 1;
    return header->inner == 0 ? outer - 1 : CULVERT_NO_INDEX;
}

static inline uint32_t slot_of(const uint32_t *region, uint32_t id, uint32_t mask) {
    return (region[id >> CULVERT_PAGE_SHIFT] << CULVERT_PAGE_SHIFT | (id & ((1u << CULVERT_PAGE_SHIFT) - 1))) & mask;
}

static inline int same_address(const uint8_t *a, const uint8_t *b) {
    return load32(a) == load32(b) && load16(a + 4) == load16(b + 4);
}

static inline int is_local(const struct culvert_port *port, uint32_t address) {
    uint32_t count = port->address_count < CULVERT_PORT_ADDRESSES ? port->address_count : CULVERT_PORT_ADDRESSES;
    for (uint32_t i = 0; i < count; i++)
        if (port->local_ipv4[i] == address) return 1;
    return 0;
}

void culvert_baseline_encapsulate(struct culvert_baseline *worker, struct rte_mbuf **frames, uint32_t count, uint32_t port_index) {
    struct { struct rte_mbuf *frame; uint64_t key; uint32_t slot, circuit, ppp_offset, ppp_length; const struct culvert_template *template; } work[CULVERT_BASELINE_BURST];
    const struct culvert_port *port = &worker->ports[port_index];
    if (count > CULVERT_BASELINE_BURST) count = CULVERT_BASELINE_BURST;

    for (uint32_t i = 0; i < count; i++) rte_prefetch0(rte_pktmbuf_mtod(frames[i], void *));

    // Frame -> circuit, slot.
    uint32_t live = 0;
    uint64_t received = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct rte_mbuf *frame = frames[i];
        const uint8_t *bytes = rte_pktmbuf_mtod(frame, const uint8_t *);
        uint32_t available = frame->data_len;
        struct ethernet header;
        received += frame->pkt_len;
        if (UNLIKELY(frame->nb_segs != 1)) { drop(worker, frame, CULVERT_BASELINE_SEGMENTED_FRAME); continue; }
        if (UNLIKELY(!parse_ethernet(bytes, available, &header))) { drop(worker, frame, CULVERT_BASELINE_SHORT_FRAME); continue; }
        if (UNLIKELY(header.ethertype != be16(0x8864))) { drop(worker, frame, CULVERT_BASELINE_ETHERTYPE); continue; }
        if (UNLIKELY(!same_address(bytes, port->mac))) { drop(worker, frame, CULVERT_BASELINE_NOT_FOR_US); continue; }
        if (UNLIKELY(available < header.length + 6)) { drop(worker, frame, CULVERT_BASELINE_SHORT_FRAME); continue; }
        const uint8_t *pppoe = bytes + header.length;
        if (UNLIKELY(load16(pppoe) != be16(0x1100))) { drop(worker, frame, CULVERT_BASELINE_PPPOE_HEADER); continue; }
        uint32_t length = be16(load16(pppoe + 4));
        if (UNLIKELY(length < 1 || length > available - header.length - 6)) { drop(worker, frame, CULVERT_BASELINE_PPPOE_LENGTH); continue; }
        uint32_t circuit = circuit_of(worker, port, &header);
        if (UNLIKELY(circuit > worker->circuit_mask)) { drop(worker, frame, CULVERT_BASELINE_NO_CIRCUIT); continue; }
        const struct culvert_circuit *entry = &worker->circuits[circuit];
        uint64_t identity = (port_index & 0xffff) | (uint64_t)header.outer << 16 | (uint64_t)header.inner << 32 | (uint64_t)header.tpid << 48;
        if (UNLIKELY(__atomic_load_n(&entry->state, __ATOMIC_ACQUIRE) != CULVERT_STATE_FORWARD || load64(&entry->port) != identity)) { drop(worker, frame, CULVERT_BASELINE_NO_CIRCUIT); continue; }
        uint16_t id = load16(pppoe + 2);
        uint32_t slot = slot_of(entry->region, be16(id), worker->session_mask);
        rte_prefetch0(&worker->upstream[slot]);
        work[live].frame = frame;
        work[live].key = load32(bytes + 6) | (uint64_t)load16(bytes + 10) << 32 | (uint64_t)id << 48;
        work[live].slot = slot;
        work[live].circuit = circuit;
        work[live].ppp_offset = header.length + 6;
        work[live].ppp_length = length;
        live++;
    }

    // Session -> tunnel. The session's own line holds all that is compared.
    worker->received_packets += count;
    worker->received_octets += received;
    count = live;
    live = 0;
    for (uint32_t i = 0; i < count; i++) {
        const struct culvert_upstream *session = &worker->upstream[work[i].slot];
        uint32_t state = __atomic_load_n(&session->state, __ATOMIC_ACQUIRE);
        if (UNLIKELY(state != CULVERT_STATE_FORWARD)) {
            drop(worker, work[i].frame, state == CULVERT_STATE_PUNT ? CULVERT_BASELINE_PUNT : CULVERT_BASELINE_NO_SESSION);
            continue;
        }
        if (UNLIKELY(session->circuit != work[i].circuit || load64(session->client_mac) != work[i].key)) {
            drop(worker, work[i].frame, CULVERT_BASELINE_KEY_MISMATCH);
            continue;
        }
        const struct culvert_tunnel *tunnel = &worker->tunnels[session->tunnel & worker->tunnel_mask];
        if (UNLIKELY(__atomic_load_n(&tunnel->state, __ATOMIC_ACQUIRE) != CULVERT_STATE_FORWARD)) {
            drop(worker, work[i].frame, CULVERT_BASELINE_NO_TUNNEL);
            continue;
        }
        const struct culvert_template *template =
            &worker->templates[(size_t)(session->tunnel & worker->tunnel_mask) * 2 + (tunnel->template_selector & 1)];
        rte_prefetch0(template);
        rte_prefetch0((const uint8_t *)template + 64);
        work[live] = work[i];
        work[live].template = template;
        live++;
    }

    // Template in front of the PPP protocol field, patches, counters.
    uint32_t identification = worker->ip_identification;
    uint64_t packets = 0, octets = 0;
    for (uint32_t i = 0; i < live; i++) {
        struct rte_mbuf *frame = work[i].frame;
        struct culvert_upstream *session = &worker->upstream[work[i].slot];
        const struct culvert_template *template = work[i].template;
        uint32_t length = work[i].ppp_length;
        uint32_t header = template->length, l2 = template->l2_length, flags = template->flags, egress = template->port;
        uint32_t l2tp_length_field = (flags & CULVERT_TEMPLATE_L2TP_LENGTH) ? 2 : 0;
        if (UNLIKELY(!(flags & CULVERT_TEMPLATE_READY) || egress >= worker->port_count || egress >= CULVERT_BASELINE_PORTS)) {
            drop(worker, frame, CULVERT_BASELINE_NEXT_HOP);
            continue;
        }
        if (UNLIKELY(header > CULVERT_TEMPLATE_CAPACITY || template->l3_length != 20 || header != l2 + 20 + 8 + 8 + l2tp_length_field)) {
            drop(worker, frame, CULVERT_BASELINE_NO_TUNNEL);
            continue;
        }
        uint32_t ip_length = header - l2 + length;
        if (UNLIKELY(ip_length > template->mtu)) { drop(worker, frame, CULVERT_BASELINE_TOO_BIG); continue; }
        uint32_t ppp_offset = frame->data_off + work[i].ppp_offset;
        if (UNLIKELY(ppp_offset < CULVERT_TEMPLATE_CAPACITY)) { drop(worker, frame, CULVERT_BASELINE_TOO_BIG); continue; }
        uint8_t *ppp = (uint8_t *)frame->buf_addr + ppp_offset;
        // The inner packet's ToS: IPv4's second octet, or IPv6's traffic class.
        uint32_t inner_tos = 0, inherit = 0;
        if (UNLIKELY(flags & CULVERT_TEMPLATE_TOS_INHERIT)) {
            uint32_t field = (ppp[0] & 1) ? 1 : 2;
            if (length >= field + 2) {
                uint32_t protocol = field == 1 ? ppp[0] : be16(load16(ppp)), front = be16(load16(ppp + field));
                if (protocol == 0x21 && front >> 12 == 4) { inner_tos = front & 0xff; inherit = 1; }
                if (protocol == 0x57 && front >> 12 == 6) { inner_tos = front >> 4 & 0xff; inherit = 1; }
            }
        }
        if (LIKELY(header <= 64)) memcpy(ppp - 64, template->bytes + CULVERT_TEMPLATE_CAPACITY - 64, 64);
        else memcpy(ppp - CULVERT_TEMPLATE_CAPACITY, template->bytes, CULVERT_TEMPLATE_CAPACITY);

        // Sums are over words as they lie in memory (RFC 1071, 2 (B)): nothing is swapped on its way into the header.
        uint8_t *ip = ppp - header + l2, *udp = ip + 20;
        uint64_t sum = template->ip_sum;
        identification = (identification + 1) & 0xffff;
        uint16_t wire_length = be16((uint16_t)ip_length), wire_identification = be16((uint16_t)identification);
        store16(ip + 2, wire_length);
        store16(ip + 4, wire_identification);
        if (UNLIKELY(inherit)) {
            sum += (uint16_t)~load16(ip);
            ip[1] = (uint8_t)inner_tos;
            sum += load16(ip);
        }
        store16(ip + 10, (uint16_t)~fold(sum + wire_length + wire_identification));
        store16(udp + 4, be16((uint16_t)(ip_length - 20)));
        if (l2tp_length_field) store16(udp + 10, be16((uint16_t)(ip_length - 28)));
        store16(ppp - 4, session->peer_session_id);
        if (UNLIKELY(flags & CULVERT_TEMPLATE_UDP_CHECKSUM)) {
            uint16_t check = (uint16_t)~fold(sum_bytes(udp, ip_length - 20) + template->pseudo_sum + be16((uint16_t)(ip_length - 20)));
            store16(udp + 6, check == 0 ? 0xffff : check);
        }
        frame->data_off = (uint16_t)(ppp_offset - header);
        frame->data_len = (uint16_t)(header + length);
        frame->pkt_len = header + length;
        frame->ol_flags = 0;
        __atomic_store_n(&session->packets, session->packets + 1, __ATOMIC_RELAXED);
        __atomic_store_n(&session->octets, session->octets + length, __ATOMIC_RELAXED);
        packets++;
        octets += length;
        queue(worker, frame, egress);
    }
    worker->ip_identification = identification;
    worker->packets[0] += packets;
    worker->octets[0] += octets;
}

void culvert_baseline_decapsulate(struct culvert_baseline *worker, struct rte_mbuf **frames, uint32_t count, uint32_t port_index) {
    struct { struct rte_mbuf *frame; uint32_t tunnel, slot, id; uint32_t ppp_offset, ppp_length; uint32_t peer_address, local_address; uint32_t ports; } work[CULVERT_BASELINE_BURST];
    const struct culvert_port *port = &worker->ports[port_index];
    if (count > CULVERT_BASELINE_BURST) count = CULVERT_BASELINE_BURST;

    for (uint32_t i = 0; i < count; i++) rte_prefetch0(rte_pktmbuf_mtod(frames[i], void *));

    // Ethernet, IPv4, UDP, L2TP -> tunnel.
    uint32_t live = 0;
    uint64_t received = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct rte_mbuf *frame = frames[i];
        const uint8_t *bytes = rte_pktmbuf_mtod(frame, const uint8_t *);
        uint32_t available = frame->data_len;
        struct ethernet header;
        received += frame->pkt_len;
        if (UNLIKELY(frame->nb_segs != 1)) { drop(worker, frame, CULVERT_BASELINE_SEGMENTED_FRAME); continue; }
        if (UNLIKELY(!parse_ethernet(bytes, available, &header))) { drop(worker, frame, CULVERT_BASELINE_SHORT_FRAME); continue; }
        if (UNLIKELY(header.ethertype != be16(0x0800))) { drop(worker, frame, CULVERT_BASELINE_ETHERTYPE); continue; }
        if (UNLIKELY(!same_address(bytes, port->mac))) { drop(worker, frame, CULVERT_BASELINE_NOT_FOR_US); continue; }
        const uint8_t *ip = bytes + header.length;
        available -= header.length;
        if (UNLIKELY(available < 20)) { drop(worker, frame, CULVERT_BASELINE_SHORT_FRAME); continue; }
        uint32_t ip_header = (ip[0] & 15u) * 4, ip_length = be16(load16(ip + 2));
        if (UNLIKELY(ip[0] >> 4 != 4 || ip_header < 20 || ip_length < ip_header || ip_length > available)) { drop(worker, frame, CULVERT_BASELINE_IPV4_HEADER); continue; }
        uint64_t sum = (uint64_t)load32(ip) + load32(ip + 4) + load32(ip + 8) + load32(ip + 12) + load32(ip + 16);
        for (uint32_t at = 20; UNLIKELY(at < ip_header); at += 4) sum += load32(ip + at);
        if (UNLIKELY(fold(sum) != 0xffff)) { drop(worker, frame, CULVERT_BASELINE_IPV4_CHECKSUM); continue; }
        if (UNLIKELY(!is_local(port, load32(ip + 16)))) { drop(worker, frame, CULVERT_BASELINE_NOT_LOCAL); continue; }
        if (UNLIKELY(load16(ip + 6) & be16(0x3fff))) { drop(worker, frame, CULVERT_BASELINE_FRAGMENT); continue; }
        if (UNLIKELY(ip[9] != 17)) { drop(worker, frame, CULVERT_BASELINE_PUNT); continue; }
        const uint8_t *udp = ip + ip_header;
        uint32_t udp_length = ip_length - ip_header < 8 ? 0 : be16(load16(udp + 4));
        if (UNLIKELY(udp_length < 8 + 6 || udp_length > ip_length - ip_header)) { drop(worker, frame, CULVERT_BASELINE_UDP_LENGTH); continue; }
        if (UNLIKELY(load16(udp + 2) != be16(1701))) { drop(worker, frame, CULVERT_BASELINE_PUNT); continue; }
        if (UNLIKELY(load16(udp + 6) != 0)) {
            uint64_t total = sum_bytes(udp, udp_length) + load32(ip + 12) + load32(ip + 16) + be16(17) + load16(udp + 4);
            if (UNLIKELY(fold(total) != 0xffff)) { drop(worker, frame, CULVERT_BASELINE_UDP_CHECKSUM); continue; }
        }
        const uint8_t *l2tp = udp + 8;
        uint32_t left = udp_length - 8, at = 2, flags = be16(load16(l2tp));
        if (UNLIKELY(flags & 0x8000)) { drop(worker, frame, CULVERT_BASELINE_PUNT); continue; }
        if (UNLIKELY((flags & 15) != 2)) { drop(worker, frame, CULVERT_BASELINE_L2TP_HEADER); continue; }
        if (flags & 0x4000) { // L: the length may cut the datagram short, never extend it
            uint32_t length = be16(load16(l2tp + 2));
            if (UNLIKELY(length > left || length < 8)) { drop(worker, frame, CULVERT_BASELINE_L2TP_HEADER); continue; }
            left = length;
            at = 4;
        }
        uint32_t fields = at + 4 + (flags & 0x0800 ? 4 : 0) + (flags & 0x0200 ? 2 : 0);
        if (UNLIKELY(left < fields)) { drop(worker, frame, CULVERT_BASELINE_L2TP_HEADER); continue; }
        uint32_t tunnel = be16(load16(l2tp + at)), id = be16(load16(l2tp + at + 2));
        if (UNLIKELY(flags & 0x0200)) { // O: pad after the offset size field
            fields += be16(load16(l2tp + fields - 2));
            if (UNLIKELY(left < fields)) { drop(worker, frame, CULVERT_BASELINE_L2TP_HEADER); continue; }
        }
        const uint8_t *ppp = l2tp + fields;
        left -= fields;
        if (LIKELY(left >= 2 && load16(ppp) == be16(0xff03))) { ppp += 2; left -= 2; }
        if (UNLIKELY(left < 1)) { drop(worker, frame, CULVERT_BASELINE_L2TP_HEADER); continue; }
        if (UNLIKELY(tunnel > worker->tunnel_mask)) { drop(worker, frame, CULVERT_BASELINE_NO_TUNNEL); continue; }
        rte_prefetch0(&worker->tunnels[tunnel]);
        work[live].frame = frame;
        work[live].tunnel = tunnel;
        work[live].id = id;
        work[live].peer_address = load32(ip + 12);
        work[live].local_address = load32(ip + 16);
        work[live].ports = load32(udp);
        work[live].ppp_offset = (uint32_t)(ppp - (const uint8_t *)frame->buf_addr);
        work[live].ppp_length = left;
        live++;
    }

    // Tunnel: the peer's address and port, then the session's slot.
    worker->received_packets += count;
    worker->received_octets += received;
    count = live;
    live = 0;
    for (uint32_t i = 0; i < count; i++) {
        const struct culvert_tunnel *tunnel = &worker->tunnels[work[i].tunnel];
        if (UNLIKELY(__atomic_load_n(&tunnel->state, __ATOMIC_ACQUIRE) != CULVERT_STATE_FORWARD || tunnel->family != CULVERT_TUNNEL_IPV4)) {
            drop(worker, work[i].frame, CULVERT_BASELINE_NO_TUNNEL);
            continue;
        }
        if (UNLIKELY(load32(tunnel->peer_address) != work[i].peer_address || load32(tunnel->local_address) != work[i].local_address
                     || load32(&tunnel->peer_port) != work[i].ports)) {
            drop(worker, work[i].frame, CULVERT_BASELINE_PEER);
            continue;
        }
        uint32_t slot = slot_of(tunnel->region, work[i].id, worker->session_mask);
        rte_prefetch0(&worker->downstream[slot]);
        work[live] = work[i];
        work[live].slot = slot;
        live++;
    }

    // Session: Ethernet and PPPoE in front of the PPP protocol field.
    uint64_t packets = 0, octets = 0;
    for (uint32_t i = 0; i < live; i++) {
        struct rte_mbuf *frame = work[i].frame;
        struct culvert_downstream *session = &worker->downstream[work[i].slot];
        if (UNLIKELY(__atomic_load_n(&session->state, __ATOMIC_ACQUIRE) != CULVERT_STATE_FORWARD)) { drop(worker, frame, CULVERT_BASELINE_NO_SESSION); continue; }
        if (UNLIKELY(session->tunnel != work[i].tunnel || session->session_id != be16((uint16_t)work[i].id))) { drop(worker, frame, CULVERT_BASELINE_KEY_MISMATCH); continue; }
        uint32_t length = work[i].ppp_length, header = session->header_length, egress = session->port;
        if (UNLIKELY(egress >= worker->port_count || egress >= CULVERT_BASELINE_PORTS || header < 20 || header > CULVERT_ACCESS_HEADER_CAPACITY)) {
            drop(worker, frame, CULVERT_BASELINE_NO_SESSION);
            continue;
        }
        if (UNLIKELY(length + 6 > worker->ports[egress].mtu)) { drop(worker, frame, CULVERT_BASELINE_TOO_BIG); continue; }
        uint8_t *ppp = (uint8_t *)frame->buf_addr + work[i].ppp_offset;
        if (UNLIKELY(work[i].ppp_offset < 32)) { drop(worker, frame, CULVERT_BASELINE_TOO_BIG); continue; }
        // The header is right-aligned in the line's last 28 bytes; the four in front of it are the session's flags and fall
        // in front of the frame.
        memcpy(ppp - 32, (const uint8_t *)session + 32, 32);
        store16(ppp - 2, be16((uint16_t)length));
        frame->data_off = (uint16_t)(work[i].ppp_offset - header);
        frame->data_len = (uint16_t)(header + length);
        frame->pkt_len = header + length;
        frame->ol_flags = 0;
        __atomic_store_n(&session->packets, session->packets + 1, __ATOMIC_RELAXED);
        __atomic_store_n(&session->octets, session->octets + length, __ATOMIC_RELAXED);
        packets++;
        octets += length;
        queue(worker, frame, egress);
    }
    worker->packets[1] += packets;
    worker->octets[1] += octets;
}

const struct culvert_baseline_functions *culvert_baseline_entry(void) {
    static const struct culvert_baseline_functions functions = {
        .encapsulate = culvert_baseline_encapsulate,
        .decapsulate = culvert_baseline_decapsulate,
#ifdef __clang__
        .compiler = "clang",
#else
        .compiler = "gcc",
#endif
    };
    return &functions;
}
