import GRPCCore
import Observability
import Wire

/// The calls that operators make: destinations, drain, configuration, debugging, capture, RADIUS, DNS, accounting, the node's own
/// addresses.
extension RPCClient {
    /// Hands destinations to `receive`, batch by batch; those with `address` where it is given.
    public func destinations(
        _ address: IPAddress? = nil, receive: @escaping @Sendable ([DestinationSnapshot]) async throws -> Void
    ) async throws {
        let request = Culvert_V1_ListDestinationsRequest.with { $0.address = address?.description ?? "" }
        try await withRPCClientErrors {
            try await stub.listDestinations(request, options: options) { response in
                for try await message in response.messages {
                    try await receive(message.destinations.map { try DestinationSnapshot($0) })
                }
            }
        }
    }

    /// Takes no new sessions on `target`, or takes them again; returns what is up there.
    public func drain(_ target: DrainTarget, _ isDrained: Bool = true) async throws -> DrainOutcome {
        let request = Culvert_V1_DrainRequest.with {
            $0.target = target.message
            $0.undrain = !isDrained
        }
        return try await withRPCClientErrors { DrainOutcome(try await stub.drain(request, options: options)) }
    }

    /// Lets the access concentrator's counters begin at zero again.
    public func clearStatistics() async throws {
        _ = try await withRPCClientErrors {
            try await stub.clearStatistics(Culvert_V1_ClearStatisticsRequest(), options: options)
        }
    }

    /// What the node runs with, section by section; only `section` where it is given.
    public func runningConfiguration(_ section: String? = nil) async throws -> [ConfigurationSection] {
        try await withRPCClientErrors {
            let answer = try await stub.getRunningConfig(.with { $0.section = section ?? "" }, options: options)
            return answer.sections.map { ConfigurationSection($0) }
        }
    }

    /// Lets culvertd read its file again, and apply it unless `apply` is false.
    public func reload(apply: Bool = true) async throws -> ReloadOutcome {
        try await withRPCClientErrors {
            try ReloadOutcome(try await stub.reload(.with { $0.check = !apply }, options: options))
        }
    }

    /// What is being debugged.
    public func debugRules() async throws -> [DebugRule] {
        try await withRPCClientErrors {
            let answer = try await stub.getDebug(Culvert_V1_GetDebugRequest(), options: options)
            return try answer.rules.map { try DebugRule($0) }
        }
    }

    /// Changes what is being debugged; returns what is then.
    public func setDebugging(_ change: DebugChange) async throws -> [DebugRule] {
        try await withRPCClientErrors {
            let answer = try await stub.setDebug(change.message, options: options)
            return try answer.rules.map { try DebugRule($0) }
        }
    }

    /// Hands lines of debugging to `receive` until it throws, the task is cancelled, or culvertd ends.
    public func watchDebugging(receive: @escaping @Sendable (DebugLine) async throws -> Void) async throws {
        try await withRPCClientErrors {
            try await stub.watchDebug(Culvert_V1_WatchDebugRequest(), options: options) { response in
                for try await message in response.messages { try await receive(try DebugLine(message)) }
            }
        }
    }

    /// Hands frames of `session` to `receive` until it throws, the task is cancelled, or culvertd ends. The first call, without a
    /// frame, tells that the capture runs.
    public func capture(
        _ session: SessionName, snapLength: UInt32 = 0, control: Bool = false,
        receive: @escaping @Sendable ([CaptureRecord]) async throws -> Void
    ) async throws {
        let request = Culvert_V1_CaptureRequest(session, snapLength: snapLength, control: control)
        try await withRPCClientErrors {
            try await stub.capture(request, options: options) { response in
                for try await message in response.messages {
                    try await receive(message.frames.map { try CaptureRecord($0) })
                }
            }
        }
    }

    /// The RADIUS client.
    public func radius() async throws -> RADIUSSnapshot {
        try await withRPCClientErrors {
            try RADIUSSnapshot(try await stub.getRadius(Culvert_V1_GetRadiusRequest(), options: options))
        }
    }

    /// The resolver, with its cache only when `cache` says so.
    public func nameService(cache: Bool = false) async throws -> NameServiceSnapshot {
        try await withRPCClientErrors {
            try NameServiceSnapshot(try await stub.getDns(.with { $0.cache = cache }, options: options))
        }
    }

    /// Accounting.
    public func accounting() async throws -> AccountingSnapshot {
        try await withRPCClientErrors {
            AccountingSnapshot(try await stub.getAccounting(Culvert_V1_GetAccountingRequest(), options: options))
        }
    }

    /// The node's own presence on its ports.
    public func host() async throws -> HostSnapshot {
        try await withRPCClientErrors {
            try HostSnapshot(try await stub.getHost(Culvert_V1_GetHostRequest(), options: options))
        }
    }

    /// Hands the last events, at most `limit` where it is given, to `receive`, oldest first, batch by batch.
    public func recentEvents(
        _ limit: UInt32 = 0, receive: @escaping @Sendable ([Event]) async throws -> Void
    ) async throws {
        try await withRPCClientErrors {
            try await stub.listEvents(.with { $0.limit = limit }, options: options) { response in
                for try await message in response.messages {
                    try await receive(message.events.compactMap { try Event($0) })
                }
            }
        }
    }

    /// Names that begin with `prefix`, at most `limit`.
    public func names(_ kind: NameKind, prefix: String = "", limit: UInt32 = 64) async throws -> [String] {
        let request = Culvert_V1_ListNamesRequest.with {
            $0.kind = kind.message
            $0.prefix = prefix
            $0.limit = limit
        }
        return try await withRPCClientErrors { try await stub.listNames(request, options: options).names }
    }
}
