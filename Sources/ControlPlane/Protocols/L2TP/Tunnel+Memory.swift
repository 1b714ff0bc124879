/// What tunnels and sessions hold, as `show l2tp … detail` tells it: their own values and what these keep elsewhere. What the
/// allocator adds is not counted.
extension Tunnel {
    /// Octets of the tunnel with all its sessions and messages.
    public var memoryOctets: Int {
        let ids = localIDs.capacity + sessions.capacity + calls.capacity + failover.unconfirmed.capacity
        let tables = ids * MemoryLayout<UInt16>.stride
        return MemoryLayout<Tunnel>.stride + channel.memoryOctets + history.memoryOctets + tables
            + sessions.values.reduce(0) { $0 + $1.memoryOctets } + calls.count
            * MemoryLayout<IncomingCallRequest>.stride
            + sessionDeadlines.count * MemoryLayout<(UInt64, UInt16, UInt64)>.stride
    }
}

extension Session {
    /// Octets of the session, with messages that were written and not sent yet.
    public var memoryOctets: Int {
        MemoryLayout<Session>.stride + requestBody.capacity + connectedBody.capacity + history.memoryOctets
    }
}

extension EventHistory {
    var memoryOctets: Int { records.count * MemoryLayout<Record>.stride }
}
