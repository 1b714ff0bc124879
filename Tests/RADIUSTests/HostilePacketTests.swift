import RADIUS
import Testing
import Wire

/// A datagram that is no packet, or one with something wrong in it.
struct HostilePacket: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var bytes: [UInt8]
    var fault: RADIUSPacket.Fault?
    var invalid: [RADIUSAttribute] = []
    /// Attributes that are read.
    var count = 0

    private static func packet(_ attributes: String, length: Int? = nil, padding: Int = 0) -> [UInt8] {
        let body = hex(attributes)
        let length = length ?? 20 + body.count
        return [2, 7, UInt8(length >> 8), UInt8(length & 0xff)] + [UInt8](repeating: 0x11, count: 16) + body
            + [UInt8](repeating: 0xff, count: padding)
    }

    private static let row = HostilePacket.init(testDescription:bytes:fault:invalid:count:)

    static let all: [HostilePacket] = [
        row("nothing", [], .truncated, [], 0),
        row("nineteen octets", [UInt8](packet("").prefix(19)), .truncated, [], 0),
        row("header alone", packet(""), nil, [], 0),
        row("length 0", packet("", length: 0), .length(0), [], 0),
        row("length 19", packet("", length: 19), .length(19), [], 0),
        row("length past the datagram", packet("", length: 21), .length(21), [], 0),
        row("length 4097", packet("", length: 4097, padding: 4077), .length(4097), [], 0),
        row("length 4096, of 4096", packet("", length: 4096, padding: 4076), .attributes, [], 0),
        row("length 65535", packet("", length: 65535), .length(65535), [], 0),
        row("padding behind", packet("0106000000ff", padding: 3), nil, [], 1),
        row("padding alone", packet("", padding: 5000), nil, [], 0),
        row("attribute of length 0", packet("0100"), .attributes, [], 0),
        row("attribute of length 1", packet("0101"), .attributes, [], 0),
        row("attribute's type alone", packet("010361" + "01"), .attributes, [], 0),
        row("attribute past the end", packet("010361" + "0104ff"), .attributes, [], 0),
        row("attribute past the packet, in the padding", packet("0104ff", padding: 1), .attributes, [], 0),
        row("attribute of 255", packet("01ff" + String(repeating: "61", count: 253)), nil, [], 1),
        row("empty text", packet("0102" + "010361"), nil, [], 1),
        row("empty class", packet("1902"), nil, [], 0),
        row("empty integer", packet("1b02"), nil, [.sessionTimeout], 0),
        row("integer of three octets", packet("1b05000001"), nil, [.sessionTimeout], 0),
        row("integer of five octets", packet("1b070000000001"), nil, [.sessionTimeout], 0),
        row("address of three octets", packet("08050a0000"), nil, [.framedIPAddress], 0),
        row("IPv6 address of four octets", packet("5f0600000000"), nil, [.nasIPv6Address], 0),
        row("IPv6 prefix of one octet", packet("610300"), nil, [RADIUSAttribute(97)], 0),
        row("tagged integer of three octets", packet("4005010003"), nil, [.tunnelType], 0),
        row("tunnel password without a block", packet("450501" + "8001"), nil, [.tunnelPassword], 0),
        row("user password of eight octets", packet("020a" + "0102030405060708"), nil, [.userPassword], 0),
        row("unknown attribute of any length", packet("f002" + "f003ff"), nil, [], 2),
        row(
            "Message-Authenticator of fifteen", packet("5011" + String(repeating: "00", count: 15)),
            .messageAuthenticator, [], 0),
        row("Message-Authenticator empty", packet("5002"), .messageAuthenticator, [], 0),
        row(
            "Message-Authenticator twice",
            packet(String(repeating: "5012" + String(repeating: "00", count: 16), count: 2)), .messageAuthenticator, [],
            0),
        row("Vendor-Specific without vendor", packet("1a05000037"), nil, [.vendorSpecific], 0),
        row("Vendor-Specific of a vendor alone", packet("1a060000372a"), nil, [.vendorSpecific], 0),
        row("unknown vendor", packet("1a0900000009ff0102"), nil, [], 1),
        row(
            "two attributes of a vendor in one", packet("1a12" + "0000372a" + "070600000001" + "080600000002"), nil, [],
            2),
        row("vendor's attribute of length 1", packet("1a08" + "0000372a" + "0701"), nil, [], 1),
        row("vendor's attribute past the end", packet("1a09" + "0000372a" + "070600"), nil, [], 1),
        row("vendor's integer of one octet", packet("1a09" + "0000372a" + "070300"), nil, [.bandwidthMaxUp], 0),
        row("vendor's unknown attribute", packet("1a09" + "0000372a" + "c80300"), nil, [], 1),
    ]
}

@Suite struct HostilePacketTests {
    @Test(arguments: HostilePacket.all)
    func judgesHostilePackets(_ hostile: HostilePacket) throws {
        do {
            let packet = try RADIUSPacket(decoding: hostile.bytes[...])
            #expect(hostile.fault == nil)
            #expect(packet.attributes.invalid == hostile.invalid)
            #expect(packet.attributes.elements.count == hostile.count)
        } catch {
            #expect(error == hostile.fault)
        }
    }

    @Test func everyPrefixOfAPacketIsRefused() throws {
        let request = try RADIUSPacket.request(
            .accessRequest, identifier: 1, attributes: fullSessionAttributes(), secret: secret, random: .zero)
        for count in request.bytes.indices {
            #expect(throws: RADIUSPacket.Fault.self) { try RADIUSPacket(decoding: request.bytes.prefix(count)) }
        }
        #expect(try RADIUSPacket(decoding: request.bytes[...]).attributes.invalid.isEmpty)
    }

    @Test func noiseNeverTraps() {
        var random = SeededGenerator(state: 7)
        for _ in 0..<20_000 {
            let count = Int.random(in: 0...80, using: &random)
            var bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
            if count >= 20 {
                bytes[2] = 0
                bytes[3] = UInt8(count)
                // Short lengths, so that attributes end inside.
                var at = 21
                while at < count {
                    bytes[at] = UInt8.random(in: 2...8, using: &random)
                    at += Int(bytes[at])
                }
            }
            guard let packet = try? RADIUSPacket(decoding: bytes[...]) else { continue }
            _ = packet.answers(.zero, secret: secret)
            _ = packet.messageAuthenticity(secret: secret)
            let accept = AccessAccept(packet.attributes, secret: secret, authenticator: .zero)
            #expect(accept.tunnels.tunnels.allSatisfy { !$0.serverEndpoints.isEmpty })
        }
    }

    @Test(arguments: [
        (RADIUSAttribute.userName, 253, true), (.userName, 254, false), (.userPassword, 128, true),
        (.userPassword, 129, false), (.userPassword, 0, true), (.chapPassword, 17, true), (.chapPassword, 16, false),
        (.nasPort, 4, true), (.nasPort, 5, false), (.tunnelPassword, 240, true), (.tunnelPassword, 241, false),
        (.tunnelPassword, 0, false), (.bandwidthMaxUp, 4, true), (.bandwidthMaxUp, 8, false),
        (RADIUSAttribute(vendor: 9, 1), 247, true), (RADIUSAttribute(vendor: 9, 1), 248, false),
        (RADIUSAttribute(240), 253, true), (RADIUSAttribute(240), 254, false),
    ])
    func refusesValuesThatDoNotFit(attribute: RADIUSAttribute, count: Int, fits: Bool) {
        let list = attributes { $0.append(attribute, octets: [UInt8](repeating: 1, count: count)) }
        func write() throws(RADIUSEncodingError) {
            _ = try RADIUSPacket.request(
                .accessRequest, identifier: 0, attributes: list, secret: secret, random: .zero)
        }
        if fits {
            #expect(throws: Never.self) { try write() }
        } else {
            #expect(throws: RADIUSEncodingError.length(attribute, count)) { try write() }
        }
    }

    @Test func refusesPacketsThatAreTooLong() throws {
        // 20 of header, 18 of Message-Authenticator, 15 of 255, 233.
        func list(_ last: Int) -> RADIUSAttributes {
            attributes {
                for _ in 0..<15 { $0.append(.classAttribute, octets: [UInt8](repeating: 1, count: 253)) }
                $0.append(.classAttribute, octets: [UInt8](repeating: 1, count: last))
            }
        }
        let longest = try RADIUSPacket.request(
            .accessRequest, identifier: 0, attributes: list(231), secret: secret, random: .zero)
        #expect(longest.bytes.count == 4096)
        #expect(throws: RADIUSEncodingError.packetTooLong(4097)) {
            try RADIUSPacket.request(
                .accessRequest, identifier: 0, attributes: list(232), secret: secret, random: .zero)
        }
    }

    private func fullSessionAttributes() -> RADIUSAttributes {
        AccessRequest(session: fullSession(), nas: nas, credentials: .password(octets("secret"))).attributes
    }
}
