/// What an access node tells of a subscriber's line (Broadband Forum TR-101, RFC 4679): who is at its end, how fast it is, and how
/// it is encapsulated. The same numbers name the same things in PPPoE's Vendor-Specific tag, in L2TP's AVPs (RFC 5515) and in
/// RADIUS attributes; only lengths and units differ, which is the carriers' matter.
public struct AccessLineInformation: Hashable, Sendable {
    /// SMI enterprise number of the Broadband Forum (formerly the ADSL and DSL Forum), under which the numbers stand.
    public static let enterprise: UInt16 = 3561
    /// Octets that an identifier has at most.
    public static let longestIdentifier = 63

    /// One thing that can be told. The raw value is its number on the wire.
    public enum Attribute: UInt8, CaseIterable, Sendable {
        /// The line as its access node names it.
        case agentCircuitID = 0x01
        /// The subscriber as the access node's operator names him.
        case agentRemoteID = 0x02
        case actualDataRateUpstream = 0x81
        case actualDataRateDownstream = 0x82
        case minimumDataRateUpstream = 0x83
        case minimumDataRateDownstream = 0x84
        case attainableDataRateUpstream = 0x85
        case attainableDataRateDownstream = 0x86
        case maximumDataRateUpstream = 0x87
        case maximumDataRateDownstream = 0x88
        case minimumDataRateUpstreamLowPower = 0x89
        case minimumDataRateDownstreamLowPower = 0x8a
        case maximumInterleavingDelayUpstream = 0x8b
        case actualInterleavingDelayUpstream = 0x8c
        case maximumInterleavingDelayDownstream = 0x8d
        case actualInterleavingDelayDownstream = 0x8e
        /// Three octets; see `Encapsulation`.
        case accessLoopEncapsulation = 0x90
        /// What kind of line it is: ADSL1 is 1, ADSL2 2, ADSL2+ 3, VDSL1 4, VDSL2 5, SDSL 6, unknown 7.
        case accessLineType = 0x91
        /// PPP was carried over ATM on the loop and taken over to PPPoE by the access node.
        case interworking = 0xfe

        /// What kind of value an attribute has.
        public enum Form: Sendable {
            /// 1 to 63 octets.
            case identifier
            /// Bits per second.
            case rate
            /// Milliseconds.
            case delay
            /// Three octets.
            case encapsulation
            /// A number.
            case number
            /// There or not.
            case flag
        }

        /// What kind of value it has.
        public var form: Form {
            switch self {
            case .agentCircuitID, .agentRemoteID: .identifier
            case .actualDataRateUpstream, .actualDataRateDownstream, .minimumDataRateUpstream,
                .minimumDataRateDownstream, .attainableDataRateUpstream, .attainableDataRateDownstream,
                .maximumDataRateUpstream, .maximumDataRateDownstream, .minimumDataRateUpstreamLowPower,
                .minimumDataRateDownstreamLowPower:
                .rate
            case .maximumInterleavingDelayUpstream, .actualInterleavingDelayUpstream,
                .maximumInterleavingDelayDownstream, .actualInterleavingDelayDownstream:
                .delay
            case .accessLoopEncapsulation: .encapsulation
            case .accessLineType: .number
            case .interworking: .flag
            }
        }
    }

    /// Access-Loop-Encapsulation.
    public struct Encapsulation: Hashable, Sendable {
        /// 0: AAL5, 1: Ethernet.
        public var dataLink: UInt8
        /// 0: not told, 1: untagged Ethernet, 2: Ethernet with one tag, 3: with two.
        public var first: UInt8
        /// 0: not told, 1: PPPoA LLC, 2: PPPoA null, 3: IPoA LLC, 4: IPoA null, 5 to 8: Ethernet over AAL5, LLC or null, with or
        /// without FCS.
        public var second: UInt8

        /// An encapsulation of these three octets.
        public init(dataLink: UInt8, first: UInt8, second: UInt8) {
            self.dataLink = dataLink
            self.first = first
            self.second = second
        }
    }

    /// Agent-Circuit-Id, 1 to 63 octets, mostly ASCII.
    public var agentCircuitID: [UInt8]?
    /// Agent-Remote-Id, 1 to 63 octets, mostly ASCII.
    public var agentRemoteID: [UInt8]?
    /// Rates in bits per second, delays in milliseconds and the line's type, by attribute.
    public var figures: [Attribute: UInt64] = [:]
    /// Access-Loop-Encapsulation.
    public var encapsulation: Encapsulation?
    /// Whether the access node translates between PPPoA and PPPoE (IWF-Session).
    public var isInterworked = false

    /// Nothing is known.
    public init() {}

    /// Whether nothing is known.
    public var isEmpty: Bool { self == AccessLineInformation() }

    /// Bits per second that the line carries to the subscriber now.
    public var downstreamRate: UInt64? { figures[.actualDataRateDownstream] }
    /// Bits per second that the line carries from the subscriber now.
    public var upstreamRate: UInt64? { figures[.actualDataRateUpstream] }
}
