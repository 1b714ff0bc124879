import L2TP
import Timing
import Wire

/// The octets of a hexadecimal string; spaces are passed over.
func hex(_ text: String) -> [UInt8] {
    let digits = text.compactMap { $0.hexDigitValue }
    return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
}

/// A generator with a seed, so that a failing run can be had again (SplitMix64).
struct SeededGenerator: RandomNumberGenerator, Sendable {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}

/// Yields given octets, one a call; for challenges that were captured.
struct ScriptedGenerator: RandomNumberGenerator, Sendable {
    var octets: ArraySlice<UInt8>

    mutating func next() -> UInt64 { UInt64(octets.popFirst() ?? 0) }
}

/// An AVP as a peer may write it, right or wrong.
func avp(_ type: UInt16, _ value: [UInt8], flags: UInt16 = 0x8000, length: Int? = nil, vendor: UInt16 = 0) -> [UInt8] {
    var writer = ByteWriter()
    writer.write(flags | UInt16(length ?? (6 + value.count)))
    writer.write(vendor)
    writer.write(type)
    writer.write(value)
    return writer.bytes
}

/// A control message as a peer may write it.
func datagram(
    to tunnel: UInt16, session: UInt16 = 0, ns: UInt16, nr: UInt16, _ type: MessageType? = nil, _ avps: [UInt8] = []
) -> [UInt8] {
    let body = type.map { avp(0, [0, UInt8($0.rawValue)]) + avps } ?? avps
    return ControlHeader(tunnelID: tunnel, sessionID: session, ns: ns, nr: nr).encode(body: body) ?? []
}

func seconds(_ value: Double) -> Instant { .zero + .milliseconds(Int64((value * 1000).rounded())) }

extension [TunnelAction] {
    var sent: [[UInt8]] {
        compactMap {
            guard case .send(let bytes) = $0 else { return nil }
            return bytes
        }
    }

    /// Types of the messages sent; nil for a ZLB.
    var sentTypes: [MessageType?] {
        sent.map { bytes in bytes.count < 20 ? nil : MessageType(rawValue: UInt16(bytes[18]) << 8 | UInt16(bytes[19])) }
    }

    /// The messages sent, decoded.
    func messages(secret: [UInt8]? = nil) -> [ControlMessage] {
        sent.compactMap { bytes in
            guard let (_, body) = try? ControlHeader.decode(bytes[...]) else { return nil }
            return (try? ControlMessage.decode(body, secret: secret))?.message
        }
    }

    var stopCode: StopCode? {
        for case .stop(_, let code) in messages() { return code }
        return nil
    }

    var disconnectCodes: [DisconnectCode] {
        messages().compactMap {
            guard case .disconnect(let disconnect) = $0 else { return nil }
            return disconnect.code
        }
    }

    var tunnelEnd: TunnelEnd? {
        for case .tunnelDown(let end) in self { return end }
        return nil
    }

    var sessionEnds: [UInt16: SessionEnd] {
        var ends: [UInt16: SessionEnd] = [:]
        for case .sessionDown(let id, let end) in self { ends[id] = end }
        return ends
    }

    var isUp: Bool {
        contains {
            guard case .tunnelUp = $0 else { return false }
            return true
        }
    }

    var sessionsUp: [UInt16] {
        compactMap {
            guard case .sessionUp(let session) = $0 else { return nil }
            return session.localID
        }
    }

    var isReleased: Bool {
        contains {
            guard case .released = $0 else { return false }
            return true
        }
    }

    var notes: [TunnelNote] {
        compactMap {
            guard case .note(let note) = $0 else { return nil }
            return note
        }
    }
}

let localID: UInt16 = 11008
let peerID: UInt16 = 33363
let secret = Array("tunsecret".utf8)

func configuration(secret: [UInt8]? = nil) -> TunnelConfiguration {
    var configuration = TunnelConfiguration(hostName: "lac.example")
    configuration.sharedSecret = secret
    configuration.acceptsCalls = true
    return configuration
}

func makeTunnel(
    _ role: Tunnel.Role = .initiator, _ configuration: TunnelConfiguration = configuration(), seed: UInt64 = 1
) throws -> Tunnel {
    try Tunnel(role: role, localID: localID, configuration: configuration, random: SeededGenerator(state: seed))
}

/// AVPs of an SCCRQ or SCCRP that the standard requires.
let startAVPs =
    avp(2, [1, 0]) + avp(7, Array("lns.example".utf8)) + avp(3, [0, 0, 0, 3])
    + avp(9, [UInt8(peerID >> 8), UInt8(peerID & 0xff)])

func call(serial: UInt32 = 1) -> IncomingCall {
    IncomingCall(
        callSerialNumber: serial, connected: CallConnected(txConnectSpeed: 1_000_000_000, framingType: .synchronous))
}

/// A tunnel that we opened, established at 0 s against a peer that is played by hand; the peer's next Ns is 1 and it
/// has acknowledged SCCRQ and SCCCN.
func establishedTunnel(
    _ configuration: TunnelConfiguration = configuration(), peerWindow: UInt8? = nil
) throws -> Tunnel {
    var tunnel = try makeTunnel(.initiator, configuration)
    _ = tunnel.open(at: .zero)
    let window = peerWindow.map { avp(10, [0, $0]) } ?? []
    _ = tunnel.receive(
        datagram: datagram(to: localID, ns: 0, nr: 1, .startControlConnectionReply, startAVPs + window)[...], at: .zero)
    _ = tunnel.receive(datagram: datagram(to: localID, ns: 1, nr: 2)[...], at: .zero)
    return tunnel
}
