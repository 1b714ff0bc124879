import L2TP
import Wire

// The stations' own idea of frames, put together and taken apart here without the modules under test, so that a mistake
// of theirs is not made twice. L2TP messages alone are read with the module's decoder: its own tests hold it to the wire.

/// A tag of a PPPoE discovery packet.
package struct Tag: Hashable {
    package static let serviceName: UInt16 = 0x0101
    package static let hostUniq: UInt16 = 0x0103
    package static let cookie: UInt16 = 0x0104
    package static let vendorSpecific: UInt16 = 0x0105
    package static let serviceNameError: UInt16 = 0x0201
    package static let systemError: UInt16 = 0x0202
    package static let genericError: UInt16 = 0x0203

    package var type: UInt16
    package var value: [UInt8]

    package init(type: UInt16, value: [UInt8]) {
        self.type = type
        self.value = value
    }
}

/// A PPPoE packet, of discovery or of a session.
package struct PPPoEPacket {
    package static let padi: UInt8 = 0x09
    package static let pado: UInt8 = 0x07
    package static let padr: UInt8 = 0x19
    package static let pads: UInt8 = 0x65
    package static let padt: UInt8 = 0xa7

    package var code: UInt8
    package var sessionID: UInt16
    package var payload: [UInt8]

    package init(code: UInt8, sessionID: UInt16 = 0, payload: [UInt8]) {
        self.code = code
        self.sessionID = sessionID
        self.payload = payload
    }

    package init(code: UInt8, sessionID: UInt16 = 0, tags: [Tag]) {
        var writer = ByteWriter()
        for tag in tags {
            writer.write(tag.type)
            writer.write(UInt16(tag.value.count))
            writer.write(tag.value)
        }
        self.init(code: code, sessionID: sessionID, payload: writer.bytes)
    }

    package init?(_ bytes: ArraySlice<UInt8>) {
        var reader = ByteReader(bytes)
        guard reader.readUInt8() == 0x11, let code = reader.readUInt8(), let sessionID = reader.readUInt16(),
            let length = reader.readUInt16(), let payload = reader.readBytes(Int(length))
        else { return nil }
        self.init(code: code, sessionID: sessionID, payload: Array(payload))
    }

    package var bytes: [UInt8] {
        var writer = ByteWriter()
        writer.write(0x11 as UInt8)
        writer.write(code)
        writer.write(sessionID)
        writer.write(UInt16(payload.count))
        writer.write(payload)
        return writer.bytes
    }

    package var tags: [Tag] {
        var reader = ByteReader(payload)
        var tags: [Tag] = []
        while let type = reader.readUInt16(), let length = reader.readUInt16(),
            let value = reader.readBytes(Int(length))
        {
            tags.append(Tag(type: type, value: Array(value)))
        }
        return tags
    }

    package func first(_ type: UInt16) -> [UInt8]? { tags.first { $0.type == type }?.value }
}

/// A packet of LCP, PAP or CHAP with its protocol number.
package struct PPPPacket {
    package static let lcp: UInt16 = 0xc021
    package static let pap: UInt16 = 0xc023
    package static let chap: UInt16 = 0xc223
    package static let eap: UInt16 = 0xc227

    package var proto: UInt16
    package var code: UInt8
    package var identifier: UInt8
    package var data: [UInt8]

    package init(_ proto: UInt16, code: UInt8, identifier: UInt8, data: [UInt8] = []) {
        self.proto = proto
        self.code = code
        self.identifier = identifier
        self.data = data
    }

    package init?(_ bytes: [UInt8]) {
        var reader = ByteReader(bytes)
        guard let proto = reader.readUInt16(), let code = reader.readUInt8(), let identifier = reader.readUInt8(),
            let length = reader.readUInt16(), let data = reader.readBytes(Int(length) - 4)
        else { return nil }
        self.init(proto, code: code, identifier: identifier, data: Array(data))
    }

    package var bytes: [UInt8] {
        var writer = ByteWriter()
        writer.write(proto)
        writer.write(code)
        writer.write(identifier)
        writer.write(UInt16(4 + data.count))
        writer.write(data)
        return writer.bytes
    }

    /// Options of an LCP packet, by type.
    package var options: [(type: UInt8, value: [UInt8])] {
        var reader = ByteReader(data)
        var options: [(type: UInt8, value: [UInt8])] = []
        while let type = reader.readUInt8(), let length = reader.readUInt8(),
            let value = reader.readBytes(Int(length) - 2)
        {
            options.append((type, Array(value)))
        }
        return options
    }

    private static let lcpCodes: [UInt8: String] = [
        1: "Configure-Request", 2: "Configure-Ack", 3: "Configure-Nak", 4: "Configure-Reject", 5: "Terminate-Request",
        6: "Terminate-Ack", 7: "Code-Reject", 8: "Protocol-Reject", 9: "Echo-Request", 10: "Echo-Reply",
    ]
    private static let papCodes: [UInt8: String] = [
        1: "Authenticate-Request", 2: "Authenticate-Ack", 3: "Authenticate-Nak",
    ]
    private static let eapCodes: [UInt8: String] = [1: "Request", 2: "Response", 3: "Success", 4: "Failure"]
    private static let chapCodes: [UInt8: String] = [1: "Challenge", 2: "Response", 3: "Success", 4: "Failure"]

    package var kind: String {
        switch proto {
        case Self.lcp: "LCP \(Self.lcpCodes[code] ?? "\(code)")"
        case Self.pap: "PAP \(Self.papCodes[code] ?? "\(code)")"
        case Self.chap: "CHAP \(Self.chapCodes[code] ?? "\(code)")"
        case Self.eap: "EAP \(Self.eapCodes[code] ?? "\(code)")"
        default: "PPP \(String(proto, radix: 16))"
        }
    }
}

/// A UDP datagram in IPv4.
package struct Datagram {
    package var source: IPv4Address
    package var sourcePort: UInt16
    package var destination: IPv4Address
    package var destinationPort: UInt16
    package var payload: [UInt8]

    package init(
        from source: IPv4Address, _ sourcePort: UInt16, to destination: IPv4Address, _ destinationPort: UInt16,
        payload: [UInt8]
    ) {
        self.source = source
        self.sourcePort = sourcePort
        self.destination = destination
        self.destinationPort = destinationPort
        self.payload = payload
    }

    /// Nil unless lengths and checksums are right.
    package init?(_ bytes: ArraySlice<UInt8>) {
        var reader = ByteReader(bytes)
        guard let start = reader.readUInt16(), start >> 8 == 0x45, let total = reader.readUInt16(), total >= 28,
            reader.readUInt32() != nil, let hop = reader.readUInt16(), hop & 0xff == 17, reader.readUInt16() != nil,
            let source = reader.readUInt32(), let destination = reader.readUInt32(),
            Self.sum(bytes.prefix(20)) == 0xffff, Int(total) <= bytes.count
        else { return nil }
        let udp = bytes.prefix(Int(total)).dropFirst(20)
        reader = ByteReader(udp)
        guard let from = reader.readUInt16(), let to = reader.readUInt16(), let length = reader.readUInt16(),
            Int(length) == udp.count, let checksum = reader.readUInt16(), checksum != 0
        else { return nil }
        self.init(
            from: IPv4Address(value: source), from, to: IPv4Address(value: destination), to,
            payload: Array(reader.readRemaining()))
        guard Self.sum(pseudoHeader(UInt16(udp.count)) + udp) == 0xffff else { return nil }
    }

    package var bytes: [UInt8] {
        var udp = ByteWriter()
        for field in [sourcePort, destinationPort, UInt16(8 + payload.count), 0] { udp.write(field) }
        udp.write(payload)
        // A checksum of 0 says that there is none (RFC 768).
        let checksum = ~Self.sum(pseudoHeader(UInt16(udp.count)) + udp.bytes)
        udp.patch(checksum == 0 ? 0xffff : checksum, at: 6)
        var ip = ByteWriter()
        for field in [0x4500, UInt16(20 + udp.count), 0, 0, 0x4011, 0] as [UInt16] { ip.write(field) }
        ip.write(source.octets + destination.octets)
        ip.patch(~Self.sum(ip.bytes[...]), at: 10)
        return ip.bytes + udp.bytes
    }

    private func pseudoHeader(_ length: UInt16) -> [UInt8] {
        source.octets + destination.octets + [0, 17, UInt8(length >> 8), UInt8(length & 0xff)]
    }

    /// Ones' complement sum.
    private static func sum(_ bytes: some Collection<UInt8>) -> UInt16 {
        var sum: UInt32 = 0
        for (position, byte) in bytes.enumerated() { sum += UInt32(byte) << (position % 2 == 0 ? 8 : 0) }
        while sum > 0xffff { sum = sum >> 16 + sum & 0xffff }
        return UInt16(sum)
    }
}

/// What kind of message a control datagram carries: `SCCRQ`, `CDN 1`, `ZLB`, …
package func kind(ofControl payload: [UInt8], secret: [UInt8]?) -> String {
    guard let (_, body) = try? ControlHeader.decode(payload[...]) else { return "not L2TP" }
    guard !body.isEmpty else { return "ZLB" }
    guard let message = try? ControlMessage.decode(body, secret: secret).message else { return "unreadable" }
    switch message {
    case .startRequest: return "SCCRQ"
    case .startReply: return "SCCRP"
    case .startConnected: return "SCCCN"
    case .stop(_, let code): return "StopCCN \(code.result.rawValue)"
    case .hello: return "HELLO"
    case .incomingCallRequest: return "ICRQ"
    case .incomingCallReply: return "ICRP"
    case .incomingCallConnected: return "ICCN"
    case .disconnect(let disconnect): return "CDN \(disconnect.code.result.rawValue)"
    default: return "\(message.type)"
    }
}

/// What kind of frame it is: `PADI`, `LCP Configure-Request`, `SCCRQ`, …; nil: ARP, or nothing known.
package func kind(of frame: EthernetFrame, secret: [UInt8]?) -> String? {
    switch frame.etherType {
    case 0x8863:
        let names: [UInt8: String] = [0x09: "PADI", 0x07: "PADO", 0x19: "PADR", 0x65: "PADS", 0xa7: "PADT"]
        return PPPoEPacket(frame.payload).flatMap { names[$0.code] } ?? "discovery"
    case 0x8864: return PPPoEPacket(frame.payload).flatMap { PPPPacket($0.payload) }?.kind ?? "PPP"
    case 0x0800: return Datagram(frame.payload).map { kind(ofControl: $0.payload, secret: secret) } ?? "IPv4"
    default: return nil
    }
}

/// A generator with a seed, so that a failing run can be had again (SplitMix64).
package struct SeededGenerator: RandomNumberGenerator, Sendable {
    package var state: UInt64

    package init(state: UInt64) { self.state = state }

    package mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}

extension SeededGenerator {
    /// A number from 0 up to `limit`, which is not 0 and not reached.
    package mutating func below(_ limit: UInt64) -> UInt64 { next() % max(1, limit) }
    /// True `perThousand` times of a thousand.
    package mutating func chance(_ perThousand: UInt64) -> Bool { perThousand > 0 && next() % 1_000 < perThousand }
}
