import CDPDK
import CSegment
import Forwarding
import Segment
import Wire

// Frames as clients and peers send them, and as they must come out.
extension Churn {
    /// Octets at a frame's end: number, generation, serial number.
    static let mark = 16

    /// Sends a frame, upstream or downstream, of some session; now and then of one that has ended.
    func sendAny() throws {
        let number: UInt32
        let generation: UInt32
        let isStale = random.next() % 10 == 0
        if isStale {
            (number, generation) = ended[Int.random(in: 0..<ended.count, using: &random)]
        } else {
            number = UInt32.random(in: 0..<sessions, using: &random)
            generation = generations[Int(number)]
        }
        let index = index(number, generation)
        let life = lives[index]
        guard life.generation == generation, generation != 0, isStale || !life.isRemoved else { return }
        let isUpstream = random.next() & 1 == 0
        // Without a tunnel there is nothing to send downstream; and an id that has a new owner is the new owner's.
        guard isUpstream || life.isForwarded && (!life.isRemoved || owners[key(life)] == nil) else { return }

        let place = Int(life.tunnelPlace)
        let isTunnelThere = life.isForwarded && tunnels[place].serial == life.tunnelSerial
        let frame = ChurnFrame(
            serial: nextFrame, number: number, generation: generation, tick: tick,
            version: isTunnelThere ? tunnels[place].inForce : 0, isUpstream: isUpstream, hasEnded: false)
        let port: Int
        if isUpstream {
            port = Int(ChurnCircuit(life.circuit).port)
            writeUpstream(frame, life, toClient: false)
        } else {
            let ends = ChurnHeader(serial: life.tunnelSerial, version: 0).endpoints
            port = Int(ends.port)
            writeDownstream(frame, life, ends, port)
        }
        guard let mbuf = culvert_mbuf_allocate(host.pool) else { return fail("no packet buffer left") }
        culvert_mbuf_set_frame(mbuf, 0, UInt32(text.count))
        if let start = text.bytes.baseAddress {
            culvert_mbuf_data(mbuf).copyMemory(from: start, byteCount: text.count)
        }
        var buffer: OpaquePointer? = mbuf
        guard culvert_ring_enqueue(host.ports[port].toNode, &buffer, 1) == 1 else {
            culvert_mbuf_free(mbuf)
            return fail("port \(port)'s ring is full")
        }
        injected[port] += 1
        flight[Int(nextFrame) & (Self.frames - 1)] = frame
        lives[index].lastFrame = nextFrame
        if life.isRemoved {
            if isTunnelThere { tunnels[place].lastStale = nextFrame }
        } else {
            recent[Int(nextFrame) & (recent.count - 1)] = number
        }
        nextFrame += 1
        if isUpstream { tally.sent.up += 1 } else { tally.sent.down += 1 }
    }

    /// Octets of the PPP frame, from the protocol field on.
    func pppLength(_ frame: ChurnFrame) -> Int { 2 + Int(frame.serial % 61) + Self.mark }

    private func writePPP(_ frame: ChurnFrame) {
        text.put(0x0021 as UInt16)
        for offset in 0..<frame.serial % 61 { text.put(UInt8(truncatingIfNeeded: frame.serial &* 31 &+ offset)) }
        text.put(frame.number)
        text.put(frame.generation)
        text.put(frame.serial)
    }

    /// The session's PPPoE frame, from the client or to it (RFC 2516, section 4).
    func writeUpstream(_ frame: ChurnFrame, _ life: ChurnLife, toClient: Bool) {
        let circuit = ChurnCircuit(life.circuit)
        let client = ChurnPlan.clientMAC(number: frame.number, generation: life.generation)
        let node = ChurnPlan.mac(port: Int(circuit.port))
        text.clear()
        text.put(toClient ? client : node)
        text.put(toClient ? node : client)
        if circuit.outer != 0 {
            text.put(circuit.tpid)
            text.put(circuit.outer)
        }
        if circuit.inner != 0 {
            text.put(0x8100 as UInt16)
            text.put(circuit.inner)
        }
        text.put(0x8864 as UInt16)
        text.put(0x1100 as UInt16)
        text.put(life.sessionID)
        text.put(UInt16(pppLength(frame)))
        writePPP(frame)
    }

    /// The session's L2TP data message as the peer sends it (RFC 2661, section 3.1), with and without length field and ff 03.
    private func writeDownstream(_ frame: ChurnFrame, _ life: ChurnLife, _ ends: TunnelEndpoints, _ port: Int) {
        guard case .ipv4(let local, let peer) = ends.addresses else { return fail("the plan has tunnels over IPv4") }
        text.clear()
        text.put(ChurnPlan.mac(port: port))
        text.put(MACAddress(value: 0x06 << 40 | UInt64(life.tunnelSerial & 0xff_ffff) << 16))
        if frame.serial & 8 != 0 {
            text.put(0x8100 as UInt16)
            text.put(77 as UInt16)
        }
        writeIP(
            frame, from: (peer, ends.peerPort), to: (local, ends.localPort),
            session: (life.localTunnelID, life.localSessionID),
            identification: UInt16(truncatingIfNeeded: frame.serial), typeOfService: 0, timeToLive: 61,
            doNotFragment: frame.serial & 16 != 0,
            hasLengthField: frame.serial & 1 != 0, hasAddressAndControl: frame.serial & 2 != 0,
            computesChecksum: frame.serial & 4 != 0)
    }

    /// The session's L2TP data message as it must come out under this header.
    func writeEncapsulated(_ frame: ChurnFrame, _ life: ChurnLife, _ outer: OuterHeader, identification: UInt16) {
        let ends = outer.endpoints
        guard case .ipv4(let local, let peer) = ends.addresses else { return fail("the plan has tunnels over IPv4") }
        text.clear()
        text.put(outer.destinationMAC ?? MACAddress(value: 0))
        text.put(outer.sourceMAC)
        if let tag = outer.tag {
            text.put(0x8100 as UInt16)
            text.put(tag)
        }
        writeIP(
            frame, from: (local, ends.localPort), to: (peer, ends.peerPort),
            session: (ends.peerTunnelID, life.peerSessionID), identification: identification,
            typeOfService: outer.typeOfService, timeToLive: outer.timeToLive, doNotFragment: outer.doNotFragment,
            hasLengthField: outer.hasLengthField, hasAddressAndControl: true, computesChecksum: outer.computesChecksum)
    }

    private func writeIP(
        _ frame: ChurnFrame, from: (address: IPv4Address, port: UInt16), to: (address: IPv4Address, port: UInt16),
        session: (tunnel: UInt16, id: UInt16), identification: UInt16, typeOfService: UInt8, timeToLive: UInt8,
        doNotFragment: Bool, hasLengthField: Bool, hasAddressAndControl: Bool, computesChecksum: Bool
    ) {
        let l2tpLength = 6 + (hasLengthField ? 2 : 0) + (hasAddressAndControl ? 2 : 0) + pppLength(frame)
        text.put(0x0800 as UInt16)
        let ip = text.count
        text.put(0x45 as UInt8)
        text.put(typeOfService)
        text.put(UInt16(28 + l2tpLength))
        text.put(identification)
        text.put((doNotFragment ? 0x4000 : 0) as UInt16)
        text.put(timeToLive)
        text.put(17 as UInt8)
        text.put(0 as UInt16)
        text.put(from.address.value)
        text.put(to.address.value)
        let udp = text.count
        text.patch(text.checksum(from: ip, to: udp), at: ip + 10)
        text.put(from.port)
        text.put(to.port)
        text.put(UInt16(8 + l2tpLength))
        text.put(0 as UInt16)
        text.put((hasLengthField ? 0x4002 : 0x0002) as UInt16)
        if hasLengthField { text.put(UInt16(l2tpLength)) }
        text.put(session.tunnel)
        text.put(session.id)
        if hasAddressAndControl { text.put(0xff03 as UInt16) }
        writePPP(frame)
        guard computesChecksum else { return }
        var pseudo = UInt32(17) + UInt32(8 + l2tpLength)
        for address in [from.address.value, to.address.value] { pseudo += address >> 16 + address & 0xffff }
        let checksum = text.checksum(from: udp, to: text.count, and: pseudo)
        text.patch(checksum == 0 ? 0xffff : checksum, at: udp + 6)
    }
}
