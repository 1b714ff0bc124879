import GRPCCore
import Observability

/// The part of the service that operators use: destinations, drain, configuration, debugging, capture, RADIUS, DNS, accounting,
/// the node's own addresses.
extension CulvertService {
    /// Events that one message of the history holds.
    static let eventBatch = 64
    /// Names that are told unless the caller says how many, and at most.
    static let (nameDefault, nameLimit) = (64, 4_096)

    func listDestinations(
        request: Culvert_V1_ListDestinationsRequest, response: RPCWriter<Culvert_V1_ListDestinationsResponse>,
        context: ServerContext
    ) async throws {
        try await withRPCErrors {
            let address = request.address.isEmpty ? nil : try FieldError.address(request.address, "address")
            try await pages(context) { page in
                try await interface.destinations(address, from: page, limit: Self.pageLength)
            } send: { destinations in
                try await response.write(.with { $0.destinations = destinations.map(\.message) })
            }
        }
    }

    func drain(request: Culvert_V1_DrainRequest, context: ServerContext) async throws -> Culvert_V1_DrainResponse {
        try await withRPCErrors {
            try await interface.drain(DrainTarget(request.target), !request.undrain).message
        }
    }

    func clearStatistics(
        request: Culvert_V1_ClearStatisticsRequest, context: ServerContext
    ) async throws -> Culvert_V1_ClearStatisticsResponse {
        try await withRPCErrors {
            try await interface.clearStatistics()
            return Culvert_V1_ClearStatisticsResponse()
        }
    }

    func getRunningConfig(
        request: Culvert_V1_GetRunningConfigRequest, context: ServerContext
    ) async throws -> Culvert_V1_GetRunningConfigResponse {
        try await withRPCErrors {
            let sections = try await interface.runningConfiguration(request.section.isEmpty ? nil : request.section)
            return .with { $0.sections = sections.map(\.message) }
        }
    }

    func reload(request: Culvert_V1_ReloadRequest, context: ServerContext) async throws -> Culvert_V1_ReloadResponse {
        try await withRPCErrors { try await interface.reload(apply: !request.check).message }
    }

    func getDebug(
        request: Culvert_V1_GetDebugRequest, context: ServerContext
    ) async throws -> Culvert_V1_GetDebugResponse {
        try await withRPCErrors {
            let rules = try await interface.debugRules()
            return .with { $0.rules = rules.map(\.message) }
        }
    }

    func setDebug(
        request: Culvert_V1_SetDebugRequest, context: ServerContext
    ) async throws -> Culvert_V1_SetDebugResponse {
        try await withRPCErrors {
            let rules = try await interface.setDebugging(DebugChange(request))
            return .with { $0.rules = rules.map(\.message) }
        }
    }

    func watchDebug(
        request: Culvert_V1_WatchDebugRequest, response: RPCWriter<Culvert_V1_DebugLine>, context: ServerContext
    ) async throws {
        try await withRPCErrors {
            let lines = try await interface.watchDebugging()
            try await untilOver(context) {
                for try await line in lines { try await response.write(line.message) }
            }
        }
    }

    func capture(
        request: Culvert_V1_CaptureRequest, response: RPCWriter<Culvert_V1_CaptureResponse>, context: ServerContext
    ) async throws {
        try await withRPCErrors {
            let records = try await interface.capture(
                SessionName(request), snapLength: request.snapLength, control: request.control)
            // Word that it runs, before the first frame.
            try await response.write(Culvert_V1_CaptureResponse())
            try await untilOver(context) {
                for try await record in records { try await response.write(.with { $0.frames = [record.message] }) }
            }
        }
    }

    func getRadius(
        request: Culvert_V1_GetRadiusRequest, context: ServerContext
    ) async throws -> Culvert_V1_GetRadiusResponse {
        try await withRPCErrors { try await interface.radius().message }
    }

    func getDns(request: Culvert_V1_GetDnsRequest, context: ServerContext) async throws -> Culvert_V1_GetDnsResponse {
        try await withRPCErrors { try await interface.nameService(cache: request.cache).message }
    }

    func getAccounting(
        request: Culvert_V1_GetAccountingRequest, context: ServerContext
    ) async throws -> Culvert_V1_GetAccountingResponse {
        try await withRPCErrors { try await interface.accounting().message }
    }

    func getHost(
        request: Culvert_V1_GetHostRequest, context: ServerContext
    ) async throws -> Culvert_V1_GetHostResponse {
        try await withRPCErrors { try await interface.host().message }
    }

    func listEvents(
        request: Culvert_V1_ListEventsRequest, response: RPCWriter<Culvert_V1_ListEventsResponse>,
        context: ServerContext
    ) async throws {
        try await withRPCErrors {
            let limit = request.limit == 0 ? Int.max : Int(request.limit)
            var rest = try await interface.recentEvents(limit)[...]
            while !rest.isEmpty {
                let batch = rest.prefix(Self.eventBatch)
                rest = rest.dropFirst(Self.eventBatch)
                try await response.write(.with { $0.events = batch.map(\.message) })
            }
        }
    }

    func listNames(
        request: Culvert_V1_ListNamesRequest, context: ServerContext
    ) async throws -> Culvert_V1_ListNamesResponse {
        try await withRPCErrors {
            let limit = request.limit == 0 ? Self.nameDefault : min(Int(request.limit), Self.nameLimit)
            let names = try await interface.names(
                NameKind(request.kind, "kind"), prefix: request.prefix, limit: limit)
            return .with { $0.names = names }
        }
    }
}
