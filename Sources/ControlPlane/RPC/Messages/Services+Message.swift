import Observability
import SwiftProtobuf

// RADIUS, DNS and accounting.

extension RADIUSServerSnapshot {
    var message: Culvert_V1_RadiusServer {
        .with {
            $0.address = address.description
            $0.authenticationPort = UInt32(authenticationPort)
            $0.accountingPort = UInt32(accountingPort)
            $0.groups = groups
            $0.state = state.message
            if let deadUntil { $0.deadUntil = deadUntil.message }
            $0.inFlight = inFlight
            $0.roundTripMicroseconds = roundTripMicroseconds
            $0.counters = counters.map(\.message)
        }
    }

    init(_ message: Culvert_V1_RadiusServer) throws(FieldError) {
        self.init(
            address: try FieldError.address(message.address, "address"),
            authenticationPort: try FieldError.narrow(message.authenticationPort, "authentication_port"),
            accountingPort: try FieldError.narrow(message.accountingPort, "accounting_port"))
        groups = message.groups
        state = try RADIUSServerState(message.state, "state")
        deadUntil = message.hasDeadUntil ? Timestamp(message.deadUntil) : nil
        inFlight = message.inFlight
        roundTripMicroseconds = message.roundTripMicroseconds
        counters = message.counters.map { NamedCounter($0) }
    }
}

extension RADIUSSnapshot {
    var message: Culvert_V1_GetRadiusResponse {
        .with {
            $0.servers = servers.map(\.message)
            $0.counters = counters.map(\.message)
        }
    }

    init(_ message: Culvert_V1_GetRadiusResponse) throws(FieldError) {
        self.init(counters: message.counters.map { NamedCounter($0) })
        for server in message.servers { servers.append(try RADIUSServerSnapshot(server)) }
    }
}

extension NameServerSnapshot {
    var message: Culvert_V1_NameServer {
        .with {
            $0.address = address.description
            $0.port = UInt32(port)
            $0.scope = scope
            $0.counters = counters.map(\.message)
        }
    }

    init(_ message: Culvert_V1_NameServer) throws(FieldError) {
        self.init(
            address: try FieldError.address(message.address, "address"),
            port: try FieldError.narrow(message.port, "port"), scope: message.scope,
            counters: message.counters.map { NamedCounter($0) })
    }
}

extension CachedName {
    var message: Culvert_V1_DnsCacheEntry {
        .with {
            $0.name = name
            $0.addresses = addresses.map(\.description)
            $0.expiresAt = expiresAt.message
        }
    }

    init(_ message: Culvert_V1_DnsCacheEntry) throws(FieldError) {
        self.init(name: message.name, addresses: [], expiresAt: Timestamp(message.expiresAt))
        for address in message.addresses { addresses.append(try FieldError.address(address, "addresses")) }
    }
}

extension NameServiceSnapshot {
    var message: Culvert_V1_GetDnsResponse {
        .with {
            $0.servers = servers.map(\.message)
            $0.cache = cache.map(\.message)
            $0.counters = counters.map(\.message)
            $0.cacheUsed = cacheUsed
            $0.cacheCapacity = cacheCapacity
        }
    }

    init(_ message: Culvert_V1_GetDnsResponse) throws(FieldError) {
        self.init(
            counters: message.counters.map { NamedCounter($0) }, cacheUsed: message.cacheUsed,
            cacheCapacity: message.cacheCapacity)
        for server in message.servers { servers.append(try NameServerSnapshot(server)) }
        for entry in message.cache { cache.append(try CachedName(entry)) }
    }
}

extension AccountingGroupSnapshot {
    var message: Culvert_V1_AccountingGroup {
        .with {
            $0.name = name
            $0.interimIntervalSeconds = interimIntervalSeconds
            $0.sessions = sessions
            $0.waiting = waiting
            $0.reachable = reachable
            $0.counters = counters.map(\.message)
        }
    }

    init(_ message: Culvert_V1_AccountingGroup) {
        self.init(
            name: message.name, interimIntervalSeconds: message.interimIntervalSeconds, sessions: message.sessions,
            waiting: message.waiting, reachable: message.reachable,
            counters: message.counters.map { NamedCounter($0) })
    }
}

extension AccountingSnapshot {
    var message: Culvert_V1_GetAccountingResponse {
        .with {
            $0.groups = groups.map(\.message)
            $0.counters = counters.map(\.message)
            $0.stored = stored
            $0.storeCapacity = storeCapacity
            if let oldestStored { $0.oldestStored = oldestStored.message }
        }
    }

    init(_ message: Culvert_V1_GetAccountingResponse) {
        self.init(
            groups: message.groups.map { AccountingGroupSnapshot($0) },
            counters: message.counters.map { NamedCounter($0) }, stored: message.stored,
            storeCapacity: message.storeCapacity,
            oldestStored: message.hasOldestStored ? Timestamp(message.oldestStored) : nil)
    }
}
