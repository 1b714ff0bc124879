import GRPCCore

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
            throw RPCClientError.unreachable("the connection to culvertd is lost: \(error.message)")
        }
        throw RPCClientError.refused(code: "\(error.code)", message: error.message)
    } catch let error as FieldError {
        throw RPCClientError.unintelligible(error.description)
    }
}
