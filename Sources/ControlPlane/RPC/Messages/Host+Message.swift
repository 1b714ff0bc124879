import Observability
import SwiftProtobuf

extension NeighbourSnapshot {
    var message: Culvert_V1_Neighbour {
        .with {
            $0.interfaceName = interfaceName
            $0.address = address.description
            $0.mac = mac?.description ?? ""
            $0.state = state.message
            $0.holders = holders
            $0.confirmedSecondsAgo = confirmedSecondsAgo
        }
    }

    init(_ message: Culvert_V1_Neighbour) throws(FieldError) {
        self.init(
            interfaceName: message.interfaceName, address: try FieldError.address(message.address, "address"),
            mac: message.mac.isEmpty ? nil : try FieldError.mac(message.mac, "mac"),
            state: try NeighbourState(message.state, "state"), holders: message.holders,
            confirmedSecondsAgo: message.confirmedSecondsAgo)
    }
}

extension RouteSnapshot {
    var message: Culvert_V1_Route {
        .with {
            $0.prefix = prefix
            $0.nextHop = nextHop?.description ?? ""
            $0.interfaceName = interfaceName
            $0.source = source.description
        }
    }

    init(_ message: Culvert_V1_Route) throws(FieldError) {
        self.init(
            prefix: message.prefix,
            nextHop: message.nextHop.isEmpty ? nil : try FieldError.address(message.nextHop, "next_hop"),
            interfaceName: message.interfaceName, source: try FieldError.address(message.source, "source"))
    }
}

extension PathMTUSnapshot {
    var message: Culvert_V1_PathMtu {
        .with {
            $0.address = address.description
            $0.mtu = UInt32(mtu)
        }
    }

    init(_ message: Culvert_V1_PathMtu) throws(FieldError) {
        self.init(
            address: try FieldError.address(message.address, "address"), mtu: try FieldError.narrow(message.mtu, "mtu"))
    }
}

extension HostSnapshot {
    var message: Culvert_V1_GetHostResponse {
        .with {
            $0.neighbours = neighbours.map(\.message)
            $0.routes = routes.map(\.message)
            $0.pathMtus = paths.map(\.message)
            $0.counters = counters.map(\.message)
        }
    }

    init(_ message: Culvert_V1_GetHostResponse) throws(FieldError) {
        self.init(counters: message.counters.map { NamedCounter($0) })
        for neighbour in message.neighbours { neighbours.append(try NeighbourSnapshot(neighbour)) }
        for route in message.routes { routes.append(try RouteSnapshot(route)) }
        for path in message.pathMtus { paths.append(try PathMTUSnapshot(path)) }
    }
}
