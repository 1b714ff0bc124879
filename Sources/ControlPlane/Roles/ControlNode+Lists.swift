import Timing
import Wire

/// Long lists, read part by part in the order of their ids: a part begins at a position and ends at one, however much comes and
/// goes between two parts. None costs more than a look at every id of one table.
extension ControlNode {
    /// A part of a list of ids, and where the next one begins; nil: there is none.
    public struct Part<ID> {
        /// In ascending order.
        public var ids: [ID]
        /// Where the list goes on.
        public var next: ID?

        /// The first `limit` of `ids`, one more of which tells where the next part begins.
        fileprivate init(_ ids: [ID], limit: Int) {
            next = ids.count > limit ? ids[limit] : nil
            self.ids = Array(ids.prefix(limit))
        }
    }

    /// At most `limit` local tunnel ids from `start` on.
    public func tunnelIDs(from start: UInt16, limit: Int) -> Part<UInt16> {
        Part(tunnels.keys.smallest(limit + 1, from: start), limit: limit)
    }

    /// At most `limit` route ids from `start` on.
    public func routeIDs(from start: UInt32, limit: Int) -> Part<UInt32> {
        Part(routes.keys.smallest(limit + 1, from: start), limit: limit)
    }

    /// At most `limit` sessions from `start` on, of one tunnel or of all. A session's position is its tunnel's id, then its own.
    public func sessionPositions(
        inTunnel tunnel: UInt16? = nil, from start: UInt32, limit: Int
    ) -> Part<UInt32> {
        var positions: [UInt32] = []
        let first = UInt16(truncatingIfNeeded: start >> 16)
        // Each tunnel with a session gives at least one, so no more of them are needed; empty ones make the part shorter.
        let candidates = tunnel.map { [$0] } ?? tunnels.keys.smallest(limit + 1, from: first)
        for id in candidates {
            guard let calls = tunnels[id]?.calls else { continue }
            let begin = id == first ? UInt16(truncatingIfNeeded: start) : 0
            let missing = limit + 1 - positions.count
            positions += calls.keys.smallest(missing, from: begin).map { UInt32(id) << 16 | UInt32($0) }
            if positions.count > limit { break }
        }
        var part = Part(positions, limit: limit)
        if part.next == nil, tunnel == nil, candidates.count > limit, let last = candidates.last, last < .max {
            part.next = UInt32(last + 1) << 16
        }
        return part
    }

    /// Local ids of a session by its administrative name, whether there is one or not.
    public static func position(ofSessionNamed name: String) -> UInt32? {
        let words = name.split(separator: "-", omittingEmptySubsequences: false)
        guard words.count == 3, words[0] == "session", let tunnel = UInt16(words[1]), let session = UInt16(words[2])
        else { return nil }
        return UInt32(tunnel) << 16 | UInt32(session)
    }

    /// Local ids of the tunnels with a session of this id, in order.
    public func tunnels(withSession session: UInt16) -> [UInt16] {
        tunnels.values.filter { $0.calls[session] != nil }.map(\.id).sorted()
    }

    /// Local ids of the tunnels of this name, in order.
    public func tunnelIDs(named name: String) -> [UInt16] {
        tunnels.values.filter { $0.name == name }.map(\.id).sorted()
    }

    /// At most `limit` addresses of LNSs from `start` on, and where the next ones begin. Their order is that of a number that each
    /// has for as long as the daemon runs.
    public func destinationAddresses(
        from start: UInt64, limit: Int, at now: Instant
    ) -> (addresses: [IPAddress], next: UInt64?) {
        var addresses: [UInt64: IPAddress] = [:]
        for address in destinationAddresses(at: now) {
            addresses[UInt64(UInt(bitPattern: address.hashValue))] = address
        }
        let part = Part(addresses.keys.smallest(limit + 1, from: start), limit: limit)
        return (part.ids.compactMap { addresses[$0] }, part.next)
    }
}

/// Names for completion.
extension ControlNode {
    /// A tunnel's administrative name.
    public func tunnelName(_ id: UInt16) -> String? { tunnels[id]?.name }

    /// Addresses of all LNSs that there is something to say of.
    public func destinationAddresses(at now: Instant) -> Set<IPAddress> {
        Set(destinations.keys.map(\.address)).union(drained).union(heldDown.keys.filter { isHeldDown($0, at: now) })
    }

    /// At most `limit` route ids whose digits begin with `prefix`, in ascending order.
    public func routeIDs(withPrefix prefix: String, limit: Int) -> [String] {
        let found = Self.digits(prefix).flatMap { range in
            routes.keys.lazy.filter { range.contains(UInt64($0)) }.smallest(limit, from: 0)
        }
        return found.prefix(limit).map(String.init)
    }

    /// At most `limit` local session ids whose digits begin with `prefix`, in ascending order.
    public func sessionIDs(withPrefix prefix: String, limit: Int) -> [String] {
        let ids = tunnels.values.lazy.flatMap(\.calls.keys)
        let found = Self.digits(prefix).flatMap { range in
            Set(ids.filter { range.contains(UInt64($0)) }).smallest(limit, from: 0)
        }
        return found.prefix(limit).map(String.init)
    }

    /// The ranges of numbers whose digits begin with `prefix`, in ascending order: no number is written down to compare it.
    private static func digits(_ prefix: String) -> [Range<UInt64>] {
        guard !prefix.isEmpty else { return [1..<UInt64.max] }
        guard prefix.utf8.allSatisfy({ (48...57).contains($0) }), prefix.utf8.first != 48, var low = UInt64(prefix),
            low <= UInt32.max
        else { return [] }
        var ranges: [Range<UInt64>] = []
        var count: UInt64 = 1
        while low <= UInt32.max {
            ranges.append(low..<low + count)
            low *= 10
            count *= 10
        }
        return ranges
    }
}
