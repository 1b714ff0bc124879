import Host
import Observability
import PPPoE
import Segment
import Timing
import Wire

/// Captures: copies of a session's frames for an operator.
///
/// Data frames are copied by the data plane, which is told a number for each capture and sends it along. Control frames are
/// seen here: whatever is sent or handed over is looked at while there is a capture, and belongs to it by the client's address,
/// circuit and session id, or by the ids of the tunnel that carries the session.
extension ControlNode {
    /// Captures at once.
    public static let mostCaptures = 16

    /// Time for which a capture outlives its session: what the workers copied last is on its way for as long.
    static let captureLinger: Duration = .milliseconds(100)

    /// Why there is no capture.
    public enum CaptureFault: Error, Hashable, Sendable {
        /// There is no such session.
        case notFound(String)
        /// Several sessions have the id; the tunnel must be named.
        case ambiguous(String)
        /// There are as many captures as there may be.
        case exhausted(String)
        /// The session is captured already, or the table refuses.
        case refused(String)
    }

    /// Captures a session's frames until `stopCapture` or until the session ends, which `Effects.capture` is told; it is told of
    /// every frame too. A session that is being set up can be captured as well.
    ///
    /// - Parameters:
    ///   - snapLength: octets of a frame that are kept; 0: all. The data plane gives at most `SessionCapture.longest` octets of a
    ///     data frame.
    ///   - control: whether the control messages of the session's tunnel are captured too.
    public func startCapture(
        of session: SessionName, snapLength: UInt32, control: Bool
    ) throws(CaptureFault) -> CaptureID {
        let (slot, key) = try capturedSession(session)
        guard captures.count < Self.mostCaptures else {
            throw .exhausted("there are \(captures.count) captures already, which is the most at once")
        }
        guard !captures.values.contains(where: { $0.slot == slot && !$0.isEnding }) else {
            throw .refused("the session is being captured already")
        }
        repeat { lastCapture = lastCapture == .max ? 1 : lastCapture + 1 } while captures[lastCapture] != nil
        let snap = snapLength == 0 ? Int.max : Int(snapLength)
        do {
            let length = UInt16(clamping: min(snap, Int(SessionCapture.longest)))
            try table.setCapture(SessionCapture(number: lastCapture, length: length), upstream: slot)
        } catch {
            throw .refused("\(error)")
        }
        var capture = Capture(slot: slot, key: key, snapLength: snap, hasTunnelControl: control)
        capture.tunnel = connections[slot]?.call?.tunnel
        captures[lastCapture] = capture
        logger.notice(
            "capture started",
            metadata: ["capture": "\(lastCapture)", "mac": "\(key.client)", "pppoe-session": "\(key.sessionID)"])
        return CaptureID(rawValue: lastCapture)
    }

    /// Ends a capture without another word to `Effects.capture`; nothing when it has ended already.
    public func stopCapture(_ id: CaptureID) {
        guard let capture = captures.removeValue(forKey: id.rawValue) else { return }
        if !capture.isEnding {
            // Refused only where the session is gone, and its capture with it.
            try? table.setCapture(nil, upstream: capture.slot)
        }
        logger.notice(
            "capture ended", metadata: ["capture": "\(id)", "frames": "\(capture.frames)"])
    }

    /// The slot of a session, and what its frames on the access side have in common.
    private func capturedSession(_ session: SessionName) throws(CaptureFault) -> (UInt32, SessionKey) {
        let found: [UInt32]
        switch session {
        case .l2tp(let id, let tunnel):
            let calls = tunnels.values.filter { ($0.id == tunnel || tunnel == nil) && $0.calls[id] != nil }
            guard calls.count <= 1 else {
                let list = calls.map(\.id).sorted().map(String.init).joined(separator: ", ")
                throw .ambiguous("session \(id) is in several tunnels (\(list)); name the tunnel too")
            }
            found = calls.compactMap { $0.calls[id]?.upstreamSlot }
            if found.isEmpty { throw .notFound("no session \(id)\(tunnel.map { " in tunnel \($0)" } ?? "")") }
        case .route(let id):
            found = routes[id].map { [$0] } ?? []
            if found.isEmpty { throw .notFound("no route \(id)") }
        case .staticSession(let reference):
            guard let entry = feed.sessions[reference] else {
                throw .notFound("there is no static session with reference \(reference)")
            }
            let circuit = AttachmentCircuit(
                port: entry.port, outerVLAN: entry.outerVLAN, innerVLAN: entry.innerVLAN)
            return (
                entry.upstream.slot,
                SessionKey(client: entry.clientMAC, circuit: circuit, sessionID: entry.upstream.sessionID)
            )
        }
        guard let slot = found.first, let connection = connections[slot] else {
            throw .notFound("the session has just ended")
        }
        return (slot, connection.key)
    }
}

// What is captured.
extension ControlNode {
    /// A copy that the data plane has made. Its number says which capture it is for; a session that is in the slot by now has
    /// another one.
    func receiveCopy(_ punted: PuntedFrame) {
        guard let capture = captures[punted.capture.number], capture.slot == punted.upstreamSlot,
            let point = CapturePoint(rawValue: punted.capture.point)
        else { return }
        let reason = punted.capture.reason == 0 ? nil : Counter(rawValue: Int(punted.capture.reason))
        var comment = reason.map { "\($0.isDrop ? "dropped" : "ended"): \($0.name), \($0.text)" } ?? ""
        if point == .dropped { comment = "waited for its turn and was then " + comment }
        record(
            punted.bytes, length: punted.detail, port: punted.port, point == .sent ? .outbound : .inbound,
            comment: comment, at: punted.timestamp, for: punted.capture.number)
    }

    /// Looks at a control frame that has come in, or is to be sent.
    func tap(
        _ bytes: [UInt8], port: UInt16, _ direction: CaptureRecord.Direction, at timestamp: UInt64? = nil
    ) {
        guard !captures.isEmpty, let frame = EthernetFrame(bytes[...]) else { return }
        for number in captures.keys {
            guard let slot = captures[number]?.slot else { continue }
            // The last one that is known: a session that ends is without it when its CDN is sent.
            if let tunnel = connections[slot]?.call?.tunnel { captures[number]?.tunnel = tunnel }
            guard let capture = captures[number], isOf(capture, frame, port: port, direction) else { continue }
            record(bytes, length: UInt32(clamping: bytes.count), port: port, direction, at: timestamp, for: number)
        }
    }

    /// Sends a frame, and shows it to the captures.
    func transmit(_ frame: [UInt8], by port: UInt16) {
        tap(frame, port: port, .outbound)
        effects.transmit(frame, port)
    }

    private func record(
        _ bytes: [UInt8], length: UInt32, port: UInt16, _ direction: CaptureRecord.Direction, comment: String = "",
        at timestamp: UInt64?, for number: UInt16
    ) {
        guard let capture = captures[number] else { return }
        captures[number]?.frames += 1
        effects.capture(
            CaptureID(rawValue: number),
            .frame(
                CapturedFrame(
                    monotonicNanoseconds: timestamp, interface: portName(port), direction: direction,
                    originalLength: max(length, UInt32(clamping: bytes.count)),
                    bytes: bytes.count > capture.snapLength ? Array(bytes.prefix(capture.snapLength)) : bytes,
                    comment: comment)))
    }

    private func isOf(
        _ capture: Capture, _ frame: EthernetFrame, port: UInt16, _ direction: CaptureRecord.Direction
    ) -> Bool {
        switch frame.etherType {
        case Self.discoveryType, Self.sessionType:
            let tags = Self.tags(of: frame)
            let circuit = AttachmentCircuit(
                port: port, outerVLAN: tags.first?.id ?? 0, innerVLAN: tags.count > 1 ? tags[1].id : 0)
            var reader = ByteReader(frame.payload)
            guard circuit == capture.key.circuit,
                capture.key.client == (direction == .inbound ? frame.source : frame.destination),
                reader.readUInt16() != nil, let sessionID = reader.readUInt16()
            else { return false }
            // Discovery before there is a session id: a PADR that is sent again, for instance.
            return sessionID == capture.key.sessionID || sessionID == 0 && frame.etherType == Self.discoveryType
        case EthernetFrame.typeIPv4, EthernetFrame.typeIPv6:
            guard capture.hasTunnelControl, let tunnel = capture.tunnel, let record = tunnels[tunnel],
                let message = OuterControlMessage(frame)
            else { return false }
            let (peer, id) =
                direction == .inbound
                ? (message.source, record.id) : (message.destination, record.machine.peer?.tunnelID ?? 0)
            return peer == record.peer.address && message.tunnelID == id
        default: return false
        }
    }
}

// The end of captured sessions.
extension ControlNode {
    /// A session is out of the table; its capture ends when what is on its way has come.
    func captureEnds(slot: UInt32) {
        for number in captures.keys where captures[number]?.slot == slot { captures[number]?.isEnding = true }
    }

    /// Sees to the end of captures whose sessions have gone.
    func scheduleCaptureEnds(at now: Instant) {
        for (number, capture) in captures where capture.isEnding && capture.endsAt == nil {
            captures[number]?.endsAt = now + Self.captureLinger
            agenda.schedule(.captures, at: now + Self.captureLinger)
        }
    }

    func captureTimerFired(at now: Instant) {
        for (number, capture) in captures {
            guard let end = capture.endsAt else { continue }
            guard end <= now else {
                agenda.schedule(.captures, at: end)
                continue
            }
            stopCapture(CaptureID(rawValue: number))
            effects.capture(CaptureID(rawValue: number), .ended("the session has ended"))
        }
    }
}

/// Names a capture while it runs.
public struct CaptureID: Hashable, Sendable, CustomStringConvertible {
    /// The number that the data plane knows it by.
    public var rawValue: UInt16

    /// The capture of this number.
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// The number.
    public var description: String { "\(rawValue)" }
}

/// What a capture tells whoever asked for it.
public enum CaptureOutput: Hashable, Sendable {
    /// A frame.
    case frame(CapturedFrame)
    /// It has ended by itself, for this reason.
    case ended(String)
}

/// A frame of a captured session, before anybody has told its time on the wall clock.
public struct CapturedFrame: Hashable, Sendable {
    /// When it was seen, CLOCK_MONOTONIC; nil: now.
    public var monotonicNanoseconds: UInt64?
    /// Name of the port.
    public var interface: String
    /// Which way it went there.
    public var direction: CaptureRecord.Direction
    /// Octets of the whole frame.
    public var originalLength: UInt32
    /// The frame as far as it is kept.
    public var bytes: [UInt8]
    /// What there is to say of it, or empty.
    public var comment: String
}

/// A capture that runs.
struct Capture {
    /// Upstream slot of the session.
    let slot: UInt32
    /// What its frames on the access side have in common.
    let key: SessionKey
    /// Octets of a frame that are kept.
    let snapLength: Int
    /// Whether the tunnel's control messages are in it.
    let hasTunnelControl: Bool
    /// The tunnel that carries the session.
    var tunnel: UInt16?
    /// Frames so far.
    var frames: UInt64 = 0
    /// Whether the session is out of the table.
    var isEnding = false
    /// When the capture ends then.
    var endsAt: Instant?
}

/// An L2TP control message in UDP in IP, as far as it says which tunnel it is of (RFC 2661, section 3.1). Fragments and packets with
/// IPv6 extension headers are none.
private struct OuterControlMessage {
    let source: IPAddress
    let destination: IPAddress
    let tunnelID: UInt16

    init?(_ frame: EthernetFrame) {
        let bytes = frame.payload
        let headerLength: Int
        if frame.etherType == EthernetFrame.typeIPv4 {
            guard let first = bytes.first, first >> 4 == 4, bytes.count >= 20 else { return nil }
            headerLength = Int(first & 15) * 4
            let header = Array(bytes.prefix(20))
            guard header[9] == 17, header[6] & 0x3f == 0, header[7] == 0 else { return nil }
            guard let source = IPv4Address(header[12..<16]), let destination = IPv4Address(header[16..<20]) else {
                return nil
            }
            (self.source, self.destination) = (.v4(source), .v4(destination))
        } else {
            headerLength = 40
            guard let first = bytes.first, first >> 4 == 6, bytes.count >= 40 else { return nil }
            let header = Array(bytes.prefix(40))
            guard header[6] == 17, let source = IPv6Address(header[8..<24]),
                let destination = IPv6Address(header[24..<40])
            else { return nil }
            (self.source, self.destination) = (.v6(source), .v6(destination))
        }
        var reader = ByteReader(bytes)
        // Flags with T and L set, which every control message has, the length, and then the tunnel id.
        guard reader.readBytes(headerLength) != nil, reader.readBytes(8) != nil, let flags = reader.readUInt16(),
            flags & 0xc00f == 0xc002, reader.readUInt16() != nil, let tunnelID = reader.readUInt16()
        else { return nil }
        self.tunnelID = tunnelID
    }
}
