import Timing
import Wire

// Other addresses and routes while the node runs.
extension HostStack {
    /// Takes other addresses and routes into force. New addresses are announced, IPv6 ones checked for duplicates first; old ones that
    /// stay are left alone, and so are neighbours that are reached as before.
    ///
    /// Whatever is held has to be released before, by the old routes, and held again afterwards.
    public mutating func reconfigure(
        interfaces new: [HostInterface], routes newRoutes: [StaticRoute], at now: Instant
    ) -> [HostOutput] {
        let new = new.map(\.withLinkLocal)
        let old = interfaces
        interfaces = Dictionary(new.map { ($0.port, $0) }, uniquingKeysWith: { first, _ in first })
        ownAddresses = Set(new.flatMap { $0.addresses.map(\.address) })
        routes = RouteTable(interfaces: new, routes: newRoutes)
        let current = interfaces
        func isOurs(_ key: Neighbour.Key) -> Bool { current[key.port]?.owns(key.address) == true }
        tentative = tentative.filter { isOurs($0.key) }
        duplicates = duplicates.filter(isOurs)
        defendedUntil = defendedUntil.filter { isOurs($0.key) }
        let table = routes
        removeNeighbours { key, neighbour in table.route(to: key.address, port: key.port) != neighbour.route }
        var outputs: [HostOutput] = []
        for interface in new.sorted(by: { $0.port < $1.port }) {
            for prefix in interface.addresses where old[interface.port]?.owns(prefix.address) != true {
                switch prefix.address {
                case .v4: announce(prefix.address, on: interface, into: &outputs)
                case .v6(let address): startAddressDetection(of: address, on: interface, at: now, into: &outputs)
                }
            }
        }
        return outputs
    }
}
