import Observability
import SwiftProtobuf

extension PortSnapshot {
    var message: Culvert_V1_Port {
        .with {
            $0.index = UInt32(index)
            $0.name = name
            $0.device = device
            $0.mac = mac.description
            $0.mtu = UInt32(mtu)
            $0.linkUp = linkUp
            $0.linkSpeedMbps = linkSpeedMbps
            $0.queues = UInt32(queues)
            $0.numaNode = numaNode
            $0.dispatch = dispatch.message
            $0.access = access
            $0.core = core
            $0.addresses = addresses.map(\.description)
            $0.counters = counters.map(\.message)
        }
    }

    init(_ message: Culvert_V1_Port) throws(FieldError) {
        self.init(
            index: try FieldError.narrow(message.index, "index"), name: message.name, device: message.device,
            mac: try FieldError.mac(message.mac, "mac"), mtu: try FieldError.narrow(message.mtu, "mtu"),
            linkUp: message.linkUp)
        linkSpeedMbps = message.linkSpeedMbps
        queues = try FieldError.narrow(message.queues, "queues")
        numaNode = message.numaNode
        dispatch = try Dispatch(message.dispatch, "dispatch")
        access = message.access
        core = message.core
        for address in message.addresses { addresses.append(try FieldError.address(address, "addresses")) }
        counters = message.counters.map { NamedCounter($0) }
    }
}

extension WorkerCounters {
    var message: Culvert_V1_Worker {
        .with {
            $0.index = index
            $0.lcore = lcore
            $0.numaNode = numaNode
            $0.running = running
            $0.loops = loops
            $0.busyLoops = busyLoops
            $0.heartbeatAgeMilliseconds = heartbeatAgeMilliseconds
            $0.counters = counters.map(\.message)
        }
    }

    init(_ message: Culvert_V1_Worker) {
        self.init(
            index: message.index, lcore: message.lcore, numaNode: message.numaNode, running: message.running,
            loops: message.loops, busyLoops: message.busyLoops,
            heartbeatAgeMilliseconds: message.heartbeatAgeMilliseconds,
            counters: message.counters.map { NamedCounter($0) })
    }
}

extension DataPlaneCounters {
    var message: Culvert_V1_ListCountersResponse {
        .with {
            $0.total = total.map(\.message)
            $0.workers = workers.map(\.message)
        }
    }

    init(_ message: Culvert_V1_ListCountersResponse) {
        self.init(
            total: message.total.map { NamedCounter($0) }, workers: message.workers.map { WorkerCounters($0) })
    }
}
