/// A kind of state that outlives the process, and the store's table for it.
public enum StateTable: String, Hashable, Sendable, CaseIterable {
    /// The node itself, under number 0.
    case node
    /// Tunnels, by local id.
    case tunnel
    /// Sessions that are up or whose last counters are to be told, by route id.
    case session
    /// Accounts of tunnels, by their numbers.
    case tunnelAccount = "tunnel_account"
    /// Controllers' tunnels, by local id.
    case staticTunnel = "static_tunnel"
}

/// Names one piece of state.
public struct StateKey: Hashable, Sendable {
    /// Its kind.
    public var table: StateTable
    /// Its number within the kind.
    public var id: UInt64

    /// Number `id` of `table`.
    public init(_ table: StateTable, _ id: some BinaryInteger) {
        self.table = table
        self.id = UInt64(truncatingIfNeeded: id)
    }
}

/// What the store has to do so that it holds the node's state as it is.
public struct StateChange: Hashable, Sendable {
    /// What has changed.
    public var key: StateKey
    /// Its image; nil: it is no more.
    public var image: [UInt8]?

    /// A change of `key` to `image`.
    public init(_ key: StateKey, _ image: [UInt8]?) {
        self.key = key
        self.image = image
    }
}

/// The state that an earlier process left, as images.
public struct StoredState: Sendable {
    /// Images by key.
    public var images: [StateKey: [UInt8]] = [:]

    /// No state.
    public init() {}

    /// Whether there is nothing.
    public var isEmpty: Bool { images.isEmpty }

    /// Takes a change in.
    public mutating func apply(_ change: StateChange) { images[change.key] = change.image }

    /// Images of one kind, by number.
    func images(of table: StateTable) -> [(id: UInt64, image: [UInt8])] {
        images.filter { $0.key.table == table }.map { ($0.key.id, $0.value) }.sorted { $0.id < $1.id }
    }

    /// The secret of AC-Cookies, so that offers of the process before are still good; nil where there was none.
    public var cookieSecret: [UInt8]? {
        guard let image = images[StateKey(.node, 0)], let node = try? StoredNode(serializedBytes: image),
            !node.cookieSecret.isEmpty
        else { return nil }
        return Array(node.cookieSecret)
    }
}

/// What has changed since the store was told last.
struct ChangedState {
    var node = false
    var tunnels: Set<UInt16> = []
    /// Upstream slots by route id.
    var sessions: [UInt32: UInt32] = [:]
    var tunnelAccounts: Set<UInt64> = []
    var staticTunnels: Set<UInt16> = []

    var isEmpty: Bool {
        !node && tunnels.isEmpty && sessions.isEmpty && tunnelAccounts.isEmpty && staticTunnels.isEmpty
    }
}
