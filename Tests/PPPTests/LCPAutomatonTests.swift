import PPP
import Testing

/// RFC 1661 section 4.1 as it is printed, against the switch statements. Letters after a state name options of the RFC
/// ([p] passive, [r] restart, [x] crossed connection) and are not part of the transition.
@Suite struct LCPAutomatonTests {
    static let table = """
        Up    | 2      | irc,scr/6 | -         | -             | -     | -     | -         | -         | -         | -
        Down  | -      | -         | 0         | tls/1         | 0     | 1     | 1         | 1         | 1         | tld/1
        Open  | tls/1  | 1         | irc,scr/6 | 3r            | 5r    | 5r    | 6         | 7         | 8         | 9r
        Close | 0      | tlf/0     | 2         | 2             | 4     | 4     | irc,str/4 | irc,str/4 | irc,str/4 | tld,irc,str/4
        TO+   | -      | -         | -         | -             | str/4 | str/5 | scr/6     | scr/6     | scr/8     | -
        TO-   | -      | -         | -         | -             | tlf/2 | tlf/3 | tlf/3p    | tlf/3p    | tlf/3p    | -
        RCR+  | -      | -         | sta/2     | irc,scr,sca/8 | 4     | 5     | sca/8     | sca,tlu/9 | sca/8     | tld,scr,sca/8
        RCR-  | -      | -         | sta/2     | irc,scr,scn/6 | 4     | 5     | scn/6     | scn/7     | scn/6     | tld,scr,scn/6
        RCA   | -      | -         | sta/2     | sta/3         | 4     | 5     | irc/7     | scr/6x    | irc,tlu/9 | tld,scr/6x
        RCN   | -      | -         | sta/2     | sta/3         | 4     | 5     | irc,scr/6 | scr/6x    | irc,scr/8 | tld,scr/6x
        RTR   | -      | -         | sta/2     | sta/3         | sta/4 | sta/5 | sta/6     | sta/6     | sta/6     | tld,zrc,sta/5
        RTA   | -      | -         | 2         | 3             | tlf/2 | tlf/3 | 6         | 6         | 8         | tld,scr/6
        RUC   | -      | -         | scj/2     | scj/3         | scj/4 | scj/5 | scj/6     | scj/7     | scj/8     | scj/9
        RXJ+  | -      | -         | 2         | 3             | 4     | 5     | 6         | 6         | 8         | 9
        RXJ-  | -      | -         | tlf/2     | tlf/3         | tlf/2 | tlf/3 | tlf/3     | tlf/3     | tlf/3     | tld,irc,str/5
        RXR   | -      | -         | 2         | 3             | 4     | 5     | 6         | 7         | 8         | ser/9
        """

    static let events: [String: LCPAutomaton.Event] = [
        "Up": .up, "Down": .down, "Open": .open, "Close": .close, "TO+": .timeout, "TO-": .lastTimeout,
        "RCR+": .goodConfigureRequest, "RCR-": .badConfigureRequest, "RCA": .configureAck,
        "RCN": .configureNakOrReject, "RTR": .terminateRequest, "RTA": .terminateAck, "RUC": .unknownCode,
        "RXJ+": .permittedReject, "RXJ-": .catastrophicReject, "RXR": .echo,
    ]

    static let actions: [String: LCPAutomaton.Action] = [
        "tlu": .thisLayerUp, "tld": .thisLayerDown, "tls": .thisLayerStarted, "tlf": .thisLayerFinished,
        "irc": .initializeRestartCount, "zrc": .zeroRestartCount, "scr": .sendConfigureRequest,
        "sca": .sendConfigureAck, "scn": .sendConfigureNakOrReject, "str": .sendTerminateRequest,
        "sta": .sendTerminateAck, "scj": .sendCodeReject, "ser": .sendEchoReply,
    ]

    static let rows = table.split(separator: "\n").map {
        $0.split(separator: "|").map { String($0.filter { $0 != " " }) }
    }

    @Test func tableIsComplete() {
        #expect(Self.rows.count == LCPAutomaton.Event.allCases.count)
        #expect(Set(Self.rows.compactMap(\.first)) == Set(Self.events.keys))
        #expect(Self.rows.allSatisfy { $0.count == 1 + LCPAutomaton.State.allCases.count })
        #expect(Self.actions.count == LCPAutomaton.Action.allCases.count)
    }

    @Test(arguments: rows) func followsTheTable(row: [String]) throws {
        let event = try #require(row.first.flatMap { Self.events[$0] })
        for (state, cell) in zip(LCPAutomaton.State.allCases, row.dropFirst()) {
            let transition = LCPAutomaton.transition(from: state, on: event)
            guard cell != "-" else {
                #expect(transition == nil, "\(event) in \(state)")
                continue
            }
            let parts = cell.split(separator: "/")
            let number = try #require(parts.last).filter(\.isNumber)
            let next = try #require(Int(number).flatMap(LCPAutomaton.State.init(rawValue:)))
            let actions = try parts.dropLast().joined().split(separator: ",").map {
                try #require(Self.actions[String($0)])
            }
            #expect(transition?.next == next, "\(event) in \(state)")
            #expect(transition?.actions == actions, "\(event) in \(state)")
        }
    }

    @Test(arguments: LCPAutomaton.State.allCases) func timerRunsWhereItCanExpire(state: LCPAutomaton.State) {
        #expect(state.hasRestartTimer == (LCPAutomaton.transition(from: state, on: .timeout) != nil))
    }
}
