import Observability
import SwiftProtobuf

extension DataPlaneStatus {
    var message: Culvert_V1_DataPlaneStatus {
        .with {
            $0.alive = alive
            $0.epoch = epoch
            $0.pid = pid
            $0.uptimeSeconds = uptimeSeconds
            $0.heartbeatAgeMilliseconds = heartbeatAgeMilliseconds
            $0.workers = workers
            $0.ports = ports
            $0.layoutVersion = layoutVersion
        }
    }

    init(_ message: Culvert_V1_DataPlaneStatus) {
        self.init()
        alive = message.alive
        epoch = message.epoch
        pid = message.pid
        uptimeSeconds = message.uptimeSeconds
        heartbeatAgeMilliseconds = message.heartbeatAgeMilliseconds
        workers = message.workers
        ports = message.ports
        layoutVersion = message.layoutVersion
    }
}

extension Capacity {
    var message: Culvert_V1_Capacity {
        .with {
            $0.name = name
            $0.text = text
            $0.used = used
            $0.capacity = capacity
        }
    }

    init(_ message: Culvert_V1_Capacity) {
        self.init(name: message.name, text: message.text, used: message.used, capacity: message.capacity)
    }
}

extension StoreStatus {
    var message: Culvert_V1_StoreStatus {
        .with {
            $0.state =
                switch state {
                case .closed: .closed
                case .written: .written
                case .failing: .failing
                }
            $0.commits = commits
            $0.changes = changes
            $0.waiting = waiting
            $0.waitMilliseconds = waitMilliseconds
            $0.early = early
        }
    }

    init(_ message: Culvert_V1_StoreStatus) {
        self.init()
        state =
            switch message.state {
            case .written: .written
            case .failing: .failing
            case .closed, .unspecified, .UNRECOGNIZED: .closed
            }
        commits = message.commits
        changes = message.changes
        waiting = message.waiting
        waitMilliseconds = message.waitMilliseconds
        early = message.early
    }
}

extension StatusSnapshot {
    var message: Culvert_V1_GetStatusResponse {
        .with {
            $0.version = version
            $0.startedAt = startedAt.message
            $0.uptimeSeconds = uptimeSeconds
            $0.controlEpoch = controlEpoch
            $0.configurationPath = configurationPath
            $0.dataPlane = dataPlane.message
            $0.capacities = capacities.map(\.message)
            $0.hostName = hostName
            $0.drained = drained.map(\.message)
            $0.store = store.message
        }
    }

    init(_ message: Culvert_V1_GetStatusResponse) throws(FieldError) {
        self.init(
            version: message.version, startedAt: Timestamp(message.startedAt), uptimeSeconds: message.uptimeSeconds,
            controlEpoch: message.controlEpoch, configurationPath: message.configurationPath,
            dataPlane: DataPlaneStatus(message.dataPlane), capacities: message.capacities.map { Capacity($0) })
        hostName = message.hostName
        store = StoreStatus(message.store)
        for target in message.drained { drained.append(try DrainTarget(target)) }
    }
}
