import Observability
import Roles
import SimulationSupport
import Testing
import Timing
import Wire

/// Lines for whoever debugs: of what is switched on, and of nothing else.
@Suite struct DebugTests {
    private static func lines(_ rules: [DebugRule]) throws -> [String] {
        let world = try World()
        for rule in rules { #expect(world.node.setDebugging(.enable(rule))) }
        world.dialled()
        defer { world.expectNothingLeft() }
        return world.outbox.debugLines
    }

    @Test func nothingIsOn() throws { #expect(try Self.lines([]) == []) }

    @Test func discovery() throws {
        let lines = try Self.lines([DebugRule(.accessConcentrator)])
        #expect(
            lines == [
                "pppoe-ac mac 02:00:00:00:10:00: answering with pado on access0 VLANs 0.0",
                "pppoe-ac mac 02:00:00:00:10:00: PADR for '' on access0 VLANs 0.0",
            ])
    }

    @Test func controlMessages() throws {
        let lines = try Self.lines([DebugRule(.l2tp)]).filter { !$0.contains("ZLB") }.map {
            $0.split(separator: " ").prefix(5).joined(separator: " ")
        }
        #expect(
            lines == [
                "l2tp tunnel 1: sent SCCRQ", "l2tp tunnel 1: received SCCRP", "l2tp tunnel 1: sent SCCCN",
                "l2tp tunnel 1: sent ICRQ", "l2tp tunnel 1: received ICRP", "l2tp tunnel 1: sent ICCN",
            ])
    }

    @Test func negotiation() throws {
        let lines = try Self.lines([DebugRule(.ppp)])
        let words = lines.compactMap {
            $0.split(separator: ": ").last.map { $0.split(separator: " ").prefix(3).joined(separator: " ") }
        }
        #expect(words.contains("received LCP Configure-Request"))
        #expect(words.contains("sent CHAP Challenge"))
        #expect(words.contains("received CHAP Response"))
        // What a client has given as proof is nobody's business.
        #expect(!lines.contains { $0.contains("secret") })
    }

    @Test func oneClientOnly() throws {
        let other = MACAddress(value: 0x0200_0000_ffff)
        #expect(try Self.lines([DebugRule(nil, scope: DebugScope(client: other))]) == [])
        let own = MACAddress(value: 0x0200_0000_1000)
        #expect(try !Self.lines([DebugRule(nil, scope: DebugScope(client: own))]).isEmpty)
    }

    @Test func rulesComeAndGo() throws {
        let world = try World()
        let rule = DebugRule(.l2tp, scope: DebugScope(tunnel: 7))
        #expect(!world.node.setDebugging(.disable(rule)))
        #expect(world.node.setDebugging(.enable(rule)) && world.node.setDebugging(.enable(DebugRule(.ppp))))
        #expect(world.node.debugRules == [rule, DebugRule(.ppp)])
        // A rule without scope takes all of its subsystem along.
        #expect(world.node.setDebugging(.disable(DebugRule(.l2tp))))
        #expect(world.node.debugRules == [DebugRule(.ppp)])
        #expect(world.node.setDebugging(.disableAll))
        #expect(world.node.debugRules == [])
    }
}
