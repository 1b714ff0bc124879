import CDPDK
import CSegment
import Wire

/// A controller's session as a bulk call takes it. 32 bytes without a reference in them, so that a million cost nothing to
/// hand on.
public struct BulkSession: Hashable, Sendable {
    /// The caller's name for it; comes back in `SessionRecord` and `SessionTotals`.
    public var reference: UInt64
    /// The client's Ethernet address.
    public var clientMAC: MACAddress
    /// The access port.
    public var port: UInt16
    /// VLAN id of the first tag, 1 to 4,094; 0 for untagged frames.
    public var outerVLAN: UInt16
    /// VLAN id of the second tag, 1 to 4,094; 0 for none.
    public var innerVLAN: UInt16
    /// The first tag's protocol id, 0x8100 or 0x88a8; 0 for untagged frames.
    public var tpid: UInt16
    /// The tunnel, which is in service.
    public var tunnel: TunnelID
    /// The L2TP session id that the peer assigned, host byte order.
    public var peerSessionID: UInt16

    /// A session of `clientMAC` in `tunnel`.
    public init(
        reference: UInt64, clientMAC: MACAddress, port: UInt16, outerVLAN: UInt16, innerVLAN: UInt16, tpid: UInt16,
        tunnel: TunnelID, peerSessionID: UInt16
    ) {
        self.reference = reference
        self.clientMAC = clientMAC
        self.port = port
        self.outerVLAN = outerVLAN
        self.innerVLAN = innerVLAN
        self.tpid = tpid
        self.tunnel = tunnel
        self.peerSessionID = peerSessionID
    }
}

/// Where a session of a bulk call is. 16 bytes.
public struct BulkPlace: Hashable, Sendable {
    /// Its access side; `CULVERT_NO_INDEX` when it was refused.
    public let upstream: UpstreamSlot
    /// Its core side.
    public let downstream: DownstreamSlot
    /// The PPPoE session id, in host byte order.
    public let sessionID: UInt16
    /// The local L2TP session id, in host byte order.
    public let localSessionID: UInt16
    /// Where its client is.
    public let circuit: CircuitIndex

    /// The place of a session that was refused.
    public static let none = BulkPlace(
        UpstreamSession(slot: UpstreamSlot(rawValue: CULVERT_NO_INDEX), sessionID: 0),
        DownstreamSession(slot: DownstreamSlot(rawValue: CULVERT_NO_INDEX), sessionID: 0),
        CircuitIndex(rawValue: CULVERT_NO_INDEX))

    /// Whether the session was added.
    public var isAdded: Bool { upstream.rawValue != CULVERT_NO_INDEX }

    init(_ upstream: UpstreamSession, _ downstream: DownstreamSession, _ circuit: CircuitIndex) {
        self.upstream = upstream.slot
        self.downstream = downstream.slot
        sessionID = upstream.sessionID
        localSessionID = downstream.sessionID
        self.circuit = circuit
    }
}

extension TableWriter {
    /// Sessions whose places are chosen, then whose lines are written, then which are published.
    private static let stride = 32

    /// Adds sessions for a controller, as `addExternal` does one by one: each is whole and in service, or refused. A session
    /// that is refused does not keep those after it from their places.
    ///
    /// Places are chosen for some sessions ahead, so that their lines are on their way to the cache when they are written.
    /// - Parameters:
    ///   - sessions: what to add, in order.
    ///   - places: where they are then; at least as many as `sessions`.
    ///   - refuse: told of each session that was refused, by its index, in order.
    /// - Returns: how many were added.
    @discardableResult
    public func addExternal(
        _ sessions: UnsafeBufferPointer<BulkSession>, into places: UnsafeMutableBufferPointer<BulkPlace>,
        refuse: (_ index: Int, _ error: TableError) -> Void
    ) -> Int {
        precondition(places.count >= sessions.count, "a place for each session")
        var added = 0
        var circuit = CircuitCache()
        var start = 0
        while start < sessions.count {
            let chunk = start..<min(start + Self.stride, sessions.count)
            for index in chunk {
                do {
                    places[index] = try takePlaces(sessions[index], &circuit)
                    added += 1
                } catch {
                    places[index] = .none
                    refuse(index, error)
                }
            }
            for index in chunk where places[index].isAdded { fill(places[index], sessions[index]) }
            for index in chunk where places[index].isAdded {
                publish(places[index].downstream, EntryState.forward)
                publish(places[index].upstream, EntryState.forward)
            }
            start = chunk.upperBound
        }
        return added
    }

    /// Ends sessions, as `remove` does one by one.
    /// - Parameters:
    ///   - slots: where they are.
    ///   - refuse: told of each that is not there, by its index, in order.
    /// - Returns: how many were there.
    @discardableResult
    public func remove(
        _ slots: UnsafeBufferPointer<UpstreamSlot>, refuse: (_ index: Int, _ error: TableError) -> Void
    ) -> Int {
        var removed = 0
        for (index, slot) in slots.enumerated() {
            // The line far ahead, then the partner that it names.
            let far = index + Self.stride
            if far < slots.count { culvert_prefetch(view.upstream + Int(slots[far].rawValue & view.sessionMask)) }
            let near = index + Self.stride / 2
            if near < slots.count {
                let partner = view.upstream[Int(slots[near].rawValue & view.sessionMask)].partner
                culvert_prefetch(view.downstream + Int(partner & view.sessionMask))
            }
            do {
                try remove(slot)
                removed += 1
            } catch { refuse(index, error) }
        }
        return removed
    }

    /// The circuit of the session before, which is most often that of the next one as well.
    private struct CircuitCache {
        var port: UInt16 = 0
        var outerVLAN: UInt16 = 0
        var innerVLAN: UInt16 = 0
        var tpid: UInt16 = 0
        var circuit: CircuitIndex?

        func holds(_ session: BulkSession) -> Bool {
            session.port == port && session.outerVLAN == outerVLAN && session.innerVLAN == innerVLAN
                && session.tpid == tpid
        }
    }

    private func takePlaces(_ session: BulkSession, _ cache: inout CircuitCache) throws(TableError) -> BulkPlace {
        guard isPublished(session.tunnel) else { throw .noSuchTunnel(session.tunnel) }
        let circuit: CircuitIndex
        if let found = cache.circuit, cache.holds(session), isLive(found) {
            circuit = found
        } else {
            circuit = try self.circuit(
                port: session.port, outerVLAN: session.outerVLAN, innerVLAN: session.innerVLAN, tpid: session.tpid)
            cache = CircuitCache(
                port: session.port, outerVLAN: session.outerVLAN, innerVLAN: session.innerVLAN, tpid: session.tpid,
                circuit: circuit)
        }
        let upstream = try takeUpstream(circuit)
        culvert_prefetch(view.upstream + Int(upstream.slot.rawValue))
        do {
            let downstream = try takeDownstream(session.tunnel)
            culvert_prefetch(view.downstream + Int(downstream.slot.rawValue))
            return BulkPlace(upstream, downstream, circuit)
        } catch {
            upstreamPool.give(slot: upstream.slot.rawValue, owner: circuit.rawValue, sessionID: upstream.sessionID)
            releaseIfUnused(circuit)
            throw error
        }
    }

    private func fill(_ place: BulkPlace, _ session: BulkSession) {
        write(
            UpstreamSession(slot: place.upstream, sessionID: place.sessionID), circuit: place.circuit,
            clientMAC: session.clientMAC, owner: .external, reference: session.reference)
        write(
            DownstreamSession(slot: place.downstream, sessionID: place.localSessionID), tunnel: session.tunnel)
        join(place.upstream, place.downstream, peerSessionID: session.peerSessionID)
    }
}
