import Names

/// One look-up on its way: both kinds of address are asked for, of one server after the other until one knows, and aliases are
/// followed that the servers leave to us.
final class LookUp {
    /// Asks the server at a place of the list; calls back once, maybe before it returns.
    typealias Ask = (Int, HostName, AddressRecordType, @escaping (AresChannel.Reply) -> Void) -> Void

    /// Aliases that are followed from question to question, for each kind of address.
    static let maximumAliases = 8

    /// How far one kind of address is.
    fileprivate struct Progress {
        var name: HostName
        /// Least TTL of the aliases so far.
        var ttl = UInt32.max
        var aliases = 0
        /// Servers asked so far, in all rounds.
        var asked = 0
        /// Servers that have answered something of no use, and are not asked again.
        var useless: Set<Int> = []
        /// The most telling failure so far.
        var failure: NameFailure?
    }

    private let query: NameQuery
    private let completion: @Sendable (NameQuery, NameResult) -> Void
    private var progress: [AddressRecordType: Progress] = [:]
    private var results: [AddressRecordType: NameResult] = [:]
    private var count = 0
    private var tries = 0
    private var ask: Ask?
    private var ended: ((LookUp) -> Void)?

    /// The server that is asked first: its place in the list.
    private(set) var first = 0
    /// Whether some server has answered.
    private(set) var wasAnswered = false
    /// Whether the first server was silent, and another has answered.
    private(set) var wasLate = false
    private var wasFirstSilent = false
    /// Questions that were put to servers.
    private(set) var questions = 0
    /// Times that a server was silent until its time was over.
    private(set) var timeouts = 0

    init(_ request: ResolverRequest) {
        query = request.query
        completion = request.completion
    }

    /// Asks `count` servers, beginning with `first`, in so many rounds; `ended` is called once, maybe before this returns.
    func start(first: Int, of count: Int, tries: Int, ask: @escaping Ask, ended: @escaping (LookUp) -> Void) {
        (self.first, self.count, self.tries, self.ask, self.ended) = (first, count, tries, ask, ended)
        for type in AddressRecordType.allCases { askNext(type, Progress(name: query.name)) }
    }

    /// Tells whom it concerns.
    func complete(_ failure: NameFailure? = nil) {
        if let failure { return completion(query, .failed(failure)) }
        completion(
            query,
            NameResult(ipv4: results[.a] ?? .failed(.resources), ipv6: results[.aaaa] ?? .failed(.resources)))
    }

    private func askNext(_ type: AddressRecordType, _ progress: Progress) {
        var progress = progress
        while progress.asked < tries * count {
            let server = (first + progress.asked) % count
            progress.asked += 1
            guard !progress.useless.contains(server), let ask else { continue }
            self.progress[type] = progress
            questions += 1
            return ask(server, progress.name, type) { self.received($0, of: server, type) }
        }
        finish(type, .failed(progress.failure ?? .timedOut))
    }

    private func received(_ reply: AresChannel.Reply, of server: Int, _ type: AddressRecordType) {
        guard var progress = progress[type] else { return }
        switch reply {
        case .failure(.shutDown): finish(type, .failed(.shutDown))
        case .failure(let failure):
            if failure == .timedOut { timeouts += 1 }
            if server == first, failure == .timedOut || failure == .unreachable { wasFirstSilent = true }
            progress.note(failure)
            askNext(type, progress)
        case .success(let message):
            wasAnswered = true
            if server != first, wasFirstSilent { wasLate = true }
            switch AddressAnswer(decoding: message, name: progress.name, type: type) {
            case .addresses(let found):
                finish(
                    type,
                    .addresses(
                        found.map { ResolvedAddress($0.address, ttl: min($0.ttl, progress.ttl)) }, isComplete: true))
            case .absent(let absence, let ttl): finish(type, .absent(absence, ttl: ttl.map { min($0, progress.ttl) }))
            case .failed(.aliasLoop): finish(type, .failed(.aliasLoop))
            case .failed(let failure):
                progress.useless.insert(server)
                progress.note(failure)
                askNext(type, progress)
            case .alias(let target, let ttl):
                progress.aliases += 1
                guard progress.aliases <= Self.maximumAliases else { return finish(type, .failed(.aliasLoop)) }
                progress.name = target
                progress.ttl = min(progress.ttl, ttl)
                // The same server again.
                progress.asked -= 1
                askNext(type, progress)
            }
        }
    }

    private func finish(_ type: AddressRecordType, _ result: NameResult) {
        results[type] = result
        guard results.count == AddressRecordType.allCases.count, let ended else { return }
        // Both lead back to who holds this.
        (self.ask, self.ended) = (nil, nil)
        ended(self)
    }
}

extension LookUp.Progress {
    /// What a server has said tells more than that one was silent, and that more than that nobody was there.
    fileprivate mutating func note(_ failure: NameFailure) {
        func weight(_ failure: NameFailure?) -> Int {
            switch failure {
            case nil: 0
            case .resources: 1
            case .unreachable: 2
            case .timedOut: 3
            default: 4
            }
        }
        if weight(failure) > weight(self.failure) { self.failure = failure }
    }
}
