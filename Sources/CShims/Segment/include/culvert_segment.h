// The shared segment: the only thing that culvert-dataplane and culvertd have in common.
//
//   offset 0   header            4,096 bytes   identity, geometry, section offsets, liveness, doorbells
//              ports             port_capacity      x  512   status (data plane writes), configuration (culvertd writes)
//              VLAN blocks       vlan_block_capacity x 16,384 (port, VLAN) -> circuit or inner block
//              circuits          circuit_capacity   x   32   attachment circuits: page table of their PPPoE session ids
//              tunnels           tunnel_capacity    x   64   peer check, page table of local L2TP session ids
//              tunnel templates  tunnel_capacity    x  256   two outer headers (A, B) per tunnel
//              upstream          session_capacity   x   64   access -> core, one line a session
//              downstream        session_capacity   x   64   core -> access, one line a session
//              upstream features session_capacity   x   64   what few sessions have: policer, MSS clamp, sequence numbers
//              downstream feat.  session_capacity   x   64   likewise, core -> access
//              policers          policer_capacity   x   64   rates that sessions' policers refer to
//              workers           worker_capacity    x 4,096  heartbeat and counters of each worker
//              quiescent state   an rte_rcu_qsbr variable    readers' quiescent points
//              punt ring         frame_ring_depth   x 2,048  frames for culvertd
//              inject ring       frame_ring_depth   x 2,048  frames from culvertd
//
// Rules
// - Offsets and indexes only, never a pointer: each process maps the segment where it likes.
// - culvertd is the only writer of circuits, VLAN blocks, tunnels, templates, policers and sessions, except the counters,
//   claims and learned features in the session lines and the state in the feature lines, which workers write.
// - Each direction of a session belongs to one worker at a time: the one whose claim is in the line. Only it forwards the
//   session's frames and writes its counters and state; any other worker that gets one hands it over. A claim is
//   CULVERT_CLAIM(epoch, worker); one of another epoch than the running data plane's is void, as is 0.
// - An entry's `state` word is its publication: everything else is written first, then the state by one release store.
//   Readers load it with acquire and look at nothing else before.
// - The data plane trusts no number in here. It keeps its own copy of the geometry, masks every index by it, bounds every
//   length, and takes any value of any field without reading or writing out of bounds.
// - Multi-byte fields are in host byte order unless their comment says "wire order" (as in the packet).
// - The layout's version goes up with any change; `layout_hash` catches a change that forgot to.
#ifndef CULVERT_SEGMENT_H
#define CULVERT_SEGMENT_H

#include <stddef.h>
#include <stdint.h>

#define CULVERT_SEGMENT_MAGIC 0x31545245564c5543ull /* "CULVERT1" in memory order */
#define CULVERT_LAYOUT_VERSION 5u

#define CULVERT_PAGE_SHIFT 14u      /* session ids: 2 bits of page selector, 14 bits of offset in a region of 16,384 slots */
#define CULVERT_PAGE_COUNT 4u
#define CULVERT_REGION_NONE 0xffffffffu
#define CULVERT_VLAN_COUNT 4096u
#define CULVERT_VLAN_INNER 0x80000000u /* VLAN block entry: the rest is the inner block's index, not a circuit */
#define CULVERT_COUNTER_SLOTS 128u
#define CULVERT_PORT_ADDRESSES 8u
#define CULVERT_FRAME_CAPACITY 2016u
#define CULVERT_TEMPLATE_CAPACITY 96u
#define CULVERT_ACCESS_HEADER_CAPACITY 28u
#define CULVERT_NO_INDEX 0xffffffffu

// The data plane's epoch in the high octet, never 0, so that a claim is never 0; the worker's number in the low one.
#define CULVERT_CLAIM(epoch, worker) ((uint16_t)(((epoch) % 255u + 1u) << 8 | ((worker)&0xffu)))

// State of an entry (circuit, tunnel, session line). A reader forwards on `forward` only.
enum {
    CULVERT_STATE_FREE = 0,     // in the writer's free list
    CULVERT_STATE_RESERVED = 1, // being filled, not visible
    CULVERT_STATE_PUNT = 2,     // upstream session only: live, every frame goes to culvertd (PPP is being negotiated)
    CULVERT_STATE_FORWARD = 3,  // live
    CULVERT_STATE_RETIRED = 4,  // unpublished, waiting until every worker has passed a quiescent point
};

// Who made an entry, so that a restarted culvertd knows which to keep.
enum {
    CULVERT_OWNER_NONE = 0,
    CULVERT_OWNER_SUBSCRIBER = 1, // culvertd's own PPPoE and L2TP signalling
    CULVERT_OWNER_EXTERNAL = 2,   // fed by a controller over the RPC
};

struct culvert_segment_header {
    // identity, written once by the data plane that creates the segment; `magic` last, with release
    uint64_t magic;
    uint32_t layout_version;
    uint32_t header_size;
    uint64_t layout_hash;
    uint64_t total_size;
    // geometry; capacities are powers of two
    uint32_t session_capacity;
    uint32_t tunnel_capacity;
    uint32_t circuit_capacity;
    uint32_t vlan_block_capacity; // block 0 is never used: index 0 means "none"
    uint32_t worker_capacity;
    uint32_t port_capacity;
    uint32_t frame_ring_depth;
    uint32_t policer_capacity;
    // sections, offsets from the segment's start
    uint64_t ports_offset;
    uint64_t vlan_blocks_offset;
    uint64_t circuits_offset;
    uint64_t tunnels_offset;
    uint64_t templates_offset;
    uint64_t upstream_offset;
    uint64_t downstream_offset;
    uint64_t workers_offset;
    uint64_t quiescent_offset;
    uint64_t quiescent_size;
    uint64_t punt_ring_offset;
    uint64_t inject_ring_offset;
    uint64_t upstream_features_offset;
    uint64_t downstream_features_offset;
    uint64_t policers_offset;
    uint64_t controls_offset;
    uint8_t reserved_identity[864];
    // the data plane's liveness, written by the data plane
    uint64_t dataplane_epoch; // goes up by one at each start of the data plane
    uint64_t dataplane_pid;
    uint64_t dataplane_heartbeat_ns; // monotonic
    uint64_t dataplane_started_ns;   // monotonic
    uint32_t worker_count;           // workers that run
    uint32_t port_count;
    uint8_t reserved_dataplane[984];
    // culvertd's liveness, written by culvertd
    uint64_t control_epoch;
    uint64_t control_pid;
    uint64_t control_heartbeat_ns;
    uint64_t control_released; // the last commit of culvertd's store that peers may have seen the effect of
    uint8_t reserved_control[992];
    // doorbells, a cache line each
    uint32_t punt_doorbell;
    uint32_t punt_sleeping;
    uint8_t reserved_punt[56];
    uint32_t inject_doorbell;
    uint32_t inject_sleeping;
    uint8_t reserved_inject[920];
};

struct culvert_port {
    // status, written by the data plane (256 bytes)
    char name[32];    // as configured, NUL-terminated
    char device[128]; // DPDK's name of the device, NUL-terminated
    uint8_t mac[6];
    uint16_t mtu;
    uint32_t link_speed; // Mbit/s
    uint8_t link_up;
    uint8_t present; // 1: the port exists
    uint16_t queues;
    uint32_t numa_node;
    uint32_t dispatch;   // CULVERT_DISPATCH_*
    uint64_t rx_packets; // the device's own statistics, brought up to date a few times a second
    uint64_t rx_octets;
    uint64_t rx_missed;  // frames that the device dropped for want of receive descriptors
    uint64_t rx_errors;
    uint64_t tx_packets;
    uint64_t tx_octets;
    uint64_t tx_errors;
    uint32_t offloads; // CULVERT_OFFLOAD_*, what the device does for us
    uint8_t reserved_status[12];
    // configuration, written by culvertd (256 bytes)
    uint32_t untagged_circuit;  // circuit of untagged frames, CULVERT_NO_INDEX: none
    uint32_t vlan_block;        // block of the port's outer VLANs, 0: none
    uint32_t address_count;     // IPv4 addresses of the node on this port
    uint32_t local_ipv4[CULVERT_PORT_ADDRESSES]; // wire order
    uint32_t flags; // CULVERT_PORT_*
    uint32_t ipv6_address_count;
    uint8_t local_ipv6[CULVERT_PORT_ADDRESSES][16]; // wire order; link-local ones are the host's alone and are not here
    uint8_t reserved_config[76];
};

enum {
    CULVERT_PORT_ACCESS = 1u, // PPPoE is served here
    CULVERT_PORT_CORE = 2u,   // L2TP is served here
};

// How a port's frames come to the worker that owns their session.
enum {
    CULVERT_DISPATCH_SINGLE = 0,   // one worker polls the port and forwards what it finds
    CULVERT_DISPATCH_RSS = 1,      // the device spreads sessions over queues, a worker a queue
    CULVERT_DISPATCH_SOFTWARE = 2, // the polling worker hashes the session and hands frames over through rings
};

enum {
    CULVERT_OFFLOAD_RX_CHECKSUM = 1u,
    CULVERT_OFFLOAD_TX_UDP_CHECKSUM = 2u,
    CULVERT_OFFLOAD_TX_CHAINED = 4u, // sends frames that lie in more than one buffer
};

// One 4,096-entry table: index is the VLAN id. 0 none; else circuit index + 1, or CULVERT_VLAN_INNER | block index.
struct culvert_vlan_block {
    uint32_t entry[CULVERT_VLAN_COUNT];
};

// Attachment circuit: (port, outer VLAN, inner VLAN). `region[selector]` is the region of 16,384 upstream slots that
// PPPoE session ids with that selector refer to. slot = (region << 14 | id & 0x3fff), masked by the capacity.
struct culvert_circuit {
    uint32_t state;
    uint16_t port;
    uint16_t outer_vlan; // 0: untagged
    uint16_t inner_vlan; // 0: no second tag
    uint16_t outer_tpid; // host order, 0x8100 or 0x88a8; 0: untagged
    uint32_t reserved;
    uint32_t region[CULVERT_PAGE_COUNT];
};

enum {
    CULVERT_TUNNEL_IPV4 = 4,
    CULVERT_TUNNEL_IPV6 = 6,
};

// Receive side of a tunnel; the index is the local tunnel id.
struct culvert_tunnel {
    uint32_t state;
    uint8_t family;           // CULVERT_TUNNEL_IPV4 or _IPV6
    uint8_t template_selector; // which of the two templates is in force: 0 or 1
    uint8_t port;             // core port
    uint8_t owner;            // CULVERT_OWNER_*
    uint32_t region[CULVERT_PAGE_COUNT]; // as in the circuit, for local L2TP session ids and downstream slots
    uint8_t peer_address[16];  // wire order; IPv4 in the first four bytes, the rest 0
    uint8_t local_address[16]; // wire order
    uint16_t peer_port;        // wire order
    uint16_t local_port;       // wire order
    uint16_t peer_tunnel_id;   // host order, for show and recovery; the template carries it on the wire
    uint8_t flags;             // CULVERT_TUNNEL_* below
    uint8_t control_window;    // high octet of the Ns that is expected of the peer next; changes while the tunnel is published
};

// The sequence numbers of a tunnel's control channel, and what its peer has announced of failovers, beside its entry: no worker reads
// them. culvertd keeps them here as well as in its store, so that it can still talk to the peer when the store is lost.
struct culvert_control {
    uint16_t ns;      // of the next new message
    uint16_t nr;      // Ns of the message that is expected next
    uint16_t peer_nr; // Ns of the oldest message that the peer has not acknowledged
    uint16_t valid;   // 1 once the others are set
    uint32_t peer_recovery_time; // milliseconds that the peer asks to be waited for
    uint16_t peer_failover;      // bits of the peer's Failover Capability (RFC 4951); 0: it has announced none
    uint16_t reserved;
};

enum {
    CULVERT_TUNNEL_ZERO_CHECKSUM = 1u, // UDP over IPv6 with a checksum of 0 is taken (RFC 6935); IPv4 always takes it
    CULVERT_TUNNEL_FIXED_NEXT_HOP = 2u, // whoever made the tunnel gave its next hop's Ethernet address; for recovery
};

enum {
    CULVERT_TEMPLATE_L2TP_LENGTH = 1u,  // the L2TP header has the length field (L bit)
    CULVERT_TEMPLATE_UDP_CHECKSUM = 2u, // compute the UDP checksum, else 0
    CULVERT_TEMPLATE_TOS_INHERIT = 4u,  // copy the inner IP packet's DSCP and ECN octet to the outer header
    CULVERT_TEMPLATE_READY = 8u,        // the next hop is resolved: without it the frame is dropped as `next_hop_unresolved`
    CULVERT_TEMPLATE_FRAGMENT = 16u,    // what exceeds the MTU is sent as outer fragments, else dropped as `outer_mtu_exceeded`
    CULVERT_TEMPLATE_TELL_INSIDE = 32u, // what is dropped for its length is told to its sender: punted as TOO_BIG
    CULVERT_TEMPLATE_OFFSET_PAD = 64u,  // send the offset size field (O bit) and `offset_pad` octets of zeros
};

// Everything in front of the PPP protocol field on the core side, ending at bytes[CULVERT_TEMPLATE_CAPACITY]:
// Ethernet (+VLAN), IP, UDP, L2TP flags [length] tunnel id, session id, then ff 03. Lengths, IP identification, session id
// and checksums are 0 here and patched per packet. Sequence numbers and offset pad are not in the bytes: where a packet
// has them, they are put between the session id and ff 03, and S and O set in the flags.
struct culvert_template {
    uint8_t bytes[CULVERT_TEMPLATE_CAPACITY];
    uint8_t length;     // valid bytes at the end of `bytes`
    uint8_t l2_length;  // Ethernet with tags: 14, 18 or 22
    uint8_t l3_length;  // 20 or 40
    uint8_t flags;      // CULVERT_TEMPLATE_*
    uint16_t port;      // egress port
    uint16_t mtu;       // largest IP packet that the next hop takes
    uint32_t ip_sum;    // one's complement sum of the IPv4 header as given, in wire-order 16-bit words
    uint32_t pseudo_sum; // one's complement sum of the pseudo header's addresses and protocol, wire-order words
    uint8_t offset_pad;  // octets of offset pad where CULVERT_TEMPLATE_OFFSET_PAD is set, 0 to 255
    uint8_t reserved[15];
};

// What few sessions have, in either direction. Frames of a session with none of these set take the short way.
enum {
    CULVERT_FEATURE_POLICED = 1u,      // `policer` in the feature line
    CULVERT_FEATURE_CLAMPED = 2u,      // `mss` in the feature line
    CULVERT_FEATURE_SEQUENCED = 4u,    // upstream: send Ns and Nr. Downstream: data messages have to have them
    CULVERT_FEATURE_REORDERED = 8u,    // downstream: frames that came too early wait for those before them
    CULVERT_FEATURE_CAPTURED = 16u,    // copies of the session's frames go to culvertd: `capture` in the upstream line
};

// access -> core. The slot is named by (circuit, PPPoE session id).
struct culvert_upstream {
    uint32_t state;
    uint32_t circuit;
    uint8_t client_mac[6];     // wire order, with the next field the 8-byte key compared at once
    uint16_t session_id;       // PPPoE session id, wire order
    uint32_t tunnel;           // tunnel index
    uint16_t peer_session_id;  // L2TP session id that the peer assigned, wire order
    uint8_t owner;             // CULVERT_OWNER_*
    uint8_t reserved0;
    uint32_t partner;          // downstream slot, CULVERT_NO_INDEX: none
    // These three are one word: the claim alone says that the frame can take the short way.
    uint8_t features;          // CULVERT_FEATURE_*, by culvertd
    uint8_t learned;           // CULVERT_FEATURE_SEQUENCED while the peer sends sequence numbers; by the downstream worker
    uint16_t claim;            // CULVERT_CLAIM of the worker that has the direction, 0: none
    uint64_t packets;          // written by the worker
    uint64_t octets;           // PPP frame from the protocol field on
    uint64_t reference;        // culvertd's or the controller's name for the session
    // These two are one word. Of both directions: downstream goes by the partner's.
    uint16_t capture;          // culvertd's number of the session's capture, 0: none
    uint16_t capture_length;   // octets of a frame that a copy has at most
    uint8_t reserved1[4];
};

// core -> access. The slot is named by (tunnel, local L2TP session id).
struct culvert_downstream {
    uint32_t state;
    uint32_t tunnel;        // tunnel index, which is the local tunnel id
    uint16_t session_id;    // local L2TP session id, wire order
    uint8_t header_length;  // valid bytes at the end of `header`: 20, 24 or 28
    uint8_t port;           // access port
    uint32_t partner;       // upstream slot, CULVERT_NO_INDEX: none
    uint64_t packets;       // written by the worker
    uint64_t octets;        // PPP frame from the protocol field on
    // One word, as upstream.
    uint8_t features;       // CULVERT_FEATURE_*, by culvertd
    uint8_t learned;        // as upstream: what this worker has told the upstream line
    uint16_t claim;         // CULVERT_CLAIM of the worker that has the direction, 0: none
    uint8_t header[CULVERT_ACCESS_HEADER_CAPACITY]; // Ethernet (+VLANs), PPPoE with length 0, right-aligned at 64
};

// What a session's features need beside its line, same slot: settings by culvertd, state by the worker that owns the
// direction. Read only when the line's `features` or `learned` says so.
struct culvert_features {
    uint16_t mss;             // largest MSS that TCP SYNs over IPv4 may name; 20 less over IPv6
    uint16_t policer;         // index into the policers
    uint32_t late_since;      // downstream: when the first late message since the last in order came, in 2^20 TSC cycles; 0: none
    uint64_t meter[4];        // an rte_meter_trtcm: time of both buckets' last update in TSC cycles, octets in both
    uint64_t policed_packets; // dropped by the policer
    uint16_t sequence;        // upstream: Ns of the next message. Downstream: Ns that is expected next, which is Nr upstream
    uint16_t late_sequence;   // downstream: Ns of that message
    uint32_t missing;         // downstream: messages that the sequence numbers say were lost
    uint32_t late;            // downstream: messages dropped because later ones were delivered, or repeated
    uint32_t reordered;       // downstream: messages that waited for earlier ones
};

// Rates of a two rate three colour marker (RFC 2698), colour-blind: red is dropped. Unused while generation is 0. culvertd
// sets generation to an odd number, writes, and sets it to the next even one: a worker builds its meter from an even one.
struct culvert_policer {
    uint32_t generation;
    uint32_t reserved0;
    uint64_t committed_rate; // octets a second
    uint64_t peak_rate;      // octets a second, at least the committed rate
    uint64_t committed_burst; // octets
    uint64_t peak_burst;      // octets
    uint8_t reserved1[24];
};

// Written by the worker alone, in a page of its own.
struct culvert_worker {
    uint64_t heartbeat_ns; // monotonic, about every millisecond
    uint64_t loops;
    uint64_t busy_loops; // loops that found a frame
    uint32_t lcore;
    uint32_t numa_node;
    uint32_t running;
    uint32_t reserved0;
    uint8_t reserved1[24];
    uint64_t counters[CULVERT_COUNTER_SLOTS]; // meaning: the table of counters in Swift (Segment/Counter)
    uint8_t reserved2[4096 - 64 - 8 * CULVERT_COUNTER_SLOTS];
};

// Why a frame was given to culvertd. One token bucket per class and worker guards the punt path.
enum {
    CULVERT_PUNT_ARP = 0,
    CULVERT_PUNT_IPV4 = 1,              // IPv4 to the node itself that is not L2TP: ICMP, UDP
    CULVERT_PUNT_IPV6 = 2,
    CULVERT_PUNT_PPPOE_DISCOVERY = 3,
    CULVERT_PUNT_PPP_CONTROL = 4,       // PPP of a session whose state is PUNT
    CULVERT_PUNT_UNKNOWN_SESSION = 5,   // PPPoE session frame that no session owns: culvertd answers with PADT
    CULVERT_PUNT_L2TP_CONTROL = 6,      // L2TP control message of a tunnel, from its peer
    CULVERT_PUNT_TOO_BIG = 7,           // a session's frame that exceeds the tunnel's MTU, cut to 1,280 octets
    CULVERT_PUNT_CAPTURE = 8,           // a copy of a captured session's frame
    CULVERT_PUNT_L2TP_UNKNOWN = 9,      // L2TP control message of no tunnel of its sender's
    CULVERT_PUNT_CLASSES = 10,
};

// Where in its life a captured frame was copied.
enum {
    CULVERT_CAPTURE_RECEIVED = 1, // as it came in by the port
    CULVERT_CAPTURE_SENT = 2,     // as it leaves by the port
    CULVERT_CAPTURE_DROPPED = 3,  // it had come in before, waited for its turn, and has ended now
};

// A slot of the punt or inject ring. Frames are whole Ethernet frames without FCS.
struct culvert_frame {
    uint32_t length;
    uint16_t port;
    uint8_t punt_class; // CULVERT_PUNT_*; 0 on inject
    uint8_t worker;
    uint32_t upstream_slot; // PPP_CONTROL, TOO_BIG, CAPTURE: the session's slot, else CULVERT_NO_INDEX
    uint32_t detail;        // TOO_BIG: largest PPP frame, from the protocol field on, that would have passed. CAPTURE: octets of
                            // the whole frame. Else 0
    uint64_t timestamp_ns; // monotonic, when the exchange copied it. CAPTURE: when the worker had it
    // CAPTURE, else 0
    uint16_t capture;       // the number in the session's line
    uint8_t capture_point;  // CULVERT_CAPTURE_*
    uint8_t capture_reason; // number of the counter that the frame ended in, 0: it has not ended
    uint32_t reserved1;
    uint8_t bytes[CULVERT_FRAME_CAPACITY];
};

// Single producer, single consumer. Indexes run freely; a slot is index & (depth - 1), the depth being each side's own
// copy. A consumer takes at most `depth` slots whatever the producer's index says.
struct culvert_frame_ring {
    uint64_t producer;
    uint8_t reserved0[56];
    uint64_t consumer;
    uint8_t reserved1[56];
    uint64_t dropped;          // by the producer, ring full
    uint64_t dropped_captures; // by the producer, who leaves half of the ring to all but CAPTURE
    uint8_t reserved2[3952];
    struct culvert_frame slots[];
};

#define CULVERT_ASSERT(condition) _Static_assert(condition, #condition)
#define CULVERT_ASSERT_OFFSET(type, field, offset) CULVERT_ASSERT(offsetof(struct type, field) == (offset))

CULVERT_ASSERT(sizeof(struct culvert_segment_header) == 4096);
CULVERT_ASSERT_OFFSET(culvert_segment_header, session_capacity, 32);
CULVERT_ASSERT_OFFSET(culvert_segment_header, ports_offset, 64);
CULVERT_ASSERT_OFFSET(culvert_segment_header, dataplane_epoch, 1056);
CULVERT_ASSERT_OFFSET(culvert_segment_header, control_epoch, 2080);
CULVERT_ASSERT_OFFSET(culvert_segment_header, punt_doorbell, 3104);
CULVERT_ASSERT_OFFSET(culvert_segment_header, inject_doorbell, 3168);
CULVERT_ASSERT(sizeof(struct culvert_port) == 512);
CULVERT_ASSERT_OFFSET(culvert_port, rx_packets, 184);
CULVERT_ASSERT_OFFSET(culvert_port, untagged_circuit, 256);
CULVERT_ASSERT_OFFSET(culvert_port, local_ipv4, 268);
CULVERT_ASSERT_OFFSET(culvert_port, flags, 300);
CULVERT_ASSERT_OFFSET(culvert_port, local_ipv6, 308);
CULVERT_ASSERT(sizeof(struct culvert_vlan_block) == 16384);
CULVERT_ASSERT(sizeof(struct culvert_circuit) == 32);
CULVERT_ASSERT_OFFSET(culvert_circuit, region, 16);
CULVERT_ASSERT(sizeof(struct culvert_tunnel) == 64);
CULVERT_ASSERT_OFFSET(culvert_tunnel, region, 8);
CULVERT_ASSERT_OFFSET(culvert_tunnel, peer_address, 24);
CULVERT_ASSERT_OFFSET(culvert_tunnel, peer_port, 56);
CULVERT_ASSERT_OFFSET(culvert_tunnel, flags, 62);
CULVERT_ASSERT_OFFSET(culvert_tunnel, control_window, 63);
CULVERT_ASSERT(sizeof(struct culvert_control) == 16);
CULVERT_ASSERT_OFFSET(culvert_control, peer_nr, 4);
CULVERT_ASSERT_OFFSET(culvert_control, peer_recovery_time, 8);
CULVERT_ASSERT_OFFSET(culvert_control, peer_failover, 12);
CULVERT_ASSERT(sizeof(struct culvert_template) == 128);
CULVERT_ASSERT_OFFSET(culvert_template, length, 96);
CULVERT_ASSERT_OFFSET(culvert_template, ip_sum, 104);
CULVERT_ASSERT_OFFSET(culvert_template, offset_pad, 112);
CULVERT_ASSERT(sizeof(struct culvert_upstream) == 64);
CULVERT_ASSERT_OFFSET(culvert_upstream, client_mac, 8);
CULVERT_ASSERT_OFFSET(culvert_upstream, session_id, 14);
CULVERT_ASSERT_OFFSET(culvert_upstream, peer_session_id, 20);
CULVERT_ASSERT_OFFSET(culvert_upstream, features, 28);
CULVERT_ASSERT_OFFSET(culvert_upstream, claim, 30);
CULVERT_ASSERT_OFFSET(culvert_upstream, packets, 32);
CULVERT_ASSERT_OFFSET(culvert_upstream, capture, 56);
CULVERT_ASSERT(sizeof(struct culvert_downstream) == 64);
CULVERT_ASSERT_OFFSET(culvert_downstream, packets, 16);
CULVERT_ASSERT_OFFSET(culvert_downstream, features, 32);
CULVERT_ASSERT_OFFSET(culvert_downstream, claim, 34);
CULVERT_ASSERT_OFFSET(culvert_downstream, header, 36);
CULVERT_ASSERT(sizeof(struct culvert_features) == 64);
CULVERT_ASSERT_OFFSET(culvert_features, meter, 8);
CULVERT_ASSERT_OFFSET(culvert_features, policed_packets, 40);
CULVERT_ASSERT_OFFSET(culvert_features, sequence, 48);
CULVERT_ASSERT(sizeof(struct culvert_policer) == 64);
CULVERT_ASSERT(sizeof(struct culvert_worker) == 4096);
CULVERT_ASSERT_OFFSET(culvert_worker, counters, 64);
CULVERT_ASSERT(sizeof(struct culvert_frame) == 2048);
CULVERT_ASSERT_OFFSET(culvert_frame, timestamp_ns, 16);
CULVERT_ASSERT_OFFSET(culvert_frame, capture, 24);
CULVERT_ASSERT_OFFSET(culvert_frame, bytes, 32);
CULVERT_ASSERT(sizeof(struct culvert_frame_ring) == 4096);
CULVERT_ASSERT_OFFSET(culvert_frame_ring, dropped_captures, 136);

// The header's words that are read or written atomically, as pointers, which Swift cannot take of an imported struct's fields for longer than a call.
static inline uint32_t *culvert_punt_doorbell(struct culvert_segment_header *header) { return &header->punt_doorbell; }
static inline uint32_t *culvert_punt_sleeping(struct culvert_segment_header *header) { return &header->punt_sleeping; }
static inline uint32_t *culvert_inject_doorbell(struct culvert_segment_header *header) { return &header->inject_doorbell; }
static inline uint32_t *culvert_inject_sleeping(struct culvert_segment_header *header) { return &header->inject_sleeping; }
static inline uint64_t *culvert_dataplane_epoch(struct culvert_segment_header *header) { return &header->dataplane_epoch; }
static inline uint64_t *culvert_dataplane_heartbeat(struct culvert_segment_header *header) { return &header->dataplane_heartbeat_ns; }
static inline uint64_t *culvert_control_released(struct culvert_segment_header *header) { return &header->control_released; }
static inline uint64_t *culvert_control_heartbeat(struct culvert_segment_header *header) { return &header->control_heartbeat_ns; }

// FNV-1a over the sizes and offsets above: two builds that disagree on the layout disagree on this number.
static inline uint64_t culvert_layout_hash(void) {
    const uint64_t facts[] = {
        CULVERT_LAYOUT_VERSION,
        sizeof(struct culvert_segment_header), offsetof(struct culvert_segment_header, session_capacity),
        offsetof(struct culvert_segment_header, ports_offset), offsetof(struct culvert_segment_header, inject_ring_offset),
        offsetof(struct culvert_segment_header, dataplane_epoch), offsetof(struct culvert_segment_header, control_epoch), offsetof(struct culvert_segment_header, control_released),
        offsetof(struct culvert_segment_header, punt_doorbell), offsetof(struct culvert_segment_header, inject_doorbell),
        sizeof(struct culvert_port), offsetof(struct culvert_port, mac), offsetof(struct culvert_port, rx_packets), offsetof(struct culvert_port, untagged_circuit),
        offsetof(struct culvert_port, vlan_block), offsetof(struct culvert_port, local_ipv4), offsetof(struct culvert_port, flags),
        sizeof(struct culvert_vlan_block),
        sizeof(struct culvert_circuit), offsetof(struct culvert_circuit, port), offsetof(struct culvert_circuit, region),
        sizeof(struct culvert_tunnel), offsetof(struct culvert_tunnel, family), offsetof(struct culvert_tunnel, template_selector),
        offsetof(struct culvert_tunnel, region), offsetof(struct culvert_tunnel, peer_address),
        offsetof(struct culvert_tunnel, local_address), offsetof(struct culvert_tunnel, peer_port),
        offsetof(struct culvert_tunnel, peer_tunnel_id), offsetof(struct culvert_tunnel, control_window),
        sizeof(struct culvert_template), offsetof(struct culvert_template, length), offsetof(struct culvert_template, flags),
        offsetof(struct culvert_template, port), offsetof(struct culvert_template, ip_sum), offsetof(struct culvert_template, pseudo_sum),
        sizeof(struct culvert_upstream), offsetof(struct culvert_upstream, circuit), offsetof(struct culvert_upstream, client_mac),
        offsetof(struct culvert_upstream, tunnel), offsetof(struct culvert_upstream, peer_session_id),
        offsetof(struct culvert_upstream, partner), offsetof(struct culvert_upstream, packets), offsetof(struct culvert_upstream, reference),
        sizeof(struct culvert_downstream), offsetof(struct culvert_downstream, tunnel), offsetof(struct culvert_downstream, session_id),
        offsetof(struct culvert_downstream, header_length), offsetof(struct culvert_downstream, partner),
        offsetof(struct culvert_downstream, packets), offsetof(struct culvert_downstream, header),
        offsetof(struct culvert_upstream, features), offsetof(struct culvert_upstream, claim), offsetof(struct culvert_upstream, capture),
        offsetof(struct culvert_downstream, features), offsetof(struct culvert_downstream, claim),
        offsetof(struct culvert_segment_header, policers_offset), offsetof(struct culvert_segment_header, controls_offset),
        sizeof(struct culvert_control), offsetof(struct culvert_control, peer_nr),
        offsetof(struct culvert_control, peer_recovery_time), offsetof(struct culvert_control, peer_failover), offsetof(struct culvert_port, local_ipv6),
        offsetof(struct culvert_tunnel, flags), offsetof(struct culvert_template, offset_pad),
        sizeof(struct culvert_features), offsetof(struct culvert_features, meter), offsetof(struct culvert_features, sequence),
        offsetof(struct culvert_features, reordered), sizeof(struct culvert_policer), offsetof(struct culvert_policer, committed_rate),
        sizeof(struct culvert_worker), offsetof(struct culvert_worker, counters),
        sizeof(struct culvert_frame), offsetof(struct culvert_frame, capture), offsetof(struct culvert_frame, bytes), sizeof(struct culvert_frame_ring),
        CULVERT_PAGE_SHIFT, CULVERT_PAGE_COUNT, CULVERT_VLAN_INNER, CULVERT_COUNTER_SLOTS, CULVERT_PUNT_CLASSES,
    };
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < sizeof facts / sizeof facts[0]; i++)
        for (unsigned shift = 0; shift < 64; shift += 8) hash = (hash ^ ((facts[i] >> shift) & 0xff)) * UINT64_C(0x100000001b3);
    return hash;
}

#endif
