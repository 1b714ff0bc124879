import Timing
import Wire

/// The node as a client of RADIUS servers (RFC 2865, RFC 2866, with the advice of RFC 5080 and RFC 5997).
///
/// A value without I/O. Every entry point takes the time and answers what has to be done; `deadline` says when `timerFired`
/// wants to be called. A request goes to the first server of its group that lives, again and again as the server's settings
/// say, then to the next one, until one answers or none is left. Thousands can be under way: neither sending nor answering
/// nor a time-out costs more for it, but for the logarithm of the list of deadlines.
///
/// A datagram that does not prove to be the answer to a request by the server that it was sent to changes nothing but a
/// counter.
public struct RADIUSClient: Sendable {
    /// The longest time between two transmissions, unless a server's own time-out is longer (MRT of RFC 5080 section
    /// 2.2.1).
    public static let longestInterval = Duration.seconds(16)

    /// What the client was told.
    public internal(set) var configuration: RADIUSClientConfiguration
    /// Datagrams from what is no server's address and port (radiusAuthClientInvalidServerAddresses of RFC 4668).
    public internal(set) var unknownServerDatagrams: UInt64 = 0
    /// Requests that were sent and wait for an answer.
    public internal(set) var inFlight = 0
    /// Requests that wait to be sent.
    public internal(set) var waiting = 0

    struct Endpoint: Hashable {
        var address: IPAddress
        var port: UInt16
    }

    /// The channels of one group.
    struct Group {
        var authentication: [Int] = []
        var accounting: [Int] = []

        subscript(service: RADIUSService) -> [Int] {
            get { service == .authentication ? authentication : accounting }
            set { if service == .authentication { authentication = newValue } else { accounting = newValue } }
        }
    }

    var channels: [Channel] = []
    var channelsByEndpoint: [Endpoint: Int] = [:]
    var groups: [String: Group] = [:]
    var requests: [PendingRequest?] = []
    var freeSlots: [Int] = []
    var nextSerial: UInt64 = 0
    var deadlines = Deadlines()
    /// The channel whose queue is served first next time.
    var rotation = 0
    var random: any RandomNumberGenerator & Sendable
    var outputs: [RADIUSClientOutput] = []

    /// A client that has not sent anything yet. `random` must be unforeseeable: Request Authenticators are taken from it.
    public init(
        configuration: RADIUSClientConfiguration, random: any RandomNumberGenerator & Sendable, at now: Instant
    ) {
        self.configuration = configuration
        self.random = random
        rebuild(at: now)
    }

    /// When `timerFired` wants to be called; nil for never.
    public var deadline: Instant? { deadlines.first?.time }

    /// Each port of each server, as it stands.
    public var servers: [RADIUSServerStatus] { channels.map(\.status) }

    // MARK: Entry points

    /// Takes a request, and sends it at once where that is possible.
    ///
    /// - Returns: What names the request until it is finished, and what is to be done.
    public mutating func submit(
        _ request: RADIUSRequest, group name: String, at now: Instant
    ) throws(RADIUSSubmitError) -> (handle: RADIUSRequestHandle, outputs: [RADIUSClientOutput]) {
        guard let group = groups[name] else { throw .unknownGroup(name) }
        let slot = freeSlots.last ?? requests.count
        let handle = RADIUSRequestHandle(slot: slot, serial: nextSerial)
        let pending = PendingRequest(request, handle: handle, group: name, at: now)
        guard let channel = choose(for: pending, in: group, at: now) else { throw .emptyGroup(name) }
        let sendsNow = canSend(on: channel)
        guard sendsNow || waiting < configuration.queueLimit else { throw .queueFull(waiting) }
        nextSerial += 1
        if freeSlots.popLast() == nil { requests.append(pending) } else { requests[slot] = pending }
        do {
            if sendsNow {
                try transmit(slot, on: channel, at: now)
            } else {
                try request.validate()
                wait(slot, for: channel, at: now)
            }
        } catch {
            remove(slot)
            throw .encoding(error)
        }
        return (handle, finish(at: now))
    }

    /// Forgets a request, whose answer nobody wants any more. Nothing happens when it is finished.
    public mutating func cancel(_ handle: RADIUSRequestHandle, at now: Instant) -> [RADIUSClientOutput] {
        guard pending(handle) != nil else { return [] }
        remove(handle.slot)
        return finish(at: now)
    }

    /// Takes a UDP datagram that came to source socket `socket` of the address's family.
    public mutating func receive(
        _ datagram: ArraySlice<UInt8>, from address: IPAddress, port: UInt16, socket: Int, at now: Instant
    ) -> [RADIUSClientOutput] {
        if let fault = take(datagram, from: address, port: port, socket: socket, at: now) {
            outputs.append(.note(.answerDropped(from: address, port: port, fault)))
        }
        return finish(at: now)
    }

    /// Does what is due.
    public mutating func timerFired(at now: Instant) -> [RADIUSClientOutput] {
        while let entry = deadlines.first, entry.time <= now {
            deadlines.removeFirst()
            guard isCurrent(entry) else { continue }
            switch entry.target {
            case .request(let handle): requestTimedOut(handle.slot, at: now)
            case .channel(let index): probeTimer(index, at: now)
            }
        }
        return finish(at: now)
    }

    // MARK: Deadlines

    func pending(_ handle: RADIUSRequestHandle) -> PendingRequest? {
        guard requests.indices.contains(handle.slot), let pending = requests[handle.slot], pending.handle == handle
        else { return nil }
        return pending
    }

    func isCurrent(_ entry: Deadlines.Entry) -> Bool {
        switch entry.target {
        case .request(let handle): pending(handle)?.deadline == entry.time
        case .channel(let index): channels.indices.contains(index) && channels[index].probeAt == entry.time
        }
    }

    mutating func setDeadline(_ slot: Int, _ time: Instant) {
        guard let handle = requests[slot]?.handle else { return }
        requests[slot]?.deadline = time
        deadlines.add(.request(handle), at: time)
    }

    /// Sends what can be sent by now, and hands over what was collected.
    mutating func finish(at now: Instant) -> [RADIUSClientOutput] {
        serveQueues(at: now)
        while let entry = deadlines.first, !isCurrent(entry) { deadlines.removeFirst() }
        if deadlines.isMostlyStale(live: inFlight + waiting + channels.count) {
            var list = Deadlines()
            swap(&list, &deadlines)
            list.prune(isCurrent: isCurrent)
            swap(&list, &deadlines)
        }
        defer { outputs = [] }
        return outputs
    }

    /// A time that differs from `interval` by a tenth at most (RAND of RFC 5080 section 2.2.1), so that many requests of one
    /// moment are not sent again in one moment.
    mutating func randomized(_ interval: Duration) -> Duration {
        interval + interval * ((chance() - 0.5) * 0.2)
    }

    mutating func randomized(_ interval: (Duration, spread: Duration)) -> Duration {
        interval.0 + interval.spread * ((chance() - 0.5) * 2)
    }

    /// From 0 up to 1.
    private mutating func chance() -> Double { Double(random.next() >> 11) * 0x1p-53 }
}
