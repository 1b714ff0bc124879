/// Many sessions of one tunnel and one access port, column by column: the n-th of each column belong together.
///
/// The columns come from a controller and hold whatever it sent; whoever adds the sessions checks them, one by one.
public struct StaticSessionBatch: Hashable, Sendable {
    /// Sessions that a batch may have.
    public static let limit = 16_384

    /// Name of the access port.
    public var port: String
    /// The tunnel.
    public var tunnel: StaticTunnelReference
    /// TPID of the outer tags, 0x8100 or 0x88a8.
    public var outerTPID: UInt16
    /// The controller's numbers.
    public var references: [UInt64]
    /// The clients' addresses, first octet highest; as many as references.
    public var clientMACs: [UInt64]
    /// L2TP session ids that the peer assigned; as many as references.
    public var peerSessionIDs: [UInt32]
    /// Outer VLAN ids, 0 for none; as many as references, or empty where no session has one.
    public var outerVLANs: [UInt32]
    /// Inner VLAN ids, likewise.
    public var innerVLANs: [UInt32]

    /// A batch of these columns.
    public init(
        port: String, tunnel: StaticTunnelReference, outerTPID: UInt16 = 0x8100, references: [UInt64],
        clientMACs: [UInt64], peerSessionIDs: [UInt32], outerVLANs: [UInt32] = [], innerVLANs: [UInt32] = []
    ) {
        self.port = port
        self.tunnel = tunnel
        self.outerTPID = outerTPID
        self.references = references
        self.clientMACs = clientMACs
        self.peerSessionIDs = peerSessionIDs
        self.outerVLANs = outerVLANs
        self.innerVLANs = innerVLANs
    }

    /// Whether every column is as long as it must be, and none too long.
    public var isEven: Bool {
        let count = references.count
        return count <= Self.limit && clientMACs.count == count && peerSessionIDs.count == count
            && (outerVLANs.isEmpty || outerVLANs.count == count) && (innerVLANs.isEmpty || innerVLANs.count == count)
    }
}

/// What became of a batch.
public struct StaticSessionsAdded: Hashable, Sendable {
    /// A session that was refused.
    public struct Refusal: Hashable, Sendable, Encodable {
        /// Its place in the batch.
        public var index: UInt32
        /// Why.
        public var fault: StaticFault

        /// The session at `index`.
        public init(index: UInt32, fault: StaticFault) {
            self.index = index
            self.fault = fault
        }

        private enum Key: CodingKey { case index, code, reason }

        /// Encodes flat.
        public func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: Key.self)
            try container.encode(index, forKey: .index)
            try container.encode(fault.code, forKey: .code)
            try container.encode(fault.reason, forKey: .reason)
        }
    }

    /// Local tunnel id.
    public var tunnelID: UInt16
    /// PPPoE session ids, in the order of the batch; 0 for a session that was refused.
    public var pppoeSessionIDs: [UInt32]
    /// Local L2TP session ids, likewise.
    public var sessionIDs: [UInt32]
    /// What was refused, in the order of the batch.
    public var refused: [Refusal]

    /// What became of a batch.
    public init(tunnelID: UInt16, pppoeSessionIDs: [UInt32], sessionIDs: [UInt32], refused: [Refusal]) {
        self.tunnelID = tunnelID
        self.pppoeSessionIDs = pppoeSessionIDs
        self.sessionIDs = sessionIDs
        self.refused = refused
    }
}
