import CAres
import Glibc
import Names
import Timing

/// The resolver's thread: groups of servers, their sockets, and the mailbox by which look-ups come.
final class ResolverLoop {
    private let mailbox: ResolverMailbox
    private let settings: ResolverSettings
    private let event: @Sendable (ResolverEvent) -> Void
    private var groups: [ServerGroup.Key: ServerGroup] = [:]

    init(
        mailbox: ResolverMailbox, settings: ResolverSettings, event: @escaping @Sendable (ResolverEvent) -> Void
    ) {
        self.mailbox = mailbox
        self.settings = settings
        self.event = event
    }

    /// Runs until the mailbox is closed; every look-up that it was given has then been completed.
    func run() {
        while let requests = mailbox.take() {
            let now = Instant.now()
            for request in requests { accept(request, at: now) }
            for group in groups.values { group.startWaiting(at: now) }
            report()
            wait()
        }
        for request in mailbox.takeRest() { LookUp(request).complete(.shutDown) }
        for group in groups.values { group.shutDown() }
        report()
        groups = [:]
    }

    private func accept(_ request: ResolverRequest, at now: Instant) {
        let lookUp = LookUp(request)
        guard !request.query.servers.isEmpty else { return lookUp.complete(.noServers) }
        let key = ServerGroup.Key(servers: request.query.servers, patience: request.patience)
        if let group = groups[key] { return group.add(lookUp, at: now) }
        guard makeRoom() else { return lookUp.complete(.overloaded) }
        let group = ServerGroup(key, settings: settings, event: event, at: now)
        groups[key] = group
        group.add(lookUp, at: now)
    }

    /// Room for one more group, at the cost of the idle one that was used longest ago.
    private func makeRoom() -> Bool {
        guard groups.count >= max(1, settings.groups) else { return true }
        guard let oldest = groups.lazy.filter({ $0.value.isIdle }).min(by: { $0.value.used < $1.value.used }) else {
            return false
        }
        groups[oldest.key] = nil
        return true
    }

    private func report() {
        var (inFlight, waiting) = (0, 0)
        var counts = ResolverStatistics()
        for group in groups.values {
            counts.add(group.takeCounts())
            inFlight += group.load.inFlight
            waiting += group.load.waiting
        }
        mailbox.report(counts, inFlight: inFlight, waiting: waiting, groups: groups.count)
    }

    /// All channels, when none is left that has found nobody listening. Its questions go on to the next server, which may be of the
    /// same kind; each is asked a few times at most.
    private func settled() -> [AresChannel] {
        while true {
            let channels = groups.values.flatMap(\.channels.values)
            if channels.count(where: { $0.endIfUnreachable() }) == 0 { return channels }
        }
    }

    /// Sleeps until a socket, the mailbox or the clock has something, and lets c-ares deal with the first and the last.
    private func wait() {
        var files = [pollfd(fd: mailbox.wakeFile, events: Int16(POLLIN), revents: 0)]
        var owners: [AresChannel] = []
        // -1 is without end.
        var rest: Int32 = -1
        let channels = settled()
        for channel in channels {
            let polled = channel.polled
            files += polled
            owners += polled.map { _ in channel }
            if let timeout = channel.timeout { rest = rest < 0 ? timeout : min(rest, timeout) }
        }
        guard poll(&files, nfds_t(files.count), rest) >= 0 else { return }
        if files[0].revents != 0 { mailbox.clearWake() }
        for (file, channel) in zip(files.dropFirst(), owners) where file.revents != 0 { channel.process(file) }
        // Before the clock is looked at: what is unreachable has not been silent.
        for channel in settled() { channel.processTimeouts() }
    }
}

extension Instant {
    /// CLOCK_MONOTONIC.
    static func now() -> Instant {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Instant(nanoseconds: UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec))
    }
}
