import Foundation
import Observability
import Testing

/// The pcapng file of a capture. Golden octets are made by hand after the format; Wireshark's programs read the rest.
@Suite struct CaptureFileTests {
    private static let records = [
        CaptureRecord(
            timeNanoseconds: 1_465_387_994_123_456_789, interface: "access0", direction: .inbound, originalLength: 60,
            bytes: (0..<60).map { $0 }),
        CaptureRecord(
            timeNanoseconds: 1_465_387_994_123_457_789, interface: "core0", direction: .outbound, originalLength: 1_514,
            bytes: [UInt8](repeating: 0xab, count: 65)),
        CaptureRecord(
            timeNanoseconds: 1_465_387_995_000_000_001, interface: "access0", direction: .inbound, originalLength: 60,
            bytes: [UInt8](repeating: 1, count: 60), comment: "dropped: policed_upstream, über der Rate"),
    ]

    private static func file(_ records: [CaptureRecord] = records, snapLength: UInt32 = 0) -> [UInt8] {
        var file = CaptureFile(snapLength: snapLength)
        return records.reduce(into: file.header(application: "culvert 1.0", comment: "a test")) {
            $0 += file.blocks(of: $1)
        }
    }

    @Test func hasTheFormatsOctets() {
        var file = CaptureFile(snapLength: 128)
        #expect(
            file.header(application: "c") == [
                0x0a, 0x0d, 0x0d, 0x0a, 0, 0, 0, 40, 0x1a, 0x2b, 0x3c, 0x4d, 0, 1, 0, 0,
                0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 4, 0, 1, 0x63, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 40,
            ])
        let record = CaptureRecord(
            timeNanoseconds: 0x0102_0304_0506_0708, interface: "if", direction: .outbound, originalLength: 9,
            bytes: [0xde, 0xad, 0xbe, 0xef, 0x99], comment: "ok")
        let packet: [UInt8] =
            [
                0, 0, 0, 6, 0, 0, 0, 60, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 5, 0, 0, 0, 9,
                0xde, 0xad, 0xbe, 0xef, 0x99, 0, 0, 0,
            ] + [0, 1, 0, 2, 0x6f, 0x6b, 0, 0, 0, 2, 0, 4, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 60]
        #expect(
            file.blocks(of: record) == [
                0, 0, 0, 1, 0, 0, 0, 40, 0, 1, 0, 0, 0, 0, 0, 128, 0, 2, 0, 2, 0x69, 0x66, 0, 0,
                0, 9, 0, 1, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 40,
            ] + packet)
        #expect(file.blocks(of: record) == packet, "an interface is described once")
    }

    private static let hasWireshark = FileManager.default.isExecutableFile(atPath: "/usr/bin/tshark")

    @Test(.enabled(if: hasWireshark)) func isReadByWireshark() throws {
        let lines = try Self.tshark(
            Self.file(),
            [
                "frame.time_epoch", "frame.interface_name", "frame.packet_flags_direction", "frame.len",
                "frame.cap_len", "frame.comment",
            ])
        #expect(
            lines == [
                "1465387994.123456789\taccess0\t0x00000001\t60\t60\t",
                "1465387994.123457789\tcore0\t0x00000002\t1514\t65\t",
                "1465387995.000000001\taccess0\t0x00000001\t60\t60\tdropped: policed_upstream, über der Rate",
            ])
    }

    /// A record of each of 300 interfaces, and one whose frame and comment are too long; the comment by a character of
    /// three octets that would end behind the limit.
    private static let excessive: [CaptureRecord] =
        (0..<300).map {
            CaptureRecord(
                timeNanoseconds: .max, interface: "port \($0)", direction: .inbound, originalLength: 0, bytes: [1, 2],
                comment: $0 == 299 ? "last" : "")
        } + [
            CaptureRecord(
                timeNanoseconds: 0, interface: "port 0", direction: .outbound, originalLength: 5,
                bytes: [UInt8](repeating: 7, count: CaptureFile.longestFrame + 1),
                comment: String(repeating: "x", count: 65_534) + "€")
        ]

    @Test func cutsWhatDoesNotFit() throws {
        var file = CaptureFile()
        let blocks = Self.excessive.map { file.blocks(of: $0) }
        for block in blocks { #expect(block.count & 3 == 0) }
        // 28 octets before the frame, then two options, of 4 and 8 octets beside the comment's, and 8 behind.
        #expect(blocks.last?.count == 28 + CaptureFile.longestFrame + 4 + 65_536 + 8 + 8)
        #expect(blocks[256].count == blocks[255].count - 44 + 24, "no more interfaces: a comment instead")
    }

    @Test(.enabled(if: hasWireshark)) func whatWasCutIsReadByWireshark() throws {
        let lines = try Self.tshark(
            Self.file(Self.excessive), ["frame.interface_name", "frame.len", "frame.comment"])
        #expect(lines.count == 301)
        #expect(lines[255] == "port 255\t2\t")
        #expect(lines[299] == "port 255\t2\tinterface port 299; last")
        #expect(lines[300].hasPrefix("port 0\t\(CaptureFile.longestFrame)\txxx"))
    }

    /// The fields of each frame, as tshark reads them from a file.
    private static func tshark(_ octets: [UInt8], _ fields: [String]) throws -> [String] {
        let path = "\(NSTemporaryDirectory())/culvert-\(UUID().uuidString).pcapng"
        try Data(octets).write(to: URL(fileURLWithPath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/tshark")
        process.arguments = ["-r", path, "-T", "fields"] + fields.flatMap { ["-e", $0] }
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        return text.split(separator: "\n", omittingEmptySubsequences: true).map(String.init)
    }
}
