import GRPCCore
import GRPCNIOTransportHTTP2
import Logging
import X509

/// Who may call what: clients with a certificate whose common name is among `readOnly` may only look. Calls that change
/// something are logged with whoever made them.
struct AccessControl: ServerInterceptor {
    /// Common names of clients that may only look.
    let readOnly: Set<String>
    let logger: Logger

    /// Whether a method leaves everything as it is. The .proto's methods are named for it: what is not called Get, List or
    /// Watch something counts as a change.
    static func isReading(_ method: MethodDescriptor) -> Bool {
        ["Get", "List", "Watch"].contains { method.method.hasPrefix($0) }
            || method.service.fullyQualifiedService.hasPrefix("grpc.reflection.")
    }

    func intercept<Input: Sendable, Output: Sendable>(
        request: StreamingServerRequest<Input>, context: ServerContext,
        next: @Sendable (StreamingServerRequest<Input>, ServerContext) async throws -> StreamingServerResponse<Output>
    ) async throws -> StreamingServerResponse<Output> {
        guard !Self.isReading(context.descriptor) else { return try await next(request, context) }
        let method = context.descriptor.method
        let certificate = (context.transportSpecific as? HTTP2ServerTransport.Posix.Context)?.peerCertificate
        let names = certificate?.commonNames ?? []
        let client = names.joined(separator: ", ")
        let isRefused = names.contains(where: readOnly.contains)
        // The socket's clients have no name, nor an address of their own.
        let whom: Logger.Metadata =
            context.remotePeer.hasPrefix("unix:") ? [:] : ["client": "\(client)", "peer": "\(context.remotePeer)"]
        logger.log(
            level: isRefused ? .notice : .info,
            isRefused ? "RPC refused: its client may only look" : "RPC that changes something",
            metadata: whom.merging(["method": "\(method)"]) { $1 })
        guard !isRefused else {
            throw RPCError(
                code: .permissionDenied,
                message: "'\(client)' may only look, not \(method): see read-only of rpc-tcp in the configuration")
        }
        return try await next(request, context)
    }
}
