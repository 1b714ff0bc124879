import CDPDK
import CSegment
import Forwarding
import Segment
import Testing
import Wire

/// A forwarder on a rig's tables, and time that goes on only when the test says so. PPPoE session 5 is joined with L2TP session 9.
final class FeatureRig {
    let rig: Rig
    let forwarder: Forwarder
    /// Cycles a second.
    let rate: UInt64
    var now: UInt64 = 1 << 50

    var up: UnsafeMutablePointer<culvert_upstream> { rig.view.upstream + 5 }
    var down: UnsafeMutablePointer<culvert_downstream> { rig.view.downstream + 9 }
    var upFeatures: UnsafeMutablePointer<culvert_features> { rig.view.upstreamFeatures + 5 }
    var downFeatures: UnsafeMutablePointer<culvert_features> { rig.view.downstreamFeatures + 9 }

    init(_ kind: TemplateKind = .plain, reordering: ReorderLimits = ReorderLimits()) throws {
        rig = try Rig(kind)
        // DPDK knows it once it is started.
        rate = culvert_cycles_per_second()
        forwarder = try Forwarder(
            view: rig.view,
            ports: [ForwardingPort(mac: accessMAC, mtu: 1_500), ForwardingPort(mac: coreMAC, mtu: 1_500)],
            worker: 0, workers: 1, limits: PuntLimits(all: 1_000_000), reordering: reordering, cyclesPerSecond: rate)
        up.pointee.partner = 9
        down.pointee.partner = 5
    }

    deinit { forwarder.deallocate() }

    /// Frames that come in on a port at once; what leaves by the other.
    func pass(_ frames: [[UInt8]], port: Int) -> [[UInt8]] {
        forwarder.setTime(now)
        for frame in frames {
            rig.send(frame, port: port)
            var mbuf: OpaquePointer?
            guard culvert_ring_dequeue(rig.ports.receive[port], &mbuf, 1) == 1 else { continue }
            forwarder.receive(&mbuf, count: 1, port: UInt32(port))
        }
        return take(1 - port)
    }

    /// What leaves by a port when so much time has gone by.
    func wait(milliseconds: UInt64, port: Int = 0) -> [[UInt8]] {
        now += rate / 1_000 * milliseconds
        forwarder.setTime(now)
        forwarder.expireMessages(now: now)
        return take(port)
    }

    private func take(_ port: Int) -> [[UInt8]] {
        let port = UInt32(port)
        let frames = (0..<forwarder.transmit.count(port)).compactMap { forwarder.transmit.frames(port)[$0] }
            .map(PacketBuffer.init)
        let contents = frames.map(\.contents)
        forwarder.countTransmitted(frames.count, octets: UInt64(contents.joined().count), port: port)
        for frame in frames { frame.free() }
        forwarder.transmit.removeAll(port)
        return contents
    }

    /// The invariant of `Counter`.
    var isBalanced: Bool {
        let inputs = rig.counters.filter { $0.key.role == .input }.values.reduce(0, +)
        return inputs == rig.terminals.values.reduce(0, +) + UInt64(forwarder.heldMessages)
    }
}

/// A PPPoE session frame of session 5 with this PPP.
func sessionFrame(ppp: [UInt8]) -> [UInt8] {
    accessMAC.octets + clientMAC.octets
        + [0x88, 0x64, 0x11, 0, 0, 5, UInt8(ppp.count >> 8), UInt8(ppp.count & 255)] + ppp
}

/// An L2TP data message to session 9 with this PPP, and with Ns where it is given: without length field, UDP checksum 0.
func tunnelFrame(ppp: [UInt8], sequence: UInt16?) -> [UInt8] {
    var l2tp: [UInt8] = [sequence == nil ? 0 : 8, 2, 0, 7, 0, 9]
    if let sequence { l2tp += [UInt8(sequence >> 8), UInt8(sequence & 255), 0xee, 0xee] }
    l2tp += [0xff, 3] + ppp
    let (udp, ip) = (l2tp.count + 8, l2tp.count + 28)
    var header: [UInt8] = [0x45, 0, UInt8(ip >> 8), UInt8(ip & 255), 0, 1, 0, 0, 64, 17, 0, 0]
    header += bytes("c6336401c0000201")
    var sum = stride(from: 0, to: 20, by: 2).reduce(0) { $0 + Int(header[$1]) << 8 + Int(header[$1 + 1]) }
    while sum > 0xffff { sum = sum >> 16 + sum & 0xffff }
    (header[10], header[11]) = (UInt8(~sum >> 8 & 255), UInt8(~sum & 255))
    return coreMAC.octets + nextHopMAC.octets + [8, 0] + header
        + [6, 0xa5, 6, 0xa5, UInt8(udp >> 8), UInt8(udp & 255), 0, 0] + l2tp
}
