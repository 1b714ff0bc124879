import GRPCCore
import Observability

/// The service of the .proto on top of a `ControlPlaneInterface`: turns messages into requests of the model, and answers and
/// errors back.
struct CulvertService: Culvert_V1_Culvert.SimpleServiceProtocol {
    /// Elements that are asked for and sent at a time: small enough that the state's owner is not held up.
    static let pageLength = 256
    /// Operations that one message of the feed may hold.
    static let operationLimit = 4_096

    let interface: any ControlPlaneInterface
    /// Cancelled when the server stops: calls that may go on for long end then.
    let stopping: ServerContext.RPCCancellationHandle
    /// Such calls that are under way.
    let longCalls = CallCount()

    func getStatus(
        request: Culvert_V1_GetStatusRequest, context: ServerContext
    ) async throws -> Culvert_V1_GetStatusResponse {
        try await withRPCErrors { try await interface.status().message }
    }

    func listTunnels(
        request: Culvert_V1_ListTunnelsRequest, response: RPCWriter<Culvert_V1_ListTunnelsResponse>,
        context: ServerContext
    ) async throws {
        try await withRPCErrors {
            let filter = try TunnelFilter(request)
            try await pages(context) { page in
                try await interface.tunnels(filter, detail: request.detail, from: page, limit: Self.pageLength)
            } send: { tunnels in
                try await response.write(.with { $0.tunnels = tunnels.map(\.message) })
            }
        }
    }

    func listSessions(
        request: Culvert_V1_ListSessionsRequest, response: RPCWriter<Culvert_V1_ListSessionsResponse>,
        context: ServerContext
    ) async throws {
        try await withRPCErrors {
            let filter = try SessionFilter(request)
            try await pages(context) { page in
                try await interface.sessions(filter, detail: request.detail, from: page, limit: Self.pageLength)
            } send: { sessions in
                try await response.write(.with { $0.sessions = sessions.map(\.message) })
            }
        }
    }

    func listConnections(
        request: Culvert_V1_ListConnectionsRequest, response: RPCWriter<Culvert_V1_ListConnectionsResponse>,
        context: ServerContext
    ) async throws {
        try await withRPCErrors {
            let filter = try ConnectionFilter(request)
            try await pages(context) { page in
                try await interface.connections(filter, from: page, limit: Self.pageLength)
            } send: { connections in
                try await response.write(.with { $0.connections = connections.map(\.message) })
            }
        }
    }

    func getStatistics(
        request: Culvert_V1_GetStatisticsRequest, context: ServerContext
    ) async throws -> Culvert_V1_GetStatisticsResponse {
        try await withRPCErrors {
            let statistics = try await interface.statistics()
            return .with { $0.counters = statistics.counters.map(\.message) }
        }
    }

    func listPorts(
        request: Culvert_V1_ListPortsRequest, context: ServerContext
    ) async throws -> Culvert_V1_ListPortsResponse {
        try await withRPCErrors {
            let ports = try await interface.ports()
            return .with { $0.ports = ports.map(\.message) }
        }
    }

    func listCounters(
        request: Culvert_V1_ListCountersRequest, context: ServerContext
    ) async throws -> Culvert_V1_ListCountersResponse {
        try await withRPCErrors { try await interface.counters(perWorker: request.perWorker).message }
    }

    func watch(
        request: Culvert_V1_WatchRequest, response: RPCWriter<Culvert_V1_WatchResponse>, context: ServerContext
    ) async throws {
        try await withRPCErrors {
            let events = try await interface.watch(initial: request.initial)
            try await untilOver(context) {
                for try await event in events { try await response.write(event.message) }
            }
        }
    }

    func clear(request: Culvert_V1_ClearRequest, context: ServerContext) async throws -> Culvert_V1_ClearResponse {
        try await withRPCErrors { try await interface.clear(ClearTarget(request)).message }
    }

    func setPolicers(
        request: Culvert_V1_SetPolicersRequest, context: ServerContext
    ) async throws -> Culvert_V1_SetPolicersResponse {
        try await withRPCErrors {
            let upstream = try PolicerChange(request.hasUpstream ? request.upstream : nil, "upstream")
            let downstream = try PolicerChange(request.hasDownstream ? request.downstream : nil, "downstream")
            return try await interface.setPolicers(
                of: SessionName(request), upstream: upstream, downstream: downstream
            ).message
        }
    }

    func applyStatic(
        request: RPCAsyncSequence<Culvert_V1_ApplyStaticRequest, any Error>,
        response: RPCWriter<Culvert_V1_ApplyStaticResponse>, context: ServerContext
    ) async throws {
        try await withRPCErrors {
            try await untilOver(context) {
                for try await message in request {
                    let results = try await apply(message.operations)
                    try await response.write(.with { $0.results = results })
                }
            }
        }
    }

    func listStatic(
        request: Culvert_V1_ListStaticRequest, response: RPCWriter<Culvert_V1_ListStaticResponse>,
        context: ServerContext
    ) async throws {
        try await withRPCErrors {
            let reference = try StaticTunnelReference(request.tunnel)
            try await pages(context) { page in
                try await interface.staticTunnels(reference, from: page, limit: Self.pageLength)
            } send: { tunnels in
                try await response.write(.with { $0.tunnels = tunnels.map(\.message) })
            }
            try await pages(context) { page in
                try await interface.staticSessions(reference, from: page, limit: Self.pageLength)
            } send: { sessions in
                try await response.write(.with { $0.sessions = sessions.map(\.message) })
            }
        }
    }

    /// Carries out one message of the feed. What is malformed is refused here and changes nothing, so leaving it out does
    /// not change what the others do.
    private func apply(_ messages: [Culvert_V1_StaticOperation]) async throws -> [Culvert_V1_StaticResult] {
        guard messages.count <= Self.operationLimit else {
            throw ControlPlaneError(
                .invalid, "\(messages.count) operations in one message are too many: at most \(Self.operationLimit)")
        }
        let batched = messages.reduce(0) { $0 + $1.addSessions.references.count }
        guard batched <= StaticSessionBatch.limit else {
            throw ControlPlaneError(
                .invalid, "\(batched) sessions in one message are too many: at most \(StaticSessionBatch.limit)")
        }
        var results: [StaticResult?] = []
        var operations: [StaticOperation] = []
        for message in messages {
            do throws(FieldError) {
                operations.append(try StaticOperation(message))
                results.append(nil)
            } catch {
                results.append(.refused(StaticFault(.invalid, error.description)))
            }
        }
        var answers = operations.isEmpty ? [][...] : try await interface.apply(operations)[...]
        guard answers.count == operations.count else {
            throw RPCError(code: .internalError, message: "\(operations.count) operations, \(answers.count) results")
        }
        return zip(messages, results).compactMap { message, result in
            (result ?? answers.popFirst())?.message(tag: message.tag)
        }
    }

    /// What callers get whose calls the server's end has cut short.
    private static let stopped = RPCError(code: .unavailable, message: "culvertd is stopping")

    /// Runs `body` until it ends, the caller is gone, or the server stops. gRPC tells of a caller that is gone by the
    /// context only, and a stream without events would wait for ever.
    func untilOver(_ context: ServerContext, _ body: @escaping @Sendable () async throws -> Void) async throws {
        try await longCalls.during {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await body() }
                group.addTask {
                    try await context.cancellation.cancelled
                    // The server's end cancels calls as well, and may be noticed here first.
                    if stopping.isCancelled { throw Self.stopped }
                    throw CancellationError()
                }
                group.addTask {
                    try await stopping.cancelled
                    throw Self.stopped
                }
                defer { group.cancelAll() }
                try await group.next()
            }
        }
    }

    /// Asks for page after page and sends each that holds something, until the list ends or the caller is gone.
    private func pages<Element: Sendable>(
        _ context: ServerContext, read: (PageToken?) async throws -> Page<Element>,
        send: ([Element]) async throws -> Void
    ) async throws {
        var token: PageToken?
        repeat {
            guard !stopping.isCancelled else { throw Self.stopped }
            guard !context.cancellation.isCancelled else { throw CancellationError() }
            let page = try await read(token)
            if !page.elements.isEmpty { try await send(page.elements) }
            token = page.next
        } while token != nil
    }
}

/// Runs `body` and turns the errors of the model into gRPC's, with their messages.
private func withRPCErrors<Result>(_ body: () async throws -> Result) async throws -> Result {
    do {
        return try await body()
    } catch let error as FieldError {
        throw RPCError(code: .invalidArgument, message: error.description)
    } catch let error as ControlPlaneError {
        throw RPCError(code: error.code.status, message: error.message)
    } catch let error as WatcherFellBehind {
        throw RPCError(
            code: .resourceExhausted,
            message: "the watcher was more than \(error.backlog) events behind: watch again with an initial snapshot")
    } catch is CancellationError {
        throw RPCError(code: .cancelled, message: "the call has ended")
    }
}

extension ControlPlaneError.Code {
    /// The status code that a caller gets.
    fileprivate var status: RPCError.Code {
        switch self {
        case .notFound: .notFound
        case .invalid: .invalidArgument
        case .ambiguous: .failedPrecondition
        case .exhausted: .resourceExhausted
        case .unavailable: .unavailable
        }
    }
}
