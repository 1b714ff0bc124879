// Encapsulation and decapsulation by hand in C. See culvert_baseline.h.
//
// A burst goes through a few short loops. A loop does for every frame what can be done with the lines that the loop before it
// asked for, and asks for the next one: frame bytes, then session (upstream) or tunnel and session (downstream), then
// template. A frame that falls out is counted, freed, and leaves the list that the next loop walks.
//
// What this version leaves out is what the bench never sends: frames that need more than a session line, a template and an
// access header are counted as `long way` and freed. The checks that tell them apart are all here.
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

static __attribute__((noinline, cold)) int drop(struct culvert_baseline *worker, struct rte_mbuf *frame, enum culvert_baseline_reason reason) {
    worker->reasons[reason] += 1;
    rte_pktmbuf_free(frame);
    return 0;
}

static inline void queue(struct culvert_baseline *worker, struct rte_mbuf *frame, uint32_t port) {
    struct culvert_baseline_queue *to = &worker->queues[port];
    uint32_t count = to->count;
    if (UNLIKELY(count >= CULVERT_BASELINE_QUEUE)) { drop(worker, frame, CULVERT_BASELINE_TRANSMIT_FULL); return; }
    to->frames[count] = frame;
    to->count = count + 1;
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


static inline uint32_t session_word(const uint8_t *features) { return __atomic_load_n((const uint32_t *)(const void *)features, __ATOMIC_RELAXED); }

// Takes a session that nobody has, whose word of features, learned features and claim is at `word`.
static __attribute__((noinline, cold)) int take_session(const struct culvert_baseline *worker, uint8_t *word) {
    uint32_t none = 0;
    return __atomic_compare_exchange_n((uint32_t *)(void *)word, &none, worker->plain_session, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

static inline void count_session(uint64_t *packets, uint64_t *octets, uint32_t length) {
    __atomic_store_n(packets, *packets + 1, __ATOMIC_RELAXED);
    __atomic_store_n(octets, *octets + length, __ATOMIC_RELAXED);
}

// A frame on its way, between the loops.
struct upstream {
    struct rte_mbuf *frame;
    uint64_t key; // client MAC and session id as they lie beside each other in the session line
    struct culvert_upstream *session;
    const struct culvert_template *template;
    uint32_t circuit, tunnel, ppp_offset, ppp_length;
};

struct downstream {
    struct rte_mbuf *frame;
    struct culvert_downstream *session;
    uint32_t tunnel, peer_address, local_address, ports, ppp_offset, ppp_length, sequenced;
    uint16_t id; // host order
};

// An Ethernet frame's payload from access: PPPoE -> circuit, session line. 0: the frame has been dropped.
static inline int find_session(struct culvert_baseline *worker, struct rte_mbuf *frame, const uint8_t *bytes, const struct ethernet *header,
                               const struct culvert_port *port, uint32_t port_index, struct upstream *found) {
    uint32_t available = frame->data_len;
    if (UNLIKELY(available < header->length + 6)) return drop(worker, frame, CULVERT_BASELINE_SHORT_FRAME);
    const uint8_t *pppoe = bytes + header->length;
    if (UNLIKELY(load16(pppoe) != be16(0x1100))) return drop(worker, frame, CULVERT_BASELINE_PPPOE_HEADER);
    uint32_t length = be16(load16(pppoe + 4));
    if (UNLIKELY(length < 1 || length > available - header->length - 6)) return drop(worker, frame, CULVERT_BASELINE_PPPOE_LENGTH);
    uint32_t circuit = circuit_of(worker, port, header);
    if (UNLIKELY(circuit > worker->circuit_mask)) return drop(worker, frame, CULVERT_BASELINE_NO_CIRCUIT);
    const struct culvert_circuit *entry = &worker->circuits[circuit];
    uint64_t identity = (port_index & 0xffff) | (uint64_t)header->outer << 16 | (uint64_t)header->inner << 32 | (uint64_t)header->tpid << 48;
    if (UNLIKELY(__atomic_load_n(&entry->state, __ATOMIC_ACQUIRE) != CULVERT_STATE_FORWARD || load64(&entry->port) != identity))
        return drop(worker, frame, CULVERT_BASELINE_NO_CIRCUIT);
    uint16_t id = load16(pppoe + 2);
    found->frame = frame;
    found->session = &worker->upstream[slot_of(entry->region, be16(id), worker->session_mask)];
    rte_prefetch0(found->session);
    found->key = load32(bytes + 6) | (uint64_t)load16(bytes + 10) << 32 | (uint64_t)id << 48;
    found->circuit = circuit;
    found->ppp_offset = header->length + 6;
    found->ppp_length = length;
    return 1;
}

// An IPv4 packet: UDP, L2TP -> tunnel. 0: the frame has been dropped.
static __attribute__((noinline)) int find_tunnel(struct culvert_baseline *worker, struct rte_mbuf *frame, const uint8_t *bytes, uint32_t offset,
                              const struct culvert_port *port, struct downstream *found) {
    const uint8_t *ip = bytes + offset;
    uint32_t available = frame->data_len - offset;
    if (UNLIKELY(available < 20)) return drop(worker, frame, CULVERT_BASELINE_SHORT_FRAME);
    uint32_t ip_header = (ip[0] & 15u) * 4, ip_length = be16(load16(ip + 2));
    if (UNLIKELY(ip[0] >> 4 != 4 || ip_header < 20 || ip_length < ip_header || ip_length > available)) return drop(worker, frame, CULVERT_BASELINE_IPV4_HEADER);
    uint64_t sum = (uint64_t)load32(ip) + load32(ip + 4) + load32(ip + 8) + load32(ip + 12) + load32(ip + 16);
    for (uint32_t at = 20; UNLIKELY(at < ip_header); at += 4) sum += load32(ip + at);
    if (UNLIKELY(fold(sum) != 0xffff)) return drop(worker, frame, CULVERT_BASELINE_IPV4_CHECKSUM);
    if (UNLIKELY(!is_local(port, load32(ip + 16)))) return drop(worker, frame, CULVERT_BASELINE_NOT_LOCAL);
    if (UNLIKELY(load16(ip + 6) & be16(0x3fff))) return drop(worker, frame, CULVERT_BASELINE_FRAGMENT);
    if (UNLIKELY(ip[9] != 17)) return drop(worker, frame, CULVERT_BASELINE_PUNT);
    const uint8_t *udp = ip + ip_header;
    uint32_t udp_length = ip_length - ip_header < 8 ? 0 : be16(load16(udp + 4));
    if (UNLIKELY(udp_length < 8 + 6 || udp_length > ip_length - ip_header)) return drop(worker, frame, CULVERT_BASELINE_UDP_LENGTH);
    if (UNLIKELY(load16(udp + 2) != be16(1701) || !(port->flags & CULVERT_PORT_CORE))) return drop(worker, frame, CULVERT_BASELINE_PUNT);
    if (UNLIKELY(load16(udp + 6) != 0 && (frame->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK) != RTE_MBUF_F_RX_L4_CKSUM_GOOD)) {
        uint64_t total = sum_bytes(udp, udp_length) + load32(ip + 12) + load32(ip + 16) + be16(17) + load16(udp + 4);
        if (UNLIKELY(fold(total) != 0xffff)) return drop(worker, frame, CULVERT_BASELINE_UDP_CHECKSUM);
    }
    const uint8_t *l2tp = udp + 8;
    uint32_t left = udp_length - 8, at = 2, flags = be16(load16(l2tp));
    if (UNLIKELY(flags & 0x8000)) return drop(worker, frame, CULVERT_BASELINE_PUNT);
    if (UNLIKELY((flags & 15) != 2)) return drop(worker, frame, CULVERT_BASELINE_L2TP_HEADER);
    if (LIKELY(flags & 0x4000)) { // L: the length may cut the datagram short, never extend it
        uint32_t length = be16(load16(l2tp + 2));
        if (UNLIKELY(length > left || length < 8)) return drop(worker, frame, CULVERT_BASELINE_L2TP_HEADER);
        left = length;
        at = 4;
    }
    uint32_t fields = at + 4 + (UNLIKELY(flags & 0x0800) ? 4 : 0) + (UNLIKELY(flags & 0x0200) ? 2 : 0);
    if (UNLIKELY(left < fields)) return drop(worker, frame, CULVERT_BASELINE_L2TP_HEADER);
    uint32_t tunnel = be16(load16(l2tp + at));
    if (UNLIKELY(flags & 0x0200)) { // O: pad after the offset size field
        fields += be16(load16(l2tp + fields - 2));
        if (UNLIKELY(left < fields)) return drop(worker, frame, CULVERT_BASELINE_L2TP_HEADER);
    }
    const uint8_t *ppp = l2tp + fields;
    left -= fields;
    if (LIKELY(left >= 2 && load16(ppp) == be16(0xff03))) { ppp += 2; left -= 2; }
    if (UNLIKELY(left < 1)) return drop(worker, frame, CULVERT_BASELINE_L2TP_HEADER);
    if (UNLIKELY(tunnel > worker->tunnel_mask)) return drop(worker, frame, CULVERT_BASELINE_NO_TUNNEL);
    rte_prefetch0(&worker->tunnels[tunnel]);
    found->frame = frame;
    found->tunnel = tunnel;
    found->id = be16(load16(l2tp + at + 2));
    found->peer_address = load32(ip + 12);
    found->local_address = load32(ip + 16);
    found->ports = load32(udp);
    found->ppp_offset = (uint32_t)(ppp - bytes);
    found->ppp_length = left;
    found->sequenced = flags & 0x0800;
    return 1;
}

// The same of a packet in the form in which nearly all of them come: no IP options, no fragment, a message with length and ids alone
// and with ff 03, and nothing behind it. Then every field has its place, and all that is the same in every such packet is
// compared at once. 0: nothing has been done, and find_tunnel decides what it is.
static inline int find_plain_tunnel(struct culvert_baseline *worker, struct rte_mbuf *frame, const uint8_t *bytes, uint32_t offset, uint64_t address,
                                    struct downstream *found) {
    const uint8_t *ip = bytes + offset;
    uint32_t available = frame->data_len - offset;
    if (UNLIKELY(available <= 38)) return 0;
    uint32_t length = be16(load16(ip + 2));
    uint16_t difference = load16(ip + 6) & be16(0x3fff);
    difference |= (uint16_t)((ip[0] ^ 0x45) | (ip[9] ^ 17));
    difference |= load16(ip + 22) ^ be16(1701);
    difference |= (load16(ip + 28) & be16(0xca0f)) ^ be16(0x4002);
    difference |= load16(ip + 36) ^ be16(0xff03);
    difference |= be16(load16(ip + 24)) ^ (uint16_t)(length - 20);
    difference |= be16(load16(ip + 30)) ^ (uint16_t)(length - 28);
    if (UNLIKELY(difference != 0 || length <= 38 || length > available || load32(ip + 16) != address)) return 0;
    if (UNLIKELY(load16(ip + 26) != 0 && (frame->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK) != RTE_MBUF_F_RX_L4_CKSUM_GOOD)) return 0;
    uint64_t sum = (uint64_t)load32(ip) + load32(ip + 4) + load32(ip + 8) + load32(ip + 12) + load32(ip + 16);
    uint32_t tunnel = be16(load16(ip + 32));
    if (UNLIKELY(fold(sum) != 0xffff || tunnel > worker->tunnel_mask)) return 0;
    rte_prefetch0(&worker->tunnels[tunnel]);
    found->frame = frame;
    found->tunnel = tunnel;
    found->id = be16(load16(ip + 34));
    found->peer_address = load32(ip + 12);
    found->local_address = load32(ip + 16);
    found->ports = load32(ip + 20);
    found->ppp_offset = offset + 38;
    found->ppp_length = length - 38;
    found->sequenced = 0;
    return 1;
}

// Session -> tunnel. The session's own line holds all that is compared.
static uint32_t verify_sessions(struct culvert_baseline *worker, struct upstream *work, uint32_t count) {
    uint32_t live = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct culvert_upstream *session = work[i].session;
        uint32_t state = __atomic_load_n(&session->state, __ATOMIC_ACQUIRE);
        if (UNLIKELY(session->circuit != work[i].circuit || load64(session->client_mac) != work[i].key)) {
            drop(worker, work[i].frame, CULVERT_BASELINE_KEY_MISMATCH);
            continue;
        }
        if (UNLIKELY(state != CULVERT_STATE_FORWARD)) {
            drop(worker, work[i].frame, state == CULVERT_STATE_PUNT ? CULVERT_BASELINE_PUNT : CULVERT_BASELINE_NO_SESSION);
            continue;
        }
        // A session that nobody has is this worker's from now on; one of another worker would be handed over.
        if (UNLIKELY(session_word(&session->features) != worker->plain_session) && !take_session(worker, &session->features)) {
            drop(worker, work[i].frame, CULVERT_BASELINE_LONG_WAY);
            continue;
        }
        uint32_t tunnel = session->tunnel & worker->tunnel_mask;
        rte_prefetch0(&worker->tunnels[tunnel]);
        if (UNLIKELY(live != i)) work[live] = work[i];
        work[live++].tunnel = tunnel;
    }
    return live;
}

// Tunnel -> the template that is in force in it.
static uint32_t select_templates(struct culvert_baseline *worker, struct upstream *work, uint32_t count) {
    uint32_t live = 0;
    for (uint32_t i = 0; i < count; i++) {
        const struct culvert_tunnel *tunnel = &worker->tunnels[work[i].tunnel];
        if (UNLIKELY(__atomic_load_n(&tunnel->state, __ATOMIC_ACQUIRE) != CULVERT_STATE_FORWARD)) {
            drop(worker, work[i].frame, CULVERT_BASELINE_NO_TUNNEL);
            continue;
        }
        uint32_t selector = __atomic_load_n(&tunnel->template_selector, __ATOMIC_ACQUIRE) & 1;
        const struct culvert_template *template = &worker->templates[(size_t)work[i].tunnel * 2 + selector];
        rte_prefetch0(template);
        rte_prefetch0((const uint8_t *)template + 64);
        if (UNLIKELY(live != i)) work[live] = work[i];
        work[live++].template = template;
    }
    return live;
}

// Template in front of the PPP protocol field, patches, counters.
static void encapsulate(struct culvert_baseline *worker, const struct upstream *work, uint32_t count) {
    uint32_t identification = worker->ip_identification;
    uint64_t packets = 0, octets = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct rte_mbuf *frame = work[i].frame;
        struct culvert_upstream *session = work[i].session;
        const struct culvert_template *template = work[i].template;
        // length, l2_length, l3_length and flags; port and mtu: one load each, since they are bounded and then used.
        uint32_t shape = __atomic_load_n((const uint32_t *)(const void *)&template->length, __ATOMIC_RELAXED);
        uint32_t egress = __atomic_load_n((const uint32_t *)(const void *)&template->port, __ATOMIC_RELAXED);
        uint32_t length = work[i].ppp_length, header = shape & 0xff, l2 = shape >> 8 & 0xff, flags = shape >> 24;
        uint32_t length_field = (flags & CULVERT_TEMPLATE_L2TP_LENGTH) ? 2 : 0, ip_header_to_ppp = 36 + length_field;
        uint32_t ip_length = ip_header_to_ppp + length;
        if (UNLIKELY(session_word(&session->features) != worker->plain_session || !(flags & CULVERT_TEMPLATE_READY)
                     || (flags & (CULVERT_TEMPLATE_OFFSET_PAD | CULVERT_TEMPLATE_UDP_CHECKSUM)) || header != l2 + ip_header_to_ppp || (shape >> 16 & 0xff) != 20
                     || l2 - 14 > 8 || ip_length > egress >> 16 || frame->data_off + work[i].ppp_offset < 64
                     || (egress & 0xffff) >= worker->port_count)) {
            drop(worker, frame, CULVERT_BASELINE_LONG_WAY);
            continue;
        }
        uint8_t *ppp = rte_pktmbuf_mtod(frame, uint8_t *) + work[i].ppp_offset;
        // The inner packet's DSCP and ECN: protocol, version and what is behind it in the first four octets.
        uint32_t traffic_class = 0;
        if (flags & CULVERT_TEMPLATE_TOS_INHERIT) {
            uint32_t front = length < 4 ? 0 : __builtin_bswap32(load32(ppp));
            if (LIKELY(front >> 12 == 0x00214)) traffic_class = front & 0xff;
            else if (LIKELY(front >> 12 == 0x00576)) traffic_class = front >> 4 & 0xff;
            else { drop(worker, frame, CULVERT_BASELINE_LONG_WAY); continue; }
        }
        memcpy(ppp - 64, template->bytes + CULVERT_TEMPLATE_CAPACITY - 64, 64);

        // Sums are over words as they lie in memory (RFC 1071, 2 (B)): nothing is swapped on its way into the header.
        uint8_t *ip = ppp - ip_header_to_ppp, *udp = ip + 20;
        uint16_t wire_length = be16((uint16_t)ip_length), wire_identification = be16((uint16_t)identification);
        identification += worker->ip_identification_step;
        uint64_t sum = (uint64_t)template->ip_sum + wire_length + wire_identification;
        store16(ip + 2, wire_length);
        store16(ip + 4, wire_identification);
        if (flags & CULVERT_TEMPLATE_TOS_INHERIT) {
            uint16_t new = be16((uint16_t)(0x4500 | traffic_class));
            sum += (uint16_t)~load16(template->bytes + CULVERT_TEMPLATE_CAPACITY - ip_header_to_ppp) + (uint32_t)new;
            store16(ip, new);
        }
        store16(ip + 10, (uint16_t)~fold(sum));
        store16(udp + 4, be16((uint16_t)(ip_length - 20)));
        if (LIKELY(length_field)) store16(udp + 10, be16((uint16_t)(ip_length - 28)));
        store16(ppp - 4, session->peer_session_id);
        frame->data_off = (uint16_t)(frame->data_off + work[i].ppp_offset - header);
        frame->data_len = (uint16_t)(header + length);
        frame->pkt_len = header + length;
        frame->ol_flags = 0;
        count_session(&session->packets, &session->octets, length);
        packets++;
        octets += length;
        queue(worker, frame, egress & 0xffff);
    }
    worker->ip_identification = identification;
    worker->packets[0] += packets;
    worker->octets[0] += octets;
}

// Tunnel: the peer's address and port, then the session's slot.
static uint32_t verify_tunnels(struct culvert_baseline *worker, struct downstream *work, uint32_t count) {
    uint32_t live = 0;
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
        struct culvert_downstream *session = &worker->downstream[slot_of(tunnel->region, work[i].id, worker->session_mask)];
        rte_prefetch0(session);
        if (UNLIKELY(live != i)) work[live] = work[i];
        work[live++].session = session;
    }
    return live;
}

// Session: Ethernet and PPPoE in front of the PPP protocol field.
static void decapsulate(struct culvert_baseline *worker, const struct downstream *work, uint32_t count) {
    uint64_t packets = 0, octets = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct rte_mbuf *frame = work[i].frame;
        struct culvert_downstream *session = work[i].session;
        uint32_t state = __atomic_load_n(&session->state, __ATOMIC_ACQUIRE);
        // session_id, header_length and port: one load.
        uint32_t shape = __atomic_load_n((const uint32_t *)(const void *)&session->session_id, __ATOMIC_RELAXED);
        if (UNLIKELY(state != CULVERT_STATE_FORWARD || session->tunnel != work[i].tunnel || (uint16_t)shape != be16(work[i].id))) {
            drop(worker, frame, CULVERT_BASELINE_KEY_MISMATCH);
            continue;
        }
        if (UNLIKELY(session_word(&session->features) != worker->plain_session || work[i].sequenced)
            && (work[i].sequenced || !take_session(worker, &session->features))) {
            drop(worker, frame, CULVERT_BASELINE_LONG_WAY);
            continue;
        }
        uint32_t length = work[i].ppp_length, header = shape >> 16 & 0xff, egress = shape >> 24;
        if (UNLIKELY(header - 20 > 8 || header & 3 || egress >= worker->port_count)) { drop(worker, frame, CULVERT_BASELINE_NO_SESSION); continue; }
        if (UNLIKELY(length + 6 > worker->mtu[egress])) { drop(worker, frame, CULVERT_BASELINE_TOO_BIG); continue; }
        uint8_t *ppp = rte_pktmbuf_mtod(frame, uint8_t *) + work[i].ppp_offset;
        // The header is right-aligned in the line's last 28 bytes; the four in front of it fall in front of the frame.
        memcpy(ppp - 32, (const uint8_t *)session + 32, 32);
        store16(ppp - 2, be16((uint16_t)length));
        frame->data_off = (uint16_t)(frame->data_off + work[i].ppp_offset - header);
        frame->data_len = (uint16_t)(header + length);
        frame->pkt_len = header + length;
        frame->ol_flags = 0;
        count_session(&session->packets, &session->octets, length);
        packets++;
        octets += length;
        queue(worker, frame, egress);
    }
    worker->packets[1] += packets;
    worker->octets[1] += octets;
}

void culvert_baseline_receive(struct culvert_baseline *worker, struct rte_mbuf **frames, uint32_t count, uint32_t port_index) {
    struct upstream up[CULVERT_BASELINE_BURST];
    struct downstream down[CULVERT_BASELINE_BURST];
    uint32_t up_count = 0, down_count = 0;
    const struct culvert_port *port = &worker->ports[port_index];
    uint32_t roles = port->flags;
    uint64_t address = roles & CULVERT_PORT_CORE && port->address_count ? port->local_ipv4[0] : UINT64_MAX; // no address is equal to that
    if (count > CULVERT_BASELINE_BURST) count = CULVERT_BASELINE_BURST;

    for (uint32_t i = 0; i < count; i++) rte_prefetch0(rte_pktmbuf_mtod(frames[i], void *));

    uint64_t received = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct rte_mbuf *frame = frames[i];
        const uint8_t *bytes = rte_pktmbuf_mtod(frame, const uint8_t *);
        struct ethernet header;
        received += frame->pkt_len;
        if (UNLIKELY(frame->data_len != frame->pkt_len)) { drop(worker, frame, CULVERT_BASELINE_SEGMENTED_FRAME); continue; }
        if (UNLIKELY(!parse_ethernet(bytes, frame->data_len, &header))) { drop(worker, frame, CULVERT_BASELINE_SHORT_FRAME); continue; }
        if (UNLIKELY(!same_address(bytes, port->mac))) { drop(worker, frame, CULVERT_BASELINE_NOT_FOR_US); continue; }
        if (header.ethertype == be16(0x8864) && roles & CULVERT_PORT_ACCESS) up_count += find_session(worker, frame, bytes, &header, port, port_index, &up[up_count]);
        else if (LIKELY(header.ethertype == be16(0x0800) && roles))
            down_count += LIKELY(find_plain_tunnel(worker, frame, bytes, header.length, address, &down[down_count])) ? 1 : find_tunnel(worker, frame, bytes, header.length, port, &down[down_count]);
        else drop(worker, frame, CULVERT_BASELINE_ETHERTYPE);
    }
    worker->received_packets[!(roles & CULVERT_PORT_ACCESS)] += count;
    worker->received_octets[!(roles & CULVERT_PORT_ACCESS)] += received;
    if (up_count) encapsulate(worker, up, select_templates(worker, up, verify_sessions(worker, up, up_count)));
    if (down_count) decapsulate(worker, down, verify_tunnels(worker, down, down_count));
}

const struct culvert_baseline_functions *culvert_baseline_entry(void) {
    static const struct culvert_baseline_functions functions = {
        .receive = culvert_baseline_receive,
#ifdef __clang__
        .compiler = "clang",
#else
        .compiler = "gcc",
#endif
    };
    return &functions;
}
