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
    private var rooms: [UnsafeMutableRawPointer] = []
    private var random: SplitMix
    private let copy: UnsafeMutableRawPointer

    /// What was found wrong.
    private(set) var failures: [String] = []

    init(seed: UInt64) throws {
        random = SplitMix(seed: seed)
        layout = SegmentLayout(
            geometry: Geometry(
                sessions: 64, tunnels: 16, circuits: 16, vlanBlocks: 4, workers: 1, ports: UInt32(Self.ports),
                frameRingDepth: 64))
        guard let base = culvert_harness_guarded(layout.totalSize, Self.page),
            let copy = culvert_harness_guarded(layout.totalSize, Self.page),
            let pool = culvert_pool_create("hostile", 255, 0, 2048 + UInt16(CULVERT_DEFAULT_HEADROOM), 0)
        else { throw Host.Fault(description: "no memory") }
        self.base = base
        self.copy = copy
        self.pool = pool
        view = SegmentView(base: base, layout: layout)
        for _ in 0..<Forwarder.burst {
            guard let room = culvert_harness_guarded(Self.page, Self.page) else {
                throw Host.Fault(description: "no memory for packet buffers")
            }
            rooms.append(room)
        }
        let ports = (0..<Self.ports).map { ForwardingPort(mac: Self.mac($0), mtu: 1_500) }
        forwarder = try Forwarder(
            view: view, ports: ports, worker: 0, workers: 1, limits: PuntLimits(all: 1_000_000_000),
            cyclesPerSecond: culvert_cycles_per_second())
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
            Bool.random(using: &random)
                ? frame(accessFrame(key, port), in: room)
                : frame(
                    Bool.random(using: &random) ? coreFrame(key, port) : coreFrameOverIPv6(key, port), in: room)
        }
        forwarder.setTime(culvert_cycles())
        forwarder.receive(&frames, count: frames.count, port: UInt32(port))
        checkFrames()
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
            setIPv6(&entry.pointee.local_ipv6, mostly(1))
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
            let isIPv6 = Bool.random(using: &random)
            tunnel.pointee.family = mostly(UInt8(isIPv6 ? CULVERT_TUNNEL_IPV6 : CULVERT_TUNNEL_IPV4))
            tunnel.pointee.flags = mostly(UInt8(CULVERT_TUNNEL_ZERO_CHECKSUM))
            if isIPv6 {
                setIPv6(&tunnel.pointee.peer_address, mostly(2))
                setIPv6(&tunnel.pointee.local_address, mostly(1))
            } else {
                setAddress(&tunnel.pointee.peer_address, mostly(0xc000_020a))
                setAddress(&tunnel.pointee.local_address, mostly(0xc000_0201))
            }
            tunnel.pointee.peer_port = mostly(UInt16(1701).bigEndian)
            tunnel.pointee.local_port = mostly(UInt16(1701).bigEndian)
            for selector in 0..<2 { fill(view.templates + (2 * index + selector)) }
        }
        for slot in 0..<64 {
            let up = view.upstream + slot
            up.pointee.state = mostly(UInt32(CULVERT_STATE_FORWARD))
            up.pointee.circuit = mostly(key.circuit)
            withUnsafeMutableBytes(of: &up.pointee.client_mac) {
                $0.copyBytes(from: MACAddress(value: key.clientMAC).octets)
            }
            up.pointee.session_id = mostly(key.sessionID.bigEndian)
            let down = view.downstream + slot
            down.pointee.state = mostly(UInt32(CULVERT_STATE_FORWARD))
            down.pointee.tunnel = mostly(UInt32(key.tunnel))
            down.pointee.session_id = mostly(key.localSessionID.bigEndian)
            down.pointee.header_length = Bool.random(using: &random) ? any() : [20, 24, 28][slot % 3]
            down.pointee.port = Bool.random(using: &random) ? any() : UInt8(slot % Self.ports)
        }
    }

    private func fill(_ template: UnsafeMutablePointer<culvert_template>) {
        let flags = UInt8.random(in: 0..<128, using: &random) | 8
        let l3: UInt8 = Bool.random(using: &random) ? 20 : 40
        let l2: UInt8 = [14, 18, 22][Int.random(in: 0..<3, using: &random)]
        template.pointee.flags = mostly(flags)
        template.pointee.l2_length = mostly(l2)
        template.pointee.l3_length = mostly(l3)
        template.pointee.length = mostly(l2 + l3 + 16 + (flags & 1 == 1 ? 2 : 0))
        template.pointee.port = mostly(UInt16.random(in: 0..<4, using: &random))
        template.pointee.mtu = Bool.random(using: &random) ? any() : Bool.random(using: &random) ? 576 : 65_535
    }

    /// 2001:db8::`last` in the first 16 octets of a field.
    private func setIPv6<Field>(_ field: inout Field, _ last: UInt64) {
        withUnsafeMutableBytes(of: &field) {
            $0.storeBytes(of: (0x2001_0db8 << 32 as UInt64).bigEndian, as: UInt64.self)
            $0.storeBytes(of: last.bigEndian, toByteOffset: 8, as: UInt64.self)
        }
    }

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

    /// An L2TP data message over IPv6, now and then as a fragment, with an extension header or without a checksum.
    private func coreFrameOverIPv6(_ key: Key, _ port: Int) -> [UInt8] {
        var message = [0x02, 0x02] as [UInt8]
        put(mostly(key.tunnel), &message)
        put(key.localSessionID, &message)
        put(mostly(3 as UInt16), &message)
        message += [0, 0, 0] + payload()
        var udp: [UInt8] = []
        put(0x06a5_06a5 as UInt32, &udp)
        put(mostly(UInt16(message.count + 8)), &udp)
        put(mostly(0 as UInt16), &udp)
        udp += message
        let kind = mostly(17 as UInt8)
        if kind == 44 || Int.random(in: 0..<8, using: &random) == 0 {
            var header = [17, 0] as [UInt8]
            put(mostly(UInt16.random(in: 0..<4, using: &random)), &header)
            put(UInt32.random(in: 0..<4, using: &random), &header)
            udp = header + udp
        }
        var bytes: [UInt8] = []
        put(Self.mac(port).value << 16 | 0x02ee, &bytes)
        put(0 as UInt32, &bytes)
        put(0x86dd_6000 as UInt32, &bytes)
        put(0 as UInt16, &bytes)
        put(mostly(UInt16(udp.count)), &bytes)
        bytes += [udp.first == 17 ? 44 : kind, 64]
        for last in [2, 1] {
            put(0x2001_0db8 << 32 as UInt64, &bytes)
            put(mostly(UInt64(last)), &bytes)
        }
        return bytes + udp
    }

    private func coreFrame(_ key: Key, _ port: Int) -> [UInt8] {
        let ppp = payload()
        var l2tp: [UInt8] = []
        put(0x4002 as UInt16, &l2tp)
        put(mostly(UInt16(ppp.count + 8)), &l2tp)
        put(mostly(key.tunnel), &l2tp)
        put(key.localSessionID, &l2tp)
        l2tp += ppp
        var ip: [UInt8] = []
        put(0x4500_0000 | UInt32(l2tp.count + 28), &ip)
        put(0x0001_0000 as UInt32, &ip)
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
    private func checkFrames() {
        for port in 0..<UInt32(Self.ports) {
            let frames = forwarder.transmit.frames(port)
            let count = forwarder.transmit.count(port)
            if count > Forwarder.burst { failures.append("\(count) frames wait on port \(port)") }
            for index in 0..<min(count, Forwarder.burst) {
                guard let frame = frames[index] else { continue }
                let end = culvert_mbuf_headroom(frame) + culvert_mbuf_length(frame)
                if end > UInt32(culvert_harness_room(frame)) {
                    failures.append("a frame ends \(end) octets into its buffer")
                }
                culvert_mbuf_free(frame)
            }
            forwarder.transmit.removeAll(port)
        }
        for index in 0..<forwarder.punts.count { culvert_mbuf_free(forwarder.punts.frames[index]) }
        forwarder.punts.removeAll()
        if culvert_pool_available(pool) != 255 {
            failures.append("\(255 - culvert_pool_available(pool)) buffers are lost")
        }
    }

    private func checkTables() {
        // The sessions' own counters are the data plane's: they may differ.
        for slot in 0..<64 {
            for offset in [layout.upstream + 64 * slot + 32, layout.downstream + 64 * slot + 16] {
                (copy + offset).copyMemory(from: base + offset, byteCount: 16)
            }
        }
        for offset in stride(from: 0, to: layout.workers, by: 8)
        where base.load(fromByteOffset: offset, as: UInt64.self) != copy.load(fromByteOffset: offset, as: UInt64.self) {
            failures.append("the data plane wrote at offset \(offset) of the segment")
        }
    }
}
