/// What a client of RADIUS wants to have sent.
public enum RADIUSRequest: Hashable, Sendable {
    /// May a client in?
    case access(AccessRequest)
    /// Keep this record. `age` is how long ago its event was when it is submitted, and what Acct-Delay-Time begins with.
    case accounting(AccountingRecord, age: Duration = .zero)

    /// What it is asked of a server.
    public var service: RADIUSService {
        switch self {
        case .access: .authentication
        case .accounting: .accounting
        }
    }

    /// The server that has to be asked before others.
    var preferredServer: RADIUSServer.Key? {
        guard case .access(let request) = self else { return nil }
        return request.server
    }

    var code: RADIUSCode {
        switch self {
        case .access: .accessRequest
        case .accounting: .accountingRequest
        }
    }

    /// The attributes of a transmission that takes place `elapsed` after the request was submitted.
    func attributes(elapsed: Duration) -> RADIUSAttributes {
        switch self {
        case .access(let request): return request.attributes
        case .accounting(let record, let age):
            var attributes = record.attributes
            attributes.append(.acctDelayTime, integer: UInt32(clamping: (age + elapsed).components.seconds))
            return attributes
        }
    }

    /// Whether the request can be written for any server; nothing in its size depends on which.
    func validate() throws(RADIUSEncodingError) {
        _ = try RADIUSPacket.request(
            code, identifier: 0, attributes: attributes(elapsed: .zero), secret: [], random: .zero)
    }
}

/// Names a request that was submitted, until it is finished.
public struct RADIUSRequestHandle: Hashable, Sendable {
    let slot: Int
    let serial: UInt64
}

/// Why a request is not taken.
public enum RADIUSSubmitError: Error, Hashable, Sendable, CustomStringConvertible {
    /// There is no group of that name.
    case unknownGroup(String)
    /// The group has no server.
    case emptyGroup(String)
    /// As many requests as may wait are waiting.
    case queueFull(Int)
    /// The request cannot be written.
    case encoding(RADIUSEncodingError)

    /// In words, for logs and `show`.
    public var description: String {
        switch self {
        case .unknownGroup(let name): "there is no RADIUS server group \"\(name)\""
        case .emptyGroup(let name): "RADIUS server group \"\(name)\" has no server"
        case .queueFull(let count): "\(count) requests wait for RADIUS servers already"
        case .encoding(let error): "\(error)"
        }
    }
}

/// How a request ended.
public struct RADIUSResult: Hashable, Sendable {
    /// What came of it.
    public enum Outcome: Hashable, Sendable {
        /// The client may in.
        case accept(AccessAccept)
        /// The client may not.
        case reject(AccessReject)
        /// The client is to be asked something first.
        case challenge(AccessChallenge)
        /// The record is kept.
        case accountingResponse
        /// No server answered.
        case timeout
        /// The configuration took away the group, or all servers that it could still be sent to.
        case noServer
    }

    /// What came of it.
    public var outcome: Outcome
    /// The servers that it was sent to, in order; where there was an answer, it is the last one's.
    public var servers: [RADIUSServer.Key]
    /// From its submission to its end.
    public var duration: Duration

    /// In words, for logs and `show`.
    public var summary: String {
        let names = servers.map(\.description).joined(separator: ", ")
        return switch outcome {
        case .accept: "accepted by \(names)"
        case .reject(let reject): "\(names): \(reject)"
        case .challenge: "challenged by \(names)"
        case .accountingResponse: "recorded by \(names)"
        case .timeout where servers.isEmpty: "waited too long to be sent; all RADIUS servers are busy"
        case .timeout: "no answer from \(names)"
        case .noServer: "its RADIUS servers were removed from the configuration"
        }
    }
}
