import CDPDK
import CHarness
import CSegment
import Forwarding
import Segment
import Wire

/// A segment whose writer has gone mad: every field that culvertd writes takes any value, and frames go through all the same.
///
/// Random bytes alone would end at the first check, so the fields that the checks compare are made right more often than
/// not, and everything else is any value, mostly one near a limit. Buffers and segment lie between pages that cannot be
/// touched. After each burst, whatever the data plane must not write is compared with a copy, and each frame that goes
/// out must lie within its buffer.
final class HostileSegment {
    private static let page = 4_096
    private static let ports = 4

    private let layout: SegmentLayout
    private let base: UnsafeMutableRawPointer
    private let view: SegmentView
    private let forwarder: Forwarder
    private let pool: OpaquePointer
    private let captures: OpaquePointer
    private var rooms: [UnsafeMutableRawPointer] = []
    private var random: SplitMix
    private let copy: UnsafeMutableRawPointer
    private var now: UInt64 = 1 << 40

    /// What was found wrong.
    private(set) var failures: [String] = []

    init(seed: UInt64) throws {
        random = SplitMix(seed: seed)
        layout = SegmentLayout(
            geometry: Geometry(
                sessions: 64, tunnels: 16, circuits: 16, vlanBlocks: 4, workers: 2, ports: UInt32(Self.ports),
                frameRingDepth: 64, policers: 16))
        guard let base = culvert_harness_guarded(layout.totalSize, Self.page),
            let copy = culvert_harness_guarded(layout.totalSize, Self.page),
            let pool = culvert_pool_create("hostile", 255, 0, 2048 + UInt16(CULVERT_DEFAULT_HEADROOM), 0),
            let captures = culvert_pool_create_single(
                "hostile_captures", 511, 2_016 + UInt16(CULVERT_DEFAULT_HEADROOM), 0)
        else { throw Host.Fault(description: "no memory") }
        self.base = base
        self.copy = copy
        self.pool = pool
        self.captures = captures
        view = SegmentView(base: base, layout: layout)
        for _ in 0..<Forwarder.burst {
            guard let room = culvert_harness_guarded(Self.page, Self.page) else {
                throw Host.Fault(description: "no memory for packet buffers")
            }
            rooms.append(room)
        }
        let ports = (0..<Self.ports).map {
            ForwardingPort(mac: Self.mac($0), mtu: 1_500, sendsChained: $0 & 1 == 1, isDispatched: $0 & 2 == 2)
        }
        forwarder = try Forwarder(
            view: view, ports: ports, worker: 0, workers: 2, limits: PuntLimits(all: 1_000_000_000),
            captures: captures, cyclesPerSecond: culvert_cycles_per_second())
    }

    private static func mac(_ port: Int) -> MACAddress { MACAddress(value: 0x02c0_0000_0001 + UInt64(port)) }

    /// Fills the tables anew and sends a burst through; answers how many frames that were.
    func round() -> Int {
        let key = Key(
            clientMAC: 0x0211_2233_4455, sessionID: any(), tunnel: UInt16.random(in: 0..<16, using: &random),
            localSessionID: any(), circuit: UInt32.random(in: 0..<16, using: &random))
        let port = Int.random(in: 0..<Self.ports, using: &random)
        fill(key, port: port)
        copy.copyMemory(from: base, byteCount: layout.workers)
        let count = send(key, port: port)
        checkTables()
        return count
    }

    /// As `round`, so many times, while another thread goes on changing the tables from one mad state to another under the
    /// bursts: what has been checked must not be loaded again.
    func roundsUnderChange(_ rounds: Int) -> Int {
        let key = Key(clientMAC: 0x0211_2233_4455, sessionID: 0x1234, tunnel: 5, localSessionID: 0x4321, circuit: 3)
        var frames = 0
        for _ in 0..<rounds where failures.count < 20 {
            fill(key, port: 1)
            copy.copyMemory(from: base, byteCount: layout.workers)
            fill(key, port: 1)
            let changer = Changer(target: base, other: copy, size: layout.workers, seed: random.next())
            changer.start()
            for _ in 0..<32 { frames += send(key, port: 1) }
            changer.stop()
        }
        return frames
    }

    private func send(_ key: Key, port: Int) -> Int {
        var frames: [OpaquePointer?] = rooms.map { room in
            switch random.next() & 3 {
            case 0, 1: frame(accessFrame(key, port), in: room)
            case 2: frame(coreFrame(key, port), in: room)
            default: frame(coreFrame6(key, port), in: room)
            }
        }
        now &+= random.next() >> 24
        forwarder.setTime(now)
        forwarder.expire()
        forwarder.receive(&frames, count: frames.count, port: UInt32(port))
        forwarder.expireMessages(now: now)
        removeFrames()
        // A minute later nothing is held any more.
        now &+= 60 * culvert_cycles_per_second()
        forwarder.setTime(now)
        forwarder.expire()
        forwarder.expireMessages(now: now)
        removeFrames()
        if culvert_pool_available(pool) != 255 {
            failures.append("\(255 - culvert_pool_available(pool)) buffers are lost")
        }
        if culvert_pool_available(captures) != 511 {
            failures.append("\(511 - culvert_pool_available(captures)) buffers of copies are lost")
        }
        return frames.count
    }

    /// Frames by terminal counter.
    var outcomes: [(name: String, count: UInt64)] {
        withUnsafeBytes(of: view.workers.pointee.counters) { words in
            Counter.allCases.map { ($0.name, words.load(fromByteOffset: 8 * $0.rawValue, as: UInt64.self)) }
        }
    }
}

// What a burst's frames and entries agree on.
extension HostileSegment {
    private struct Key {
        var clientMAC: UInt64
        var sessionID: UInt16
        var tunnel: UInt16
        var localSessionID: UInt16
        var circuit: UInt32
    }

    private func any<Integer: FixedWidthInteger>() -> Integer {
        switch UInt8.random(in: 0..<6, using: &random) {
        case 0: 0
        case 1: Integer.max
        case 2: Integer.min
        case 3: Integer(truncatingIfNeeded: Int.random(in: -40...130, using: &random))
        default: Integer(truncatingIfNeeded: random.next())
        }
    }

    /// `right` in most cases, else any value.
    private func mostly<Integer: FixedWidthInteger>(_ right: Integer) -> Integer {
        UInt8.random(in: 0..<20, using: &random) == 0 ? any() : right
    }

    private func scribble(_ start: Int, _ end: Int) {
        for offset in stride(from: start, to: end, by: 8) {
            base.storeBytes(of: random.next(), toByteOffset: offset, as: UInt64.self)
        }
    }

    /// Every table, except the workers' pages, which the data plane owns.
    private func fill(_ key: Key, port: Int) {
        scribble(0, layout.workers)
        for index in 0..<Self.ports {
            let entry = view.ports + index
            entry.pointee.flags = mostly(3)
            entry.pointee.untagged_circuit = mostly(key.circuit)
            entry.pointee.vlan_block = mostly(UInt32.random(in: 0..<4, using: &random))
            entry.pointee.address_count = mostly(1)
            entry.pointee.local_ipv4.0 = mostly(UInt32(0xc000_0201).bigEndian)
            entry.pointee.ipv6_address_count = mostly(1)
            setAddress6(&entry.pointee.local_ipv6, mostly(1))
        }
        for index in 0..<16 {
            let circuit = view.circuits + index
            circuit.pointee.state = mostly(UInt32(CULVERT_STATE_FORWARD))
            circuit.pointee.port = mostly(UInt16(port))
            circuit.pointee.outer_vlan = mostly(0)
            circuit.pointee.inner_vlan = mostly(0)
            circuit.pointee.outer_tpid = mostly(0)
            let tunnel = view.tunnels + index
            tunnel.pointee.state = mostly(UInt32(CULVERT_STATE_FORWARD))
            tunnel.pointee.flags = mostly(UInt8(CULVERT_TUNNEL_ZERO_CHECKSUM))
            let isIPv6 = Bool.random(using: &random)
            tunnel.pointee.family = mostly(UInt8(isIPv6 ? CULVERT_TUNNEL_IPV6 : CULVERT_TUNNEL_IPV4))
            if isIPv6 {
                setAddress6(&tunnel.pointee.peer_address, mostly(10))
                setAddress6(&tunnel.pointee.local_address, mostly(1))
            } else {
                setAddress(&tunnel.pointee.peer_address, mostly(0xc000_020a))
                setAddress(&tunnel.pointee.local_address, mostly(0xc000_0201))
            }
            tunnel.pointee.peer_port = mostly(UInt16(1701).bigEndian)
            tunnel.pointee.local_port = mostly(UInt16(1701).bigEndian)
            for selector in 0..<2 { fill(view.templates + (2 * index + selector)) }
        }
        for index in 0..<16 {
            let policer = view.policers + index
            policer.pointee.generation = mostly(2)
            policer.pointee.committed_rate = any()
            policer.pointee.peak_rate = any()
            policer.pointee.committed_burst = any()
            policer.pointee.peak_burst = any()
        }
        for slot in 0..<64 {
            // The claim of this worker, of the other one, of nobody, of anybody.
            let claims: [UInt16] = [claim, claim, claim, claim + 1, 0, any()]
            let features = UInt8.random(in: 0..<3, using: &random) == 0 ? 0 : UInt8.random(in: 0..<32, using: &random)
            let up = view.upstream + slot
            up.pointee.features = mostly(features)
            up.pointee.capture = any()
            up.pointee.capture_length = any()
            up.pointee.learned = mostly(UInt8(slot) & 4)
            up.pointee.claim = claims[Int.random(in: 0..<claims.count, using: &random)]
            up.pointee.state = mostly(UInt32(CULVERT_STATE_FORWARD))
            up.pointee.circuit = mostly(key.circuit)
            withUnsafeMutableBytes(of: &up.pointee.client_mac) {
                $0.copyBytes(from: MACAddress(value: key.clientMAC).octets)
            }
            up.pointee.session_id = mostly(key.sessionID.bigEndian)
            let down = view.downstream + slot
            down.pointee.features = mostly(features)
            down.pointee.learned = mostly(UInt8(slot) & 4)
            down.pointee.claim = claims[Int.random(in: 0..<claims.count, using: &random)]
            for line in [view.upstreamFeatures + slot, view.downstreamFeatures + slot] {
                line.pointee.mss = any()
                line.pointee.policer = any()
                line.pointee.sequence = mostly(0)
                if Bool.random(using: &random) { line.pointee.meter = (any(), any(), any(), any()) }
            }
            down.pointee.state = mostly(UInt32(CULVERT_STATE_FORWARD))
            down.pointee.tunnel = mostly(UInt32(key.tunnel))
            down.pointee.session_id = mostly(key.localSessionID.bigEndian)
            down.pointee.header_length = Bool.random(using: &random) ? any() : [20, 24, 28][slot % 3]
            down.pointee.port = Bool.random(using: &random) ? any() : UInt8(slot % Self.ports)
        }
    }

    private func fill(_ template: UnsafeMutablePointer<culvert_template>) {
        let flags = UInt8.random(in: 0..<128, using: &random) | 8
        let l2: UInt8 = [14, 18, 22][Int.random(in: 0..<3, using: &random)]
        let l3: UInt8 = Bool.random(using: &random) ? 20 : 40
        template.pointee.flags = mostly(flags)
        template.pointee.l2_length = mostly(l2)
        template.pointee.l3_length = mostly(l3)
        template.pointee.length = mostly(l2 + l3 + 16 + (flags & 1 == 1 ? 2 : 0))
        template.pointee.port = mostly(UInt16.random(in: 0..<4, using: &random))
        template.pointee.mtu =
            [any(), UInt16.random(in: 0..<200, using: &random), 576, 1_280, 65_535][
                Int.random(in: 0..<5, using: &random)]
        template.pointee.offset_pad = any()
    }

    /// 2001:db8::`last`.
    private func setAddress6<Field>(_ field: inout Field, _ last: UInt64) {
        withUnsafeMutableBytes(of: &field) {
            $0.storeBytes(of: (0x2001_0db8 << 32 as UInt64).bigEndian, as: UInt64.self)
            $0.storeBytes(of: last.bigEndian, toByteOffset: 8, as: UInt64.self)
        }
    }

    /// Of the worker under test.
    private var claim: UInt16 { UInt16(view.header.pointee.dataplane_epoch % 255 + 1) << 8 }

    private func setAddress<Field>(_ field: inout Field, _ address: UInt32) {
        withUnsafeMutableBytes(of: &field) { $0.storeBytes(of: address.bigEndian, as: UInt32.self) }
    }
}

// Frames.
extension HostileSegment {
    private func put<Integer: FixedWidthInteger>(_ value: Integer, _ bytes: inout [UInt8]) {
        withUnsafeBytes(of: value.bigEndian) { bytes.append(contentsOf: $0) }
    }

    private func payload() -> [UInt8] {
        let size = [0, 1, 2, 40, 1_400, 3_500][Int.random(in: 0..<6, using: &random)]
        let fronts: [[UInt8]] = [[0, 0x21, 0x45, 0xb8], [0x21, 0x45], [0, 0x57, 0x6b, 0x80], [0xff]]
        let front = fronts[Int.random(in: 0..<4, using: &random)]
        return front + [UInt8](repeating: 0xa5, count: size)
    }

    private func accessFrame(_ key: Key, _ port: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        let ppp = payload()
        put(Self.mac(port).value << 16 | key.clientMAC >> 32, &bytes)
        put(UInt32(truncatingIfNeeded: key.clientMAC), &bytes)
        for rarity in [8, 16] where Int.random(in: 0..<rarity, using: &random) == 0 {
            put(0x8100_0000 | UInt32.random(in: 0..<4_096, using: &random), &bytes)
        }
        put(0x8864_1100 as UInt32, &bytes)
        put(key.sessionID, &bytes)
        put(mostly(UInt16(ppp.count)), &bytes)
        return bytes + ppp
    }

    /// An L2TP message, in one of four with sequence numbers.
    private func message(_ key: Key) -> [UInt8] {
        let ppp = payload()
        let isSequenced = random.next() & 3 == 0
        var l2tp: [UInt8] = []
        put((isSequenced ? 0x4802 : 0x4002) as UInt16, &l2tp)
        put(mostly(UInt16(ppp.count + (isSequenced ? 12 : 8))), &l2tp)
        put(mostly(key.tunnel), &l2tp)
        put(key.localSessionID, &l2tp)
        if isSequenced { put(UInt32.random(in: 0..<4, using: &random) << 16, &l2tp) }
        return l2tp + ppp
    }

    /// Where a fragment is, in units of 8 octets, and whether more follow, as IPv4 has it; mostly it is none.
    private func fragmentField() -> UInt16 {
        random.next() & 3 == 0 ? UInt16.random(in: 0..<8, using: &random) | UInt16(random.next() & 1) << 13 : 0
    }

    private func coreFrame6(_ key: Key, _ port: Int) -> [UInt8] {
        let l2tp = message(key)
        let place = fragmentField()
        let length = l2tp.count + 8 + (place == 0 ? 0 : 8)
        var bytes: [UInt8] = []
        put(Self.mac(port).value << 16 | 0x02ee, &bytes)
        put(0 as UInt32, &bytes)
        put(0x86dd as UInt16, &bytes)
        put(0x6000_0000 as UInt32, &bytes)
        put(mostly(UInt16(length)), &bytes)
        put((place == 0 ? 0x1140 : 0x2c40) as UInt16, &bytes)
        for last in [10, 1] as [UInt64] {
            put(0x2001_0db8 << 32 as UInt64, &bytes)
            put(last, &bytes)
        }
        if place != 0 {
            put(0x1100 as UInt16, &bytes)
            put(place << 3 | place >> 13, &bytes)
            put(7 as UInt32, &bytes)
        }
        put(0x06a5_06a5 as UInt32, &bytes)
        put(UInt32(truncatingIfNeeded: l2tp.count + 8) << 16, &bytes)
        return bytes + l2tp
    }

    private func coreFrame(_ key: Key, _ port: Int) -> [UInt8] {
        let l2tp = message(key)
        var ip: [UInt8] = []
        put(0x4500_0000 | UInt32(l2tp.count + 28), &ip)
        put(0x0001_0000 | UInt32(fragmentField()), &ip)
        put(0x4011_0000 as UInt32, &ip)
        put(0xc000_020a_c000_0201 as UInt64, &ip)
        var sum: UInt32 = 0
        for at in stride(from: 0, to: 20, by: 2) { sum += UInt32(ip[at]) << 8 | UInt32(ip[at + 1]) }
        sum = sum & 0xffff + sum >> 16
        sum = sum & 0xffff + sum >> 16
        (ip[10], ip[11]) = (UInt8(truncatingIfNeeded: ~sum >> 8), UInt8(truncatingIfNeeded: ~sum))
        var bytes: [UInt8] = []
        put(Self.mac(port).value << 16 | 0x02ee, &bytes)
        put(0 as UInt32, &bytes)
        put(0x0800 as UInt16, &bytes)
        bytes += ip
        put(0x06a5_06a5 as UInt32, &bytes)
        put(UInt32(l2tp.count + 8) << 16, &bytes)
        return bytes + l2tp
    }

    /// A buffer with the frame at one end of the room: right behind the usual headroom or a short one, or right before the
    /// page behind, where reading one octet too many ends the program.
    private func frame(_ bytes: [UInt8], in room: UnsafeMutableRawPointer) -> OpaquePointer? {
        guard let frame = culvert_mbuf_allocate(pool) else { return nil }
        let usual = Int(CULVERT_DEFAULT_HEADROOM)
        let headroom = [0, 16, usual, usual, Self.page][Int.random(in: 0..<5, using: &random)]
        let offset = min(headroom, Self.page - bytes.count)
        (room + offset).copyMemory(from: bytes, byteCount: bytes.count)
        culvert_harness_set_room(frame, room, UInt16(Self.page), UInt16(offset), UInt16(bytes.count))
        return frame
    }
}

// What must hold afterwards.
extension HostileSegment {
    /// Takes out what would go to ports, to another worker and to the exchange.
    private func removeFrames() {
        for port in 0..<UInt32(Self.ports) {
            let frames = forwarder.transmit.frames(port)
            let count = forwarder.transmit.count(port)
            for index in 0..<min(count, FrameBuffers.capacity) {
                guard let frame = frames[index] else { continue }
                if culvert_harness_is_sound(frame) == 0 { failures.append("a frame lies beyond its buffers") }
                culvert_mbuf_free(frame)
            }
            forwarder.transmit.removeAll(port)
        }
        for worker in 0..<UInt32(2) {
            culvert_mbuf_free_bulk(forwarder.dispatch.frames(worker), UInt32(forwarder.dispatch.count(worker)))
            forwarder.dispatch.removeAll(worker)
        }
        for index in 0..<forwarder.punts.count { culvert_mbuf_free(forwarder.punts.frames[index]) }
        forwarder.punts.removeAll()
    }

    private func checkTables() {
        // The sessions' own counters, what is learned, claims, and the features' state are the data plane's: they may differ.
        for slot in 0..<64 {
            for (offset, count) in [
                (layout.upstream + 29, 3), (layout.upstream + 32, 16), (layout.downstream + 16, 16),
                (layout.downstream + 33, 3), (layout.upstreamFeatures + 8, 42), (layout.downstreamFeatures + 4, 60),
            ] {
                (copy + (offset + 64 * slot)).copyMemory(from: base + (offset + 64 * slot), byteCount: count)
            }
        }
        for offset in stride(from: 0, to: layout.workers, by: 8)
        where base.load(fromByteOffset: offset, as: UInt64.self) != copy.load(fromByteOffset: offset, as: UInt64.self) {
            failures.append("the data plane wrote at offset \(offset) of the segment")
        }
    }
}
