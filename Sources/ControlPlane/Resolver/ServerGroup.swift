import DequeModule
import Names
import Timing

/// The name servers of one set: their channels, and the look-ups that are on their way or wait for a place. Sets do not get into each
/// other's way: with one's servers dead, another's look-ups go on.
final class ServerGroup {
    /// What tells groups apart.
    struct Key: Hashable {
        var servers: [NameServer]
        var patience: Patience
    }

    private let key: Key
    private let settings: ResolverSettings
    private let event: @Sendable (ResolverEvent) -> Void
    private var preference: ServerPreference
    /// By the server's place in the list.
    private(set) var channels: [Int: AresChannel] = [:]
    private var waiting: Deque<LookUp> = []
    private var inFlight = 0
    /// When it was given something to do last.
    private(set) var used: Instant
    /// What has happened since it was taken last.
    private var counts = ResolverStatistics()

    init(
        _ key: Key, settings: ResolverSettings, event: @escaping @Sendable (ResolverEvent) -> Void, at now: Instant
    ) {
        self.key = key
        self.settings = settings
        self.event = event
        used = now
        preference = ServerPreference(count: key.servers.count)
    }

    /// Whether nobody waits for anything.
    var isIdle: Bool { inFlight == 0 && waiting.isEmpty }

    /// Look-ups that are on their way, and that wait for a place.
    var load: (inFlight: Int, waiting: Int) { (inFlight, waiting.count) }

    /// What has been counted since the last call.
    func takeCounts() -> ResolverStatistics {
        defer { counts = ResolverStatistics() }
        return counts
    }

    /// Takes a look-up on.
    func add(_ lookUp: LookUp, at now: Instant) {
        used = now
        guard waiting.count < settings.waiting else {
            counts.refused += 1
            return lookUp.complete(.overloaded)
        }
        waiting.append(lookUp)
    }

    /// Sends off what has a place.
    func startWaiting(at now: Instant) {
        while inFlight < settings.inFlight, let lookUp = waiting.popFirst() {
            inFlight += 1
            lookUp.start(
                first: preference.first(at: now), of: key.servers.count, tries: key.patience.tries,
                ask: { [unowned self] in ask($0, $1, $2, $3) }, ended: { [unowned self] in ended($0) })
        }
    }

    private func ask(
        _ server: Int, _ name: HostName, _ type: AddressRecordType,
        _ completion: @escaping (AresChannel.Reply) -> Void
    ) {
        do throws(NameFailure) {
            try channel(server).ask(name, type, completion: completion)
        } catch {
            completion(.failure(error))
        }
    }

    private func channel(_ server: Int) throws(NameFailure) -> AresChannel {
        if let channel = channels[server] { return channel }
        let channel = try AresChannel(key.servers[server], timeout: key.patience.timeout)
        channels[server] = channel
        return channel
    }

    private func ended(_ lookUp: LookUp) {
        inFlight -= 1
        counts.completed += 1
        counts.questions += UInt64(lookUp.questions)
        counts.timeouts += UInt64(lookUp.timeouts)
        if lookUp.wasAnswered,
            let silent = preference.answered(first: lookUp.first, late: lookUp.wasLate, at: .now())
        {
            counts.passedOver += 1
            event(
                .serverPassedOver(
                    key.servers[silent], next: key.servers[(silent + 1) % key.servers.count],
                    for: ServerPreference.hold))
        }
        lookUp.complete()
    }

    /// Ends everything with `.shutDown`.
    func shutDown() {
        while let lookUp = waiting.popFirst() { lookUp.complete(.shutDown) }
        channels = [:]
    }
}
