import PPPoE

/// How many sessions there are, by what limits are set for.
struct SessionCounts {
    private var byClient: [ClientKey: Int] = [:]
    private var byInstance: [String: Int] = [:]
    private var byVLAN: [AttachmentCircuit: Int] = [:]
    private var byPort: [UInt16: Int] = [:]

    /// Sessions of one client address on one attachment circuit.
    func count(of client: ClientKey) -> Int { byClient[client, default: 0] }
    /// Sessions of an instance.
    func count(ofInstance name: String) -> Int { byInstance[name, default: 0] }
    /// Sessions on an attachment circuit, of all instances.
    func count(of circuit: AttachmentCircuit) -> Int { byVLAN[circuit, default: 0] }
    /// Sessions on a port, of all instances.
    func count(ofPort port: UInt16) -> Int { byPort[port, default: 0] }

    /// Counts a session that has come.
    mutating func add(_ connection: Connection) {
        byClient[connection.clientKey, default: 0] += 1
        byInstance[connection.request.instance.name, default: 0] += 1
        byVLAN[connection.circuit, default: 0] += 1
        byPort[connection.circuit.port, default: 0] += 1
    }

    /// Counts a session that has gone.
    mutating func remove(_ connection: Connection) {
        Self.decrement(&byClient, connection.clientKey)
        Self.decrement(&byInstance, connection.request.instance.name)
        Self.decrement(&byVLAN, connection.circuit)
        Self.decrement(&byPort, connection.circuit.port)
    }

    /// Clients, instances, VLANs and ports that are counted.
    var scopeCount: Int { byClient.count + byInstance.count + byVLAN.count + byPort.count }

    /// Whether each way of counting comes to `count`.
    func agree(on count: Int) -> Bool {
        func sum(_ counts: some Sequence<Int>) -> Int { counts.reduce(0, +) }
        return [sum(byClient.values), sum(byInstance.values), sum(byVLAN.values), sum(byPort.values)]
            .allSatisfy { $0 == count }
    }

    private static func decrement<Key: Hashable>(_ counts: inout [Key: Int], _ key: Key) {
        let left = counts[key, default: 0] - 1
        counts[key] = left > 0 ? left : nil
    }
}
