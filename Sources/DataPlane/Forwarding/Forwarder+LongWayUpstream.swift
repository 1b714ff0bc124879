import CDPDK
import CSegment
import Segment
import Wire

// The long way from access to core: frames that need more than the plain template, and those that fall out at the last stage.
// These are calls; few sessions have features, and few frames exceed an MTU.

/// What culvertd gets of a frame that is too long for its tunnel.
private enum TooBig {
    /// Octets of the frame that are punted: enough for an ICMP message that has to stay below the smallest MTU of IPv6.
    static let length: UInt32 = 1_280
}

extension Forwarder {
    /// A frame to the core whose session has features, whose template is not plain, or that does not fit.
    @inline(never)
    func encapsulateTheLongWay(
        _ found: UpstreamFrame, _ template: OuterTemplate, _ identification: inout UInt32, port: UInt32
    ) {
        var found = found
        let session = UnsafeMutableRawPointer(found.line)
        let features = featuresInForce(sessionWord(session + 28))
        let isCaptured = features & SessionFeature.captured != 0
        if isCaptured { captureArrival(found.frame, port: port, slot: slot(found)) }
        guard template.isReady else { return refuse(found.frame, .nextHopUnresolved) }
        guard template.isConsistent else { return refuse(found.frame, .templateInvalid) }
        if let reason = refusalUpstream(found, features) { return refuse(found.frame, reason) }
        var options = OuterOptions(
            isSequenced: features & SessionFeature.sequenced != 0, sequence: 0, offsetPad: template.offsetPad)
        let ipLength = template.overhead &+ options.length &+ found.payloadLength
        let fits = ipLength <= template.mtu
        let cut = OuterFragments(template, ipLength: ipLength)
        if !fits {
            guard template.fragments, ipLength <= 0xffff else {
                return refuseLength(found, template, options, port: port)
            }
            guard cut.count <= OuterFragments.most else { return refuse(found.frame, .outerFragmentsTooMany) }
        }
        guard makeRoom(&found, OuterTemplate.longRoom &+ options.length) else {
            return refuse(found.frame, .headroomShort)
        }
        guard template.port < portCount else { return refuse(found.frame, .egressPortUnknown) }
        guard fits || takePieces(cut, for: found.frame) else {
            return refuse(found.frame, .outerFragmentNoBuffer)
        }
        if options.isSequenced { options.sequence = takeSequence(found) }
        let gap: UInt32 = !fits && template.isIPv6 ? 8 : 0
        template.write(
            before: found.frame.start + Int(truncatingIfNeeded: found.payloadOffset), length: found.payloadLength,
            options: options, gap: gap, identification: UInt16(truncatingIfNeeded: identification),
            session: session.load(fromByteOffset: 20, as: UInt16.self))
        if !template.isIPv6 { identification &+= state.pointee.identificationStep }
        let headerLength = template.length &+ options.length &+ gap
        found.frame.reframe(
            shift: Int32(bitPattern: found.payloadOffset &- headerLength), length: headerLength &+ found.payloadLength)
        countSession(session + 32, octets: found.payloadLength)
        count(.encapsulatedFrames)
        count(.encapsulatedOctets, UInt64(found.payloadLength))
        if fits {
            // The copy of a captured frame is to show the checksum that the port would have put in.
            if template.hasUDPChecksum { writeUDPChecksum(found.frame, template, inSoftware: isCaptured) }
            sendTheLongWay(found.frame, port: template.port, capturedAs: isCaptured ? slot(found) : nil)
        } else {
            sendFragments(found.frame, template, cut, capturedAs: isCaptured ? slot(found) : nil)
        }
    }

    /// A frame of a session whose tunnel is not in service.
    @inline(never)
    func dropWithoutTunnel(_ found: UpstreamFrame, port: UInt32) {
        if sessionWord(UnsafeMutableRawPointer(found.line) + 28) & SessionFeature.captured != 0 {
            captureArrival(found.frame, port: port, slot: slot(found))
        }
        refuse(found.frame, .tunnelNotForwarding)
    }

    /// The upstream slot of a frame whose session was found.
    @inline(__always)
    private func slot(_ found: UpstreamFrame) -> UInt32 { UInt32(truncatingIfNeeded: found.line - view.upstream) }

    /// A frame that is longer than the way to the peer takes.
    private func refuseLength(
        _ found: UpstreamFrame, _ template: OuterTemplate, _ options: OuterOptions, port: UInt32
    ) {
        guard template.tellsInside else { return refuse(found.frame, .outerMTUExceeded) }
        let overhead = template.overhead &+ options.length
        // What is cut into fragments may be as long as an IP packet can.
        let limit = template.fragments ? 0xffff : template.mtu
        let detail = limit > overhead ? limit &- overhead : 0
        found.frame.reframe(shift: 0, length: min(found.frame.length, TooBig.length))
        let mbuf = found.frame.mbuf
        let end = punt(
            found.frame, .tooBig, port: port, slot: slot(found), detail: UInt16(truncatingIfNeeded: detail))
        noteEnd(of: mbuf, end)
    }

    /// Makes sure that there are `room` octets in the buffer before the PPP frame, which moves back for it where it has to. False:
    /// there is not so much room behind it.
    @inline(__always)
    private func makeRoom(_ found: inout UpstreamFrame, _ room: UInt32) -> Bool {
        let there = found.frame.headroom &+ found.payloadOffset
        return there >= room || moveBack(&found, by: room &- there)
    }

    @inline(never)
    private func moveBack(_ found: inout UpstreamFrame, by distance: UInt32) -> Bool {
        let mbuf = found.frame.mbuf
        let behind =
            culvert_mbuf_data_length(mbuf) &+ culvert_mbuf_tailroom(mbuf) &- found.payloadOffset &- found.payloadLength
        guard distance <= behind else { return false }
        let payload = found.frame.start + Int(truncatingIfNeeded: found.payloadOffset)
        culvert_move_up(
            payload + Int(truncatingIfNeeded: distance), payload, Int(truncatingIfNeeded: found.payloadLength))
        found.payloadOffset &+= distance
        return true
    }
}
