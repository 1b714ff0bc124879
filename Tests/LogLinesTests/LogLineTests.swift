import Foundation
import LogLines
import Logging
import Synchronization
import Testing

@Suite struct LogLineTests {
    /// Keeps what is written.
    private final class Paper: TextOutputStream, Sendable {
        private let lines = Mutex<[String]>([])
        func write(_ string: String) { lines.withLock { $0.append(string) } }
        var text: String { lines.withLock { $0.joined() } }
    }

    private struct Trouble: Error, CustomStringConvertible {
        let description = "out of \"ideas\""
    }

    /// 2026-11-21T06:00:11.000123456Z
    private static let time = timespec(tv_sec: 1_795_240_811, tv_nsec: 123_456)

    private static func logger(_ format: LogFormat, priorities: Bool = false) -> (Logger, Paper) {
        let paper = Paper()
        var logger = Logger(label: "culvertd") { label in
            LogLineHandler(
                label: label, format: format, priorities: priorities, now: { time }, sink: { paper.write($0) })
        }
        logger.logLevel = .trace
        return (logger, paper)
    }

    @Test func jsonIsOneObjectALineInAStableOrder() throws {
        var (logger, paper) = Self.logger(.json)
        logger[metadataKey: "port"] = "core0"
        logger.notice(
            "link \"up\"\n\u{1}", metadata: ["b": "2", "a": ["x", ["k": "v"]], "port": "core1"], source: "S")
        logger.info("plain", metadata: ["time": "t", "_time": "u", "z": .stringConvertible(7)], source: "S")
        let lines = paper.text.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(
            lines == [
                #"{"time":"2026-11-21T06:00:11.000123Z","level":"notice","logger":"culvertd","source":"S","#
                    + #""message":"link \"up\"\n\u0001","a":["x",{"k":"v"}],"b":"2","port":"core1"}"#,
                #"{"time":"2026-11-21T06:00:11.000123Z","level":"info","logger":"culvertd","source":"S","#
                    + #""message":"plain","__time":"u","port":"core0","_time":"t","z":"7"}"#,
                "",
            ])
        // Another reader of JSON gets back what was said.
        for line in lines.dropLast() {
            let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
            #expect(object?["logger"] as? String == "culvertd")
        }
        let object = try JSONSerialization.jsonObject(with: Data(lines[0].utf8)) as? [String: Any]
        #expect(object?["message"] as? String == "link \"up\"\n\u{1}")
    }

    /// The text is that of swift-log's own handler, which the log has had before.
    @Test func textIsThatOfSwiftLog() throws {
        let (ours, paper) = Self.logger(.text)
        let theirPaper = Paper()
        var theirs = Logger(label: "culvertd") { StreamLogHandler(label: $0, stream: theirPaper) }
        theirs.logLevel = .trace
        for var logger in [ours, theirs] {
            logger.info("first", source: "S")
            logger[metadataKey: "port"] = "core0"
            logger.critical("second", metadata: ["b": "2", "a": ["x", ["k": "v"]]], source: "S")
            logger.error("third", error: Trouble(), metadata: nil, source: "S")
        }
        func withoutTime(_ text: String) -> [String] {
            text.split(separator: "\n").map { String($0.drop { $0 != " " }) }
        }
        #expect(withoutTime(paper.text) == withoutTime(theirPaper.text))
        #expect(withoutTime(paper.text).count == 3)
        #expect(paper.text.firstMatch(of: #/^2026-11-2[01]T\d\d:\d\d:11[+-]\d{4} info culvertd: \[S\] first\n/#) != nil)
    }

    @Test func theJournalGetsPriorities() {
        let (logger, paper) = Self.logger(.text, priorities: true)
        for level in Logger.Level.allCases { logger.log(level: level, "x", source: "S") }
        let numbers = paper.text.split(separator: "\n").map { String($0.prefix(3)) }
        #expect(numbers == ["<7>", "<7>", "<6>", "<5>", "<4>", "<3>", "<2>"])
    }

    @Test(arguments: [
        ("8:1234", true), ("8:1235", false), ("9:1234", false), ("", false), ("8:", false), (" 8:1234", false),
    ])
    func theJournalIsKnownByItsFile(variable: String, isIt: Bool) {
        #expect(JournalStream.names(variable, device: 8, inode: 1_234) == isIt)
    }

    @Test func levelsBelowTheHandlersAreNotWritten() {
        var (logger, paper) = Self.logger(.json)
        logger.logLevel = .warning
        logger.info("no")
        #expect(paper.text.isEmpty)
        logger.warning("yes")
        #expect(paper.text.contains("yes"))
    }
}
