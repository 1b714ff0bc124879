import GRPCCore
import Glibc
import NIOCore

/// Why a call to culvertd gave no answer.
public enum RPCClientError: Error, Hashable, Sendable {
    /// Nobody can be reached; the message names the socket and says what to do.
    case unreachable(String)
    /// culvertd refused the call: the name of gRPC's status code, and culvertd's own words.
    case refused(code: String, message: String)
    /// culvertd's answer makes no sense here.
    case unintelligible(String)
}

extension RPCClientError: CustomStringConvertible {
    /// What an operator should read.
    public var description: String {
        switch self {
        case .unreachable(let message), .refused(_, let message): message
        case .unintelligible(let problem):
            "culvertd's answer is not understood (\(problem)): use the culvert of the same version"
        }
    }
}

/// Runs `body` and turns gRPC's errors into `RPCClientError`.
func withRPCClientErrors<Result>(_ body: () async throws -> Result) async throws -> Result {
    do {
        return try await body()
    } catch let error as RPCError {
        if error.code == .unavailable, error.cause != nil {
            throw RPCClientError.unreachable(
                "the connection to culvertd is lost: \(ConnectionFailure.reason(of: error))")
        }
        throw RPCClientError.refused(code: "\(error.code)", message: error.message)
    } catch let error as FieldError {
        throw RPCClientError.unintelligible(error.description)
    }
}

/// The words for what went wrong with a connection, from the errors that gRPC, swift-nio and swift-nio-ssl wrap in each other.
enum ConnectionFailure {
    /// What `error` comes down to.
    static func reason(of error: any Error) -> String {
        var root = error
        var next: (any Error)? = error
        while let current = next {
            root = current
            next = (current as? RPCError)?.cause ?? (current as? RuntimeError)?.cause
        }
        if let error = root as? IOError { return String(cString: strerror(error.errnoCode)) }
        let text = (root as? RPCError)?.message ?? "\(root)"
        return known.first { text.contains($0.key) }?.text ?? text
    }

    /// Errors of TLS that an operator meets, by what the library calls them.
    private static let known: [(key: String, text: String)] = [
        (
            "CERTIFICATE_VERIFY_FAILED",
            "its certificate is from none of the authorities in the file of --ca, or has ended"
        ),
        (
            "failedToValidateHostname",
            "its certificate is for another name: give the right one with --server-name, if you trust it"
        ),
        (
            "CERTIFICATE_REQUIRED",
            "it refuses a client without a certificate of its authority"
        ),
        ("UNKNOWN_CA", "it does not know the authority of your certificate (client-ca in its configuration)"),
        ("CERTIFICATE_EXPIRED", "your certificate has ended"),
        ("WRONG_VERSION_NUMBER", "it does not speak TLS: is this the port of rpc-tcp?"),
        ("EOF during handshake", "it has closed the connection before TLS was agreed on: is this the port of rpc-tcp?"),
    ]
}
