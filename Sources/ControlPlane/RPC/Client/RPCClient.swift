import Glibc
import GRPCCore
import GRPCNIOTransportHTTP2
import Observability
import Wire

/// Where culvertd is.
public enum RPCServerAddress: Hashable, Sendable {
    /// On this machine, by its Unix domain socket.
    case socket(String)
    /// Elsewhere, by TLS. `host` is a name or an IP address; the server's certificate must be for `serverName`, or for the host
    /// where that is nil.
    case tcp(host: String, port: UInt16, files: TLSFiles, serverName: String?)
}

/// Calls culvertd, in terms of the model.
public struct RPCClient: Sendable {
    let stub: Culvert_V1_Culvert.Client<HTTP2ClientTransport.Posix>
    let options: CallOptions

    /// Connects to the socket `path` and runs `body`, whose errors of calls are `RPCClientError`.
    @discardableResult
    public static func connect<Result: Sendable>(
        to path: String, _ body: @Sendable (RPCClient) async throws -> Result
    ) async throws -> Result {
        try await connect(to: .socket(path), body)
    }

    /// Connects to `address` and runs `body`, whose errors of calls are `RPCClientError`.
    @discardableResult
    public static func connect<Result: Sendable>(
        to address: RPCServerAddress, _ body: @Sendable (RPCClient) async throws -> Result
    ) async throws -> Result {
        if case .socket(let path) = address { try checkSocket(path) }
        do {
            return try await withRPCClientErrors {
                try await withGRPCClient(transport: try transport(to: address)) { client in
                    try await body(RPCClient(wrapping: client))
                }
            }
        } catch RPCClientError.unreachable(let reason) {
            guard case .tcp(let host, let port, _, _) = address else { throw RPCClientError.unreachable(reason) }
            throw RPCClientError.unreachable("\(host) port \(port): \(reason)")
        }
    }

    private static func transport(to address: RPCServerAddress) throws -> HTTP2ClientTransport.Posix {
        switch address {
        case .socket(let path):
            try HTTP2ClientTransport.Posix(target: .unixDomainSocket(path: path), transportSecurity: .plaintext)
        case .tcp(let host, let port, let files, let serverName):
            try transport(to: host, port: port, files: files, serverName: serverName)
        }
    }

    private static func transport(
        to host: String, port: UInt16, files: TLSFiles, serverName: String?
    ) throws -> HTTP2ClientTransport.Posix {
        do throws(TLSFileError) {
            // What is wrong with a file is told here; gRPC would not name it.
            try files.check()
        } catch {
            throw RPCClientError.unreachable(error.description)
        }
        let security = HTTP2ClientTransport.Posix.TransportSecurity.mTLS(
            certificateChain: [.file(path: files.certificate, format: .pem)],
            privateKey: .file(path: files.privateKey, format: .pem)
        ) { $0.trustRoots = .certificates([.file(path: files.authorities, format: .pem)]) }
        let config = HTTP2ClientTransport.Posix.Config.defaults { $0.http2.authority = serverName }
        switch IPAddress(host) {
        case .v4:
            return try HTTP2ClientTransport.Posix(
                target: .ipv4(address: host, port: Int(port)), transportSecurity: security, config: config)
        case .v6:
            return try HTTP2ClientTransport.Posix(
                target: .ipv6(address: host, port: Int(port)), transportSecurity: security, config: config)
        case nil:
            return try HTTP2ClientTransport.Posix(
                target: .dns(host: host, port: Int(port)), transportSecurity: security, config: config)
        }
    }

    private init(wrapping client: GRPCClient<HTTP2ClientTransport.Posix>) {
        stub = Culvert_V1_Culvert.Client(wrapping: client)
        var options = CallOptions.defaults
        options.waitForReady = false
        options.maxResponseMessageBytes = 16 * 1_024 * 1_024
        self.options = options
    }

    /// Finds out at once, and in words, what gRPC would retry for a while.
    private static func checkSocket(_ path: String) throws(RPCClientError) {
        switch UnixSocket.probe(path) {
        case .live: return
        case .absent:
            throw .unreachable("culvertd is not running: no socket at \(path) (--socket PATH names another)")
        case .dead: throw .unreachable("culvertd is not running: it has left its socket at \(path), start it again")
        case .notASocket: throw .unreachable("\(path) is not a socket: name culvertd's with --socket PATH")
        case .failed(EACCES):
            throw .unreachable("\(path) may not be used by this user: become root or a member of the socket's group")
        case .failed(let code): throw .unreachable("cannot connect to \(path): \(String(cString: strerror(code)))")
        }
    }

    /// The node as a whole.
    public func status() async throws -> StatusSnapshot {
        try await withRPCClientErrors {
            try StatusSnapshot(try await stub.getStatus(Culvert_V1_GetStatusRequest(), options: options))
        }
    }

    /// Hands tunnels to `receive`, batch by batch.
    public func tunnels(
        _ filter: TunnelFilter = .all, detail: Bool = false,
        receive: @escaping @Sendable ([TunnelSnapshot]) async throws -> Void
    ) async throws {
        let request = Culvert_V1_ListTunnelsRequest(filter, detail: detail)
        try await withRPCClientErrors {
            try await stub.listTunnels(request, options: options) { response in
                for try await message in response.messages {
                    try await receive(message.tunnels.map { try TunnelSnapshot($0) })
                }
            }
        }
    }

    /// Hands L2TP sessions to `receive`, batch by batch.
    public func sessions(
        _ filter: SessionFilter = SessionFilter(), detail: Bool = false,
        receive: @escaping @Sendable ([SessionSnapshot]) async throws -> Void
    ) async throws {
        let request = Culvert_V1_ListSessionsRequest(filter, detail: detail)
        try await withRPCClientErrors {
            try await stub.listSessions(request, options: options) { response in
                for try await message in response.messages {
                    try await receive(message.sessions.map { try SessionSnapshot($0) })
                }
            }
        }
    }

    /// Hands routes of the access concentrator to `receive`, batch by batch.
    public func connections(
        _ filter: ConnectionFilter = ConnectionFilter(),
        receive: @escaping @Sendable ([PPPoEConnectionSnapshot]) async throws -> Void
    ) async throws {
        let request = Culvert_V1_ListConnectionsRequest(filter)
        try await withRPCClientErrors {
            try await stub.listConnections(request, options: options) { response in
                for try await message in response.messages {
                    try await receive(message.connections.map { try PPPoEConnectionSnapshot($0) })
                }
            }
        }
    }

    /// The access concentrator's counters, in the order of their screen.
    public func statistics() async throws -> [NamedCounter] {
        try await withRPCClientErrors {
            let answer = try await stub.getStatistics(Culvert_V1_GetStatisticsRequest(), options: options)
            return answer.counters.map { NamedCounter($0) }
        }
    }

    /// The data plane's ports.
    public func ports() async throws -> [PortSnapshot] {
        try await withRPCClientErrors {
            let answer = try await stub.listPorts(Culvert_V1_ListPortsRequest(), options: options)
            return try answer.ports.map { try PortSnapshot($0) }
        }
    }

    /// The data plane's counters, each worker's part only with `perWorker`.
    public func counters(perWorker: Bool = false) async throws -> DataPlaneCounters {
        try await withRPCClientErrors {
            DataPlaneCounters(try await stub.listCounters(.with { $0.perWorker = perWorker }, options: options))
        }
    }

    /// Hands events to `receive` until it throws, the task is cancelled, or culvertd ends; with `initial`, first what is
    /// up now. Kinds of events that this build does not know are left out.
    public func watch(initial: Bool, receive: @escaping @Sendable (Event) async throws -> Void) async throws {
        try await withRPCClientErrors {
            try await stub.watch(.with { $0.initial = initial }, options: options) { response in
                for try await message in response.messages {
                    if let event = try Event(message) { try await receive(event) }
                }
            }
        }
    }

    /// Takes down `target` and everything below it; returns what that is, when the teardown has begun.
    public func clear(_ target: ClearTarget) async throws -> ClearOutcome {
        try await withRPCClientErrors { ClearOutcome(try await stub.clear(target.message, options: options)) }
    }

    /// Changes a session's policers; returns what is in force then.
    public func setPolicers(
        of session: SessionName, upstream: PolicerChange, downstream: PolicerChange
    ) async throws -> SessionPolicers {
        let request = Culvert_V1_SetPolicersRequest(session, upstream: upstream, downstream: downstream)
        return try await withRPCClientErrors {
            SessionPolicers(try await stub.setPolicers(request, options: options))
        }
    }

    /// Carries out `operations` in order over one stream; one result for each, in the same order.
    public func apply(_ operations: [StaticOperation]) async throws -> [StaticResult] {
        try await withRPCClientErrors {
            try await stub.applyStatic(options: options) { writer in
                var start = 0
                while start < operations.count {
                    // A message holds so many operations, or one batch, or few enough small ones.
                    var (end, weight) = (start, 0)
                    while end < operations.count {
                        var more = 1
                        if case .addSessions(let batch) = operations[end] { more += batch.references.count }
                        guard end == start || weight + more <= 1_024 else { break }
                        weight += more
                        end += 1
                    }
                    let batch = operations[start..<end]
                    let first = start
                    try await writer.write(
                        .with { $0.operations = batch.enumerated().map { $1.message(tag: UInt64(first + $0)) } })
                    start = end
                }
            } onResponse: { response in
                var results: [StaticResult] = []
                for try await message in response.messages {
                    for result in message.results { results.append(try StaticResult(result)) }
                }
                return results
            }
        }
    }

    /// Hands static tunnels, then static sessions to the closures, batch by batch; `reference` names one tunnel.
    public func staticEntries(
        in reference: StaticTunnelReference? = nil,
        receiveTunnels: @escaping @Sendable ([StaticTunnelStatus]) async throws -> Void,
        receiveSessions: @escaping @Sendable ([StaticSessionStatus]) async throws -> Void
    ) async throws {
        let request = Culvert_V1_ListStaticRequest.with { if let reference { $0.tunnel = reference.message } }
        try await withRPCClientErrors {
            try await stub.listStatic(request, options: options) { response in
                for try await message in response.messages {
                    if !message.tunnels.isEmpty {
                        try await receiveTunnels(message.tunnels.map { try StaticTunnelStatus($0) })
                    }
                    if !message.sessions.isEmpty {
                        try await receiveSessions(message.sessions.map { try StaticSessionStatus($0) })
                    }
                }
            }
        }
    }
}
