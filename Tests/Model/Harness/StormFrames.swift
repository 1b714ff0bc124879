import CDPDK
import CHarness
import Forwarding
import Glibc
import Segment
import Wire

/// Frames for a storm, made as fast as they are wanted: good ones by the million, and what becomes of them when bits fall over,
/// ends are cut off, fragments meet others' and numbers are as large as they can be.
struct StormFrames {
    /// Octets of a frame in one buffer.
    private static let room = 2_048

    private var random: SplitMix
    private let payload: [UInt8]
    private let text = FrameText()
    private let datagram = UnsafeMutableRawPointer.allocate(byteCount: 65_536, alignment: 8)
    private var pieces: [Piece] = []
    /// Whether every other frame is a fragment of a datagram that never becomes whole.
    var isFlood = false
    /// Where the IP header of the frame at hand lies; nil: it has none.
    private var ip: Int?

    /// A fragment on its way.
    private struct Piece {
        var port: UInt16
        var octets: [UInt8]
    }

    init(seed: UInt64) {
        var random = SplitMix(seed: seed)
        payload = (0..<2_048).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        self.random = random
    }

    func deallocate() { datagram.deallocate() }

    private mutating func below(_ bound: Int) -> Int { Int(random.next().multipliedFullWidth(by: UInt64(bound)).high) }
    private mutating func one(in count: Int) -> Bool { below(count) == 0 }

    /// A frame in a buffer of `pool`, and the port that it comes in on.
    mutating func next(_ plan: inout StormPlan, pool: OpaquePointer) -> (mbuf: OpaquePointer, port: UInt16)? {
        text.clear()
        ip = nil
        var port: UInt16
        var isSpoilt = below(8) < 3
        switch below(isFlood ? 32 : 16) {
        case 0..<5: port = upstream(plan)
        case 5..<10: port = downstream(&plan)
        case 10..<15:
            port = fragment(&plan)
            isSpoilt = one(in: 32)  // one is enough for a whole datagram
        case 15: port = other()
        default: port = orphan(&plan)
        }
        guard let mbuf = culvert_mbuf_allocate(pool) else { return nil }
        let data = culvert_mbuf_data(mbuf)
        var count = text.count
        text.bytes.copyBytes(to: UnsafeMutableRawBufferPointer(start: data, count: Self.room))
        if isSpoilt { count = mutate(data, count, &port) }
        culvert_mbuf_set_frame(mbuf, 0, UInt32(count))
        place(mbuf, count)
        if one(in: 200), count > 1 { chain(mbuf, pool) }
        return (mbuf, port)
    }

    /// Elsewhere in the buffer: with as much room in front as any driver leaves, less or none.
    private mutating func place(_ mbuf: OpaquePointer, _ count: Int) {
        guard one(in: 16) else { return }
        let shift = [-128, -112, -64, 64, Self.room - count][below(5)]
        guard shift <= Self.room - count else { return }
        let data = culvert_mbuf_data(mbuf)
        memmove(data + shift, data, count)
        culvert_mbuf_set_frame(mbuf, Int32(shift), UInt32(count))
    }

    /// In two buffers.
    private mutating func chain(_ mbuf: OpaquePointer, _ pool: OpaquePointer) {
        guard let tail = culvert_mbuf_allocate(pool) else { return }
        let count = Int(culvert_mbuf_length(mbuf))
        let kept = 1 + below(count - 1)
        culvert_mbuf_data(tail).copyMemory(from: culvert_mbuf_data(mbuf) + kept, byteCount: count - kept)
        culvert_mbuf_set_frame(tail, 0, UInt32(count - kept))
        culvert_mbuf_set_frame(mbuf, 0, UInt32(kept))
        if culvert_harness_chain(mbuf, tail) != 0 { culvert_mbuf_free(tail) }
    }
}

// Good frames.
extension [UInt8] {
    /// Copies the first `count` octets.
    fileprivate func copyBytes(to room: UnsafeMutableRawBufferPointer, count: Int) {
        withUnsafeBytes { room.copyBytes(from: UnsafeRawBufferPointer(rebasing: $0.prefix(count))) }
    }
}

extension StormFrames {
    private mutating func putPPP(longest: Int) {
        switch below(8) {
        case 0..<2: putSYN()
        case 2: text.put(0x21 as UInt8)
        case 3: text.put(0x5765_8000 as UInt32)
        default: text.put(0x0021_45b8 as UInt32)
        }
        putPayload([0, 1, 40, 400, 1_400, below(longest)][below(6)])
    }

    private func putPayload(_ count: Int) {
        payload.withUnsafeBytes { text.put(UnsafeRawBufferPointer(rebasing: $0.prefix(max(0, count)))) }
    }

    /// IPv4 or IPv6 with a SYN that names an MSS, at whatever place.
    private mutating func putSYN() {
        let padding = below(8)
        let options = (padding + 4 + 3) / 4 * 4
        let length = 20 + options
        if random.next() & 1 == 0 {
            text.put(0x0021_4500 as UInt32)
            text.put(UInt32(length + 20) << 16)
            text.put(0x0000_4000_4006_0000 as UInt64)
            text.put(0x0a00_0001_0a00_0002 as UInt64)
        } else {
            text.put(0x0057 as UInt16)
            text.put(0x6000_0000 as UInt32)
            text.put(UInt32(length) << 16 | 0x0640)
            for _ in 0..<4 { text.put(0x2001_0db8_0000_0001 as UInt64) }
        }
        text.put(0x1234_0050 as UInt32)
        text.put(random.next())
        text.put(UInt8(truncatingIfNeeded: (5 + options / 4) << 4))
        text.put(UInt8(truncatingIfNeeded: one(in: 4) ? random.next() : 2))
        text.put(0x2000 as UInt16)
        text.put(0x1234_0000 as UInt32)
        for _ in 0..<padding { text.put(1 as UInt8) }
        text.put(0x0204 as UInt16)
        text.put(UInt16(truncatingIfNeeded: one(in: 2) ? 1_460 : Int(random.next() & 0xffff)))
        for _ in 0..<(options - padding - 4) { text.put(0 as UInt8) }
    }

    private mutating func upstream(_ plan: StormPlan) -> UInt16 {
        let session = plan.sessions[below(plan.sessions.count)]
        let circuit = StormPlan.circuits[session.circuit]
        text.put(StormPlan.mac(Int(circuit.port)))
        text.put(session.client)
        if circuit.outer != 0 { text.put(UInt32(circuit.tpid) << 16 | UInt32(circuit.outer)) }
        if circuit.inner != 0 { text.put(0x8100_0000 | UInt32(circuit.inner)) }
        text.put(0x8864_1100 as UInt32)
        text.put(session.sessionID)
        text.put(0 as UInt16)
        let start = text.count
        putPPP(longest: 2_000)
        text.patch(UInt16(text.count - start), at: start - 2)
        if one(in: 4) { putPayload(below(40)) }
        return circuit.port
    }

    /// The L2TP message of a session, from its flags on.
    private mutating func putMessage(_ plan: inout StormPlan, _ number: Int, longest: Int) {
        let start = text.count
        let bits = random.next()
        let (hasLength, isSequenced, hasOffset) = (bits & 1 == 1, bits & 6 == 2, bits & 24 == 8)
        text.put(UInt16(2 | (hasLength ? 0x4000 : 0) | (isSequenced ? 0x0800 : 0) | (hasOffset ? 0x0200 : 0)))
        if hasLength { text.put(0 as UInt16) }
        text.put(plan.tunnels[plan.sessions[number].tunnel].id)
        text.put(plan.sessions[number].localSessionID)
        if isSequenced {
            let jumps: [UInt16] = [0, 0, 0, 0, 1, 2, 3, 40, 0xffff, 0xfffe, 0x7fff, 0x8000]
            text.put(plan.sessions[number].sequence &+ jumps[below(jumps.count)])
            text.put(UInt16(truncatingIfNeeded: bits >> 32))
            if !one(in: 4) { plan.sessions[number].sequence &+= 1 }
        }
        if hasOffset {
            let pad = one(in: 2) ? 16 : below(256)
            text.put(UInt16(pad))
            putPayload(pad)
        }
        if bits & 32 == 0 { text.put(0xff03 as UInt16) }
        putPPP(longest: longest)
        if hasLength { text.patch(UInt16(truncatingIfNeeded: text.count - start), at: start + 2) }
    }

    private mutating func downstream(_ plan: inout StormPlan) -> UInt16 {
        let number = below(plan.sessions.count)
        let tunnel = plan.tunnels[plan.sessions[number].tunnel]
        putFront(tunnel)
        let udp = text.count
        text.put(0x06a5_06a5 as UInt32)
        text.put(0 as UInt32)
        putMessage(&plan, number, longest: 1_500)
        finish(tunnel, udp: udp)
        return tunnel.port
    }

    /// Ethernet and IP, with lengths of 0.
    private mutating func putFront(_ tunnel: StormTunnel) {
        text.put(StormPlan.mac(Int(tunnel.port)))
        text.put(MACAddress(value: 0x02ee_0000_0001))
        if one(in: 4) { text.put(0x8100_004d as UInt32) }
        text.put((tunnel.isIPv6 ? 0x86dd : 0x0800) as UInt16)
        ip = text.count
        if tunnel.isIPv6 {
            text.put(0x6000_0000_0000_1140 as UInt64)
        } else {
            text.put(0x4500_0000_0000_0000 as UInt64)
            text.put(0x4011_0000 as UInt32)
        }
        tunnel.peer.withUnsafeBytes { text.put($0) }
        tunnel.local.withUnsafeBytes { text.put($0) }
    }

    private mutating func finish(_ tunnel: StormTunnel, udp: Int) {
        guard let ip else { return }
        text.patch(UInt16(truncatingIfNeeded: text.count - udp), at: udp + 4)
        if tunnel.isIPv6 {
            text.patch(UInt16(truncatingIfNeeded: text.count - udp), at: ip + 4)
            return
        }
        text.patch(UInt16(truncatingIfNeeded: text.count - ip), at: ip + 2)
        text.patch(text.checksum(from: ip, to: ip + 20), at: ip + 10)
    }

    /// Whatever else is on a wire.
    private mutating func other() -> UInt16 {
        let port = below(StormPlan.ports.count)
        text.put(one(in: 2) ? StormPlan.mac(port) : MACAddress(value: 0xffff_ffff_ffff))
        text.put(MACAddress(value: 0x0211_0000_0000 | random.next() & 0xff))
        let types: [UInt16] = [0x0806, 0x8863, 0x8864, 0x0800, 0x86dd, 0x8100, 0x88a8, 0x88cc]
        text.put(types[below(types.count)])
        putPayload(below(one(in: 4) ? 2_000 : 64))
        return UInt16(port)
    }
}

// Fragments.
extension StormFrames {
    /// One of the fragments that are on their way; a new datagram's join them.
    private mutating func fragment(_ plan: inout StormPlan) -> UInt16 {
        if pieces.count < 64 { cut(&plan) }
        guard !pieces.isEmpty else { return other() }
        let index = below(pieces.count)
        let piece = pieces[index]
        if !one(in: 32) {
            pieces.swapAt(index, pieces.count - 1)
            pieces.removeLast()
        }
        text.clear()
        piece.octets.withUnsafeBytes { text.put($0) }
        ip = 14
        return piece.port
    }

    /// The first fragment of a datagram whose others do not come.
    private mutating func orphan(_ plan: inout StormPlan) -> UInt16 {
        let port = downstream(&plan)
        guard let ip, text.count > ip + 48 else { return port }
        if text.bytes[ip] >> 4 == 4 {
            text.patch(UInt16(truncatingIfNeeded: random.next()), at: ip + 4)
            text.patch(UInt16(0x2000 | below(8) << 8), at: ip + 6)
            let length = 20 + (text.count - ip - 20) / 8 * 8
            text.patch(UInt16(length), at: ip + 2)
            text.patch(0, at: ip + 10)
            text.patch(text.checksum(from: ip, to: ip + 20), at: ip + 10)
        } else {
            text.patch(UInt16(8 + (text.count - ip - 48) / 8 * 8), at: ip + 4)
            text.patch(0x2c40, at: ip + 6)
            text.patch(0x1100, at: ip + 40)
            text.patch(UInt16(below(8) << 11 | 1), at: ip + 42)
            text.patch(UInt16(truncatingIfNeeded: random.next()), at: ip + 44)
            text.patch(UInt16(truncatingIfNeeded: random.next()), at: ip + 46)
        }
        return port
    }

    private mutating func cut(_ plan: inout StormPlan) {
        let number = below(plan.sessions.count)
        let tunnel = plan.tunnels[plan.sessions[number].tunnel]
        text.clear()
        text.put(0x06a5_06a5 as UInt32)
        text.put(0 as UInt32)
        putMessage(&plan, number, longest: 1_500)
        let first = text.count
        text.bytes.copyBytes(to: UnsafeMutableRawBufferPointer(start: datagram, count: first))
        // The rest is anything: what is put together may be longer than any frame.
        let total = one(in: 4) ? min(first + below(one(in: 16) ? 60_000 : 8_000), 65_500) : first
        var copied = first
        while copied < total {
            let count = min(payload.count, total - copied)
            payload.copyBytes(to: UnsafeMutableRawBufferPointer(start: datagram + copied, count: count), count: count)
            copied += count
        }
        datagram.storeBytes(of: UInt16(truncatingIfNeeded: total).bigEndian, toByteOffset: 4, as: UInt16.self)
        let identification = UInt32(truncatingIfNeeded: one(in: 8) ? 7 : random.next())
        let size = max(total / 60 / 8 * 8 + 8, [16, 24, 576, 1_232, 1_480, total / 2][below(6)] / 8 * 8)
        var offset = 0
        while offset < total {
            var count = min(one(in: 8) ? 8 + below(180) * 8 : size, 1_960)
            count = min(count, total - offset)
            put(tunnel, offset: offset, count: count, isLast: offset + count == total, identification)
            if one(in: 256) { put(tunnel, offset: max(0, offset - 8), count: count, isLast: false, identification) }
            offset += count
        }
    }

    private mutating func put(
        _ tunnel: StormTunnel, offset: Int, count: Int, isLast: Bool, _ identification: UInt32
    ) {
        let piece = FrameText()
        piece.put(StormPlan.mac(Int(tunnel.port)))
        piece.put(MACAddress(value: 0x02ee_0000_0001))
        piece.put((tunnel.isIPv6 ? 0x86dd : 0x0800) as UInt16)
        if tunnel.isIPv6 {
            piece.put(0x6000_0000 as UInt32)
            piece.put(UInt16(truncatingIfNeeded: count + 8))
            piece.put(0x2c40 as UInt16)
        } else {
            piece.put(0x4500_0000 | UInt32(count + 20))
            piece.put(UInt16(truncatingIfNeeded: identification))
            piece.put(UInt16(truncatingIfNeeded: offset / 8 | (isLast ? 0 : 0x2000)))
            piece.put(0x4011_0000 as UInt32)
        }
        tunnel.peer.withUnsafeBytes { piece.put($0) }
        tunnel.local.withUnsafeBytes { piece.put($0) }
        if tunnel.isIPv6 {
            piece.put(0x1100 as UInt16)
            piece.put(UInt16(truncatingIfNeeded: offset | (isLast ? 0 : 1)))
            piece.put(identification)
        } else {
            piece.patch(piece.checksum(from: 14, to: 34), at: 24)
        }
        piece.put(UnsafeRawBufferPointer(start: datagram + offset, count: count))
        pieces.append(Piece(port: tunnel.port, octets: Array(piece.bytes)))
    }
}

// What becomes of good frames.
extension StormFrames {
    /// Spoils the frame of `count` octets at `data`; answers how long it is then.
    private mutating func mutate(_ data: UnsafeMutableRawPointer, _ count: Int, _ port: inout UInt16) -> Int {
        guard count > 14 else { return count }
        var count = count
        switch below(8) {
        case 0: return below(one(in: 2) ? count + 1 : 64)
        case 1: port = UInt16(below(StormPlan.ports.count))
        case 2:
            let more = below(Self.room - count + 1)
            payload.copyBytes(to: UnsafeMutableRawBufferPointer(start: data + count, count: more), count: more)
            count += more
        case 3:
            // A number at an end of its range, where lengths, ids and offsets are.
            let at = 12 + below(min(count - 14, 80))
            let ends: [UInt16] = [0, 1, 7, 8, 0x7fff, 0x8000, 0xfff8, 0xfffe, 0xffff, UInt16(count)]
            data.storeBytes(of: ends[below(ends.count)].bigEndian, toByteOffset: at, as: UInt16.self)
        case 4:
            if let ip, count >= ip + 48 { fragmentField(data + ip) }
        default:
            for _ in 0...below(3) {
                let at = below(min(count, 128))
                let bit = UInt8(1) << UInt8(below(8))
                data.storeBytes(
                    of: data.load(fromByteOffset: at, as: UInt8.self) ^ bit, toByteOffset: at, as: UInt8.self)
            }
        }
        if let ip, count >= ip + 20, !one(in: 4) { mendChecksum(data + ip) }
        return count
    }

    /// Makes the packet a fragment, any, among few identifications, so that they meet.
    private mutating func fragmentField(_ ip: UnsafeMutableRawPointer) {
        let place = UInt16(truncatingIfNeeded: one(in: 4) ? Int(random.next() & 0x3fff) : below(64) | below(2) << 13)
        if ip.load(as: UInt8.self) >> 4 == 4 {
            ip.storeBytes(of: UInt16(below(4)).bigEndian, toByteOffset: 4, as: UInt16.self)
            ip.storeBytes(of: place.bigEndian, toByteOffset: 6, as: UInt16.self)
        } else {
            ip.storeBytes(of: 44, toByteOffset: 6, as: UInt8.self)
            ip.storeBytes(of: UInt16(0x1100).bigEndian, toByteOffset: 40, as: UInt16.self)
            ip.storeBytes(of: (place << 3 | place >> 13).bigEndian, toByteOffset: 42, as: UInt16.self)
            ip.storeBytes(of: UInt32(below(4)).bigEndian, toByteOffset: 44, as: UInt32.self)
        }
    }

    /// So that the fault lies deeper.
    private func mendChecksum(_ ip: UnsafeMutableRawPointer) {
        ip.storeBytes(of: 0, toByteOffset: 10, as: UInt16.self)
        var sum: UInt32 = 0
        for at in stride(from: 0, to: 20, by: 2) {
            sum += UInt32(UInt16(bigEndian: ip.loadUnaligned(fromByteOffset: at, as: UInt16.self)))
        }
        sum = sum & 0xffff + sum >> 16
        sum = sum & 0xffff + sum >> 16
        ip.storeBytes(of: UInt16(truncatingIfNeeded: ~sum).bigEndian, toByteOffset: 10, as: UInt16.self)
    }
}
