import DequeModule
import Timing
import Wire

/// The node as the one that is told to end or change sessions (RFC 5176).
///
/// A value without I/O. It answers configured clients alone, and only what they can have sent: from anybody else not even a
/// refusal is to be had. What it cannot do it refuses by itself; the rest it hands to the role, which answers when it is
/// done. A request that comes again gets its answer again and is not acted on a second time.
public struct DynamicAuthorizationServer: Sendable {
    /// Whom the server listens to.
    public struct Configuration: Hashable, Sendable {
        /// A client: an address and the secret that it shares.
        public struct Client: Hashable, Sendable {
            /// Where its requests come from; the port is of no account.
            public var address: IPAddress
            /// The secret.
            public var secret: [UInt8]

            /// The client at `address`.
            public init(address: IPAddress, secret: [UInt8]) {
                self.address = address
                self.secret = secret
            }
        }

        /// The clients. Of two with the same address the first counts.
        public var clients: [Client]
        /// The node's names: a request that names another is refused.
        public var nas: NASIdentity
        /// How far Event-Timestamp may be from the node's clock, in either direction (RFC 5176 section 6.3). A request is
        /// remembered for twice as long: as long as its stamp can be good.
        public var window: Duration = .seconds(300)
        /// Requests that are remembered. Beyond that the oldest is forgotten.
        public var memory = 4096

        /// A server that listens to `clients`.
        public init(clients: [Client], nas: NASIdentity) {
            self.clients = clients
            self.nas = nas
        }
    }

    /// Names a request until it is answered.
    public struct Handle: Hashable, Sendable {
        let key: RequestKey
        let serial: UInt64
    }

    /// What became of a datagram.
    public enum Outcome: Hashable, Sendable {
        /// Do this, then call `answer`.
        case request(Handle, DynamicAuthorizationRequest)
        /// Send this to where the datagram came from.
        case send([UInt8])
        /// Send nothing.
        case drop(DynamicAuthorizationCounter)
    }

    /// An answer on its way.
    public struct Answer: Hashable, Sendable {
        /// The UDP payload.
        public var datagram: [UInt8]
        /// The client's address.
        public var address: IPAddress
        /// The port that its request came from.
        public var port: UInt16
    }

    /// How a request ends.
    public enum Result: Hashable, Sendable {
        /// It was done.
        case done
        /// The session to be ended was gone already, and what was left of it is gone now.
        case residualRemoved
        /// It was not done.
        case refused(ErrorCause)
    }

    struct RequestKey: Hashable {
        var address: IPAddress
        var port: UInt16
        var identifier: UInt8
        var authenticator: RADIUSAuthenticator
    }

    private struct Entry {
        var serial: UInt64
        var code: RADIUSCode
        var secret: [UInt8]
        var isSigned: Bool
        var proxyStates: [[UInt8]]
        /// nil until the request is answered.
        var answer: [UInt8]?
    }

    /// Whom the server listens to.
    public private(set) var configuration: Configuration
    /// What was counted.
    public private(set) var counters = DynamicAuthorizationCounters()

    private var secrets: [IPAddress: [UInt8]] = [:]
    private var entries: [RequestKey: Entry] = [:]
    /// The keys of `entries`, oldest first.
    private var order: Deque<(key: RequestKey, at: Instant)> = []
    private var nextSerial: UInt64 = 0

    /// A server that has not heard anything yet.
    public init(configuration: Configuration) {
        self.configuration = configuration
        apply(configuration)
    }

    /// Takes a changed configuration; requests that were taken are answered still.
    public mutating func apply(_ configuration: Configuration) {
        self.configuration = configuration
        secrets = Dictionary(
            configuration.clients.map { ($0.address, $0.secret) }, uniquingKeysWith: { first, _ in first })
    }

    /// Takes a UDP datagram.
    ///
    /// - Parameter time: The node's clock in seconds since 1970, which Event-Timestamp is held against.
    public mutating func receive(
        _ datagram: ArraySlice<UInt8>, from address: IPAddress, port: UInt16, at now: Instant, time: UInt32
    ) -> Outcome {
        guard let secret = secrets[address] else { return drop(.unknownClients) }
        guard let packet = try? RADIUSPacket(decoding: datagram) else { return drop(.malformed) }
        guard packet.code == .disconnectRequest || packet.code == .coaRequest else { return drop(.unknownTypes) }
        let authenticity = packet.messageAuthenticity(secret: secret)
        guard packet.isAuthenticRequest(secret: secret), authenticity != .wrong else { return drop(.badAuthenticators) }
        forget(at: now)
        let key = RequestKey(
            address: address, port: port, identifier: packet.identifier, authenticator: packet.authenticator)
        if let entry = entries[key] {
            counters[.duplicates] += 1
            return entry.answer.map { .send($0) } ?? .drop(.duplicates)
        }
        if let stamp = packet.attributes.integer(.eventTimestamp) {
            let distance = stamp > time ? stamp - time : time - stamp
            guard .seconds(Int64(distance)) <= configuration.window else { return drop(.stale) }
        }
        counters[packet.code == .coaRequest ? .coaRequests : .disconnectRequests] += 1
        let handle = Handle(key: key, serial: nextSerial)
        nextSerial += 1
        entries[key] = Entry(
            serial: handle.serial, code: packet.code, secret: secret, isSigned: authenticity == .right,
            proxyStates: packet.attributes.all(.proxyState), answer: nil)
        order.append((key, now))
        do {
            return .request(
                handle, try DynamicAuthorizationRequest(packet, from: address, nas: configuration.nas))
        } catch {
            guard let answer = answer(handle, .refused(error)) else { return .drop(.malformed) }
            return .send(answer.datagram)
        }
    }

    /// Answers a request; nil when it was answered before, or forgotten since.
    public mutating func answer(_ handle: Handle, _ result: Result) -> Answer? {
        guard let entry = entries[handle.key], entry.serial == handle.serial, entry.answer == nil else { return nil }
        let isChange = entry.code == .coaRequest
        var attributes = RADIUSAttributes()
        let code: RADIUSCode
        switch result {
        case .done, .residualRemoved:
            code = isChange ? .coaACK : .disconnectACK
            counters[isChange ? .coaACKs : .disconnectACKs] += 1
            if result == .residualRemoved, !isChange {
                attributes.append(.errorCause, integer: ErrorCause.residualSessionContextRemoved.rawValue)
            }
        case .refused(let cause):
            code = isChange ? .coaNAK : .disconnectNAK
            counters[isChange ? .coaNAKs : .disconnectNAKs] += 1
            attributes.append(.errorCause, integer: cause.rawValue)
        }
        // As they came, in their order (RFC 5176 section 3.1).
        for state in entry.proxyStates { attributes.append(.proxyState, octets: state) }
        func packet(_ attributes: RADIUSAttributes) -> [UInt8]? {
            try? RADIUSPacket.answer(
                code, to: handle.key.identifier, authenticator: handle.key.authenticator, attributes: attributes,
                secret: entry.secret, signed: entry.isSigned)
        }
        // It fits always, since the request held the same Proxy-States and what identifies a session besides.
        guard let datagram = packet(attributes) else { return nil }
        entries[handle.key]?.answer = datagram
        return Answer(datagram: datagram, address: handle.key.address, port: handle.key.port)
    }

    private mutating func drop(_ reason: DynamicAuthorizationCounter) -> Outcome {
        counters[reason] += 1
        return .drop(reason)
    }

    /// Forgets requests that are too old to come again, and the oldest where there are too many.
    private mutating func forget(at now: Instant) {
        while let oldest = order.first,
            order.count >= max(1, configuration.memory) || oldest.at + configuration.window * 2 < now
        {
            entries[oldest.key] = nil
            order.removeFirst()
        }
    }
}
