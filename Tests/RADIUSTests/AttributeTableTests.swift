import Foundation
import RADIUS
import Testing

@Suite struct AttributeTableTests {
    @Test func declaresEachAttributeOnce() {
        let rows = RADIUSAttributeDefinition.all
        #expect(Set(rows.map(\.attribute)).count == rows.count)
        #expect(Set(rows.map(\.name)).count == rows.count)
        for row in rows { #expect(row.attribute.definition == row) }
    }

    private static let dictionaries = "/usr/share/freeradius"

    /// Every row against the dictionaries of FreeRADIUS: number, name and kind.
    @Test(.enabled(if: FileManager.default.fileExists(atPath: dictionaries), "needs freeradius-common"))
    func agreesWithTheDictionariesOfFreeRADIUS() throws {
        var entries: [String: (number: UInt8, type: String, flags: String)] = [:]
        for file in [
            "rfc2865", "rfc2866", "rfc2867", "rfc2868", "rfc2869", "rfc3162", "rfc3576", "rfc4372", "rfc4679",
            "rfc5176",
            "rfc6911", "wispr",
        ] {
            let text = try String(contentsOfFile: "\(Self.dictionaries)/dictionary.\(file)", encoding: .utf8)
            for line in text.split(separator: "\n") where line.hasPrefix("ATTRIBUTE") {
                let words = line.split(whereSeparator: \.isWhitespace).map(String.init)
                guard words.count >= 4, let number = UInt8(words[2]) else { continue }
                let name = words[1].replacingOccurrences(of: "ADSL-Agent", with: "Agent").lowercased()
                entries[name] = (number, words[3], words.count > 4 ? words[4] : "")
            }
        }
        #expect(entries.count > 100)
        for row in RADIUSAttributeDefinition.all {
            let entry = try #require(entries[row.name.lowercased()], "\(row.name)")
            #expect(entry.number == row.attribute.number, "\(row.name)")
            let types: [String] =
                switch row.syntax {
                case .text, .taggedText, .userPassword, .tunnelPassword: ["string", "octets"]
                case .octets: ["octets", "string", "ifid", "vsa", "octets[\(row.lengths.lowerBound)]"]
                // An IPX network is a number that FreeRADIUS shows like an address.
                case .integer, .taggedInteger: [row.name == "Framed-IPX-Network" ? "ipaddr" : "integer"]
                case .date: ["date"]
                case .ipv4: ["ipaddr"]
                case .ipv6: ["ipv6addr"]
                case .ipv6Prefix: ["ipv6prefix"]
                }
            #expect(types.contains(entry.type), "\(row.name) is \(entry.type)")
            let isTagged = [.taggedText, .taggedInteger, .tunnelPassword].contains(row.syntax)
            #expect(entry.flags.contains("has_tag") == isTagged, "\(row.name)")
            #expect(entry.flags.contains("encrypt=1") == (row.syntax == .userPassword), "\(row.name)")
            #expect(entry.flags.contains("encrypt=2") == (row.syntax == .tunnelPassword), "\(row.name)")
        }
    }

    @Test func countersHaveNamesAndTexts() {
        let names = RADIUSServerCounter.allCases.map(\.name) + DynamicAuthorizationCounter.allCases.map(\.name)
        #expect(Set(names).count == names.count)
        #expect(RADIUSServerCounter.timeouts.objects.authentication == "radiusAuthClientTimeouts")
        #expect(RADIUSServerCounter.timeouts.objects.accounting == "radiusAccClientTimeouts")
        #expect(RADIUSServerCounter.accepts.objects.accounting == nil)
    }
}
