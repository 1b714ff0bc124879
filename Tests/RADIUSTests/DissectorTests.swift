import Foundation
import RADIUS
import Testing
import Wire

/// What the module writes, read by tshark: another implementation, which knows the secret too.
@Suite struct DissectorTests {
    private static let tshark = "/usr/bin/tshark"

    /// A capture file of UDP datagrams between two addresses (link type 101, raw IP).
    private func capture(_ datagrams: [(sent: Sent, isAnswer: Bool, bytes: [UInt8])]) -> [UInt8] {
        var file = ByteWriter(capacity: 4096)
        for word in [0xa1b2_c3d4, 0x0002_0004, 0, 0, 65535, 101] as [UInt32] { file.write(word) }
        for (index, datagram) in datagrams.enumerated() {
            let source = UInt16(40000 + datagram.sent.socket)
            let ports = datagram.isAnswer ? [datagram.sent.port, source] : [source, datagram.sent.port]
            var packet = ByteWriter(capacity: 4200)
            packet.write([0x45, 0] as [UInt8])
            packet.write(UInt16(28 + datagram.bytes.count))
            packet.write([0, UInt8(index), 0, 0, 64, 17, 0, 0] as [UInt8])
            packet.write(datagram.isAnswer ? [10, 0, 0, 2, 10, 0, 0, 1] : [10, 0, 0, 1, 10, 0, 0, 2] as [UInt8])
            for port in ports { packet.write(port) }
            packet.write(UInt16(8 + datagram.bytes.count))
            packet.write(UInt16(0))
            packet.write(datagram.bytes)
            for word in [UInt32(index), 0, UInt32(packet.count), UInt32(packet.count)] { file.write(word) }
            file.write(packet.bytes)
        }
        return file.bytes
    }

    /// tshark's text of all packets.
    private func dissect(_ file: [UInt8]) throws -> String {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("radius-\(UUID().uuidString).pcap")
        try Data(file).write(to: path)
        defer { try? FileManager.default.removeItem(at: path) }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: Self.tshark)
        process.arguments = [
            "-n", "-r", path.path, "-V", "-O", "radius", "-o", "radius.shared_secret:testing123-1", "-o",
            "radius.validate_authenticator:TRUE",
        ]
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        return String(decoding: data, as: UTF8.self)
    }

    @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: tshark), "needs tshark"))
    func tsharkReadsEveryPacket() throws {
        var client = client([server(1)])
        var datagrams: [(sent: Sent, isAnswer: Bool, bytes: [UInt8])] = []
        let access = AccessRequest(
            session: fullSession(), nas: nas,
            credentials: .chap(
                identifier: 1, response: [UInt8](repeating: 7, count: 16), challenge: [UInt8](repeating: 8, count: 16)))
        for request in [lookUp(), .access(access)] {
            let sent = try #require(try client.submit(request, group: "all", at: .zero).outputs.sent.first)
            datagrams.append((sent, false, sent.bytes))
            let answer = sent.answer(
                .accessAccept,
                attributes {
                    $0.append(.tunnelType, integer: 3, tag: 1)
                    $0.append(.tunnelServerEndpoint, text: "203.0.113.3", tag: 1)
                    $0.append(.tunnelPassword, octets: [1] + octets("tunsecret-of-more-than-one-block"))
                })
            datagrams.append((sent, true, answer))
        }
        for record in AccountingRecordTests.all {
            let sent = try #require(try client.submit(.accounting(record), group: "all", at: .zero).outputs.sent.first)
            datagrams.append((sent, false, sent.bytes))
            datagrams.append((sent, true, sent.answer(.accountingResponse, signed: false)))
        }
        let text = try dissect(capture(datagrams))
        let lines = text.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
        func count(_ part: String) -> Int { lines.filter { $0.contains(part) }.count }

        #expect(count("Code: ") == datagrams.count)
        for wrong in [
            "Malformed", "incorrect", "Unknown-Attribute", "too short", "Invalid Authenticator: True", "Duplicate",
        ] {
            #expect(count(wrong) == 0, "\(wrong)")
        }
        // It checks the authenticators of answers.
        #expect(count("[correct]") == datagrams.filter(\.isAnswer).count)
        #expect(lines.contains("User-Password: password"))
        #expect(count("User-Name: joe@isp2.com") == 7)
        for status in AccountingStatus.allCases {
            let number = "(\(status.rawValue))"
            #expect(lines.filter { $0.hasPrefix("Acct-Status-Type: ") && $0.hasSuffix(number) }.count == 1, "\(status)")
        }
        #expect(count("Acct-Tunnel-Packets-Lost: 12") == 2)
        #expect(count("ADSL-Agent-Circuit-Id: circuit 1") == 7)
    }
}
