import DequeModule
import Timing
import Wire

/// The reliable delivery of control messages (RFC 2661, section 5.8 and appendix A), without the messages' meaning.
///
/// Outgoing bodies are queued, numbered, sent as the window opens, and sent again until acknowledged; incoming ones are
/// put in order, freed of duplicates and acknowledged. Sequence numbers are counted modulo 65,536 throughout.
///
/// One queue holds what is not acknowledged and what has not been sent: its front has Ns `peerNr`, and the first
/// `outstanding` entries are on their way. A time-out sets `outstanding` to zero and the window to one, so what
/// was on its way is sent again as acknowledgements come in, unless these show that it had arrived.
public struct ControlChannel: Sendable {
    /// How the channel behaves; the names are the seed's of `show l2tp tunnel detail`.
    public struct Settings: Hashable, Sendable {
        /// Messages that the peer may have on their way to us, which we tell it; 1 to 32,767.
        public var receiveWindow: UInt16 = 10
        /// Time before a message is sent again the first time; each further time it doubles.
        public var retryTimeout: Duration = .seconds(1)
        /// Where the doubling ends. RFC 2661 asks for no less than 8 s.
        public var retryCap: Duration = .seconds(8)
        /// How often a message is sent again before the peer counts as lost.
        public var maxRetries: Int = 5
        /// How long an acknowledgement may wait for a message to ride on.
        public var acknowledgementDelay: Duration = .milliseconds(50)

        /// The defaults.
        public init() {}

        /// Time from the first transmission of a message that is never answered until the peer counts as lost: 31 s
        /// with the defaults. RFC 2661, section 5.7, calls it a full retransmission cycle.
        public var fullCycle: Duration {
            (0...max(0, maxRetries)).reduce(.zero) { $0 + interval(afterRetries: $1) }
        }

        func interval(afterRetries retries: Int) -> Duration {
            min(retryTimeout * (1 << min(max(0, retries), 16)), retryCap)
        }
    }

    /// What became of a datagram.
    enum Reception: Hashable {
        case accepted
        case acknowledgement
        case duplicate
        case outOfWindow
        case badAcknowledgement
    }

    private struct Entry: Sendable {
        var sessionID: UInt16
        var body: [UInt8]
        /// Our id of the session that the message ends; 0: none.
        var ends: UInt16 = 0
    }

    /// The window that a peer has which tells none (RFC 2661, section 4.4.3).
    static let defaultPeerWindow = 4
    /// Messages queued to a peer that acknowledges nothing, before what it sends is no longer taken in.
    static let queueLimit = 16384

    let settings: Settings
    /// The peer's id of the tunnel; 0 until it is known.
    var peerTunnelID: UInt16 = 0

    /// Ns of the next new message.
    private(set) var ns: UInt16 = 0
    /// Nr: Ns of the message that is expected next.
    private(set) var nr: UInt16 = 0
    /// Nr that the peer sent last: Ns of the front of the queue.
    private(set) var peerNr: UInt16 = 0
    /// Ns that the peer sent last.
    private(set) var peerNs: UInt16 = 0
    /// Messages that the peer takes at a time.
    private(set) var peerWindow = ControlChannel.defaultPeerWindow
    /// Congestion window, in messages.
    private(set) var congestionWindow = 1
    /// Slow start threshold, in messages.
    private(set) var slowStartThreshold = ControlChannel.defaultPeerWindow
    /// Acknowledgements counted towards the next step of congestion avoidance.
    private(set) var congestionAcknowledgements = 0
    /// What was counted.
    private(set) var counters = TransportCounters()
    /// Grows with each message that was queued, given a number or taken in.
    private(set) var revision: UInt64 = 0

    private var queue: Deque<Entry> = []
    private var outstanding = 0
    private var retries = 0
    private var congested = false
    private var retransmitAt: Instant?
    /// Messages received and not yet handed on, by Ns; at most as many as the receive window.
    private var received: [UInt16: Entry] = [:]
    private var unacknowledged = 0
    private var acknowledgeAt: Instant?
    private var acknowledgeNow = false
    /// Numbers that the peer may begin with instead of ours, until its first message has come.
    private var alternative: ControlSequence?
    /// Our ids of sessions whose end the peer has not acknowledged.
    private var ending: Set<UInt16> = []
    /// Those whose end it has acknowledged, with the time when it has let go of them at the latest.
    private var settling: [UInt16: Instant] = [:]

    init(settings: Settings) { self.settings = settings }

    /// Whether everything that was queued has been acknowledged.
    var isDrained: Bool { queue.isEmpty }
    /// Whether a message is on its way, whose acknowledgement will show that the peer lives.
    var isProbing: Bool { outstanding > 0 }
    /// When `timerFired` wants to be called.
    var deadline: Instant? {
        guard let retransmitAt else { return acknowledgeAt }
        return acknowledgeAt.map { min($0, retransmitAt) } ?? retransmitAt
    }

    // MARK: Sending

    /// Queues a message; `ends` is our id of the session that it ends.
    mutating func enqueue(_ body: [UInt8], sessionID: UInt16, ends: UInt16 = 0) {
        queue.append(Entry(sessionID: sessionID, body: body, ends: ends))
        if ends != 0 { ending.insert(ends) }
        revision &+= 1
    }

    /// Drops what was queued and never sent.
    mutating func dropUnsent() {
        let sent = Int(ns &- peerNr)
        queue.removeLast(max(0, queue.count - sent))
    }

    /// The peer told its receive window: the upper limit of the congestion window, and its first threshold.
    mutating func setPeerWindow(_ window: UInt16) {
        // More than half of the number space would make old and new numbers look alike.
        peerWindow = min(max(1, Int(window)), Int(Int16.max))
        if !congested { slowStartThreshold = peerWindow }
        congestionWindow = min(congestionWindow, peerWindow)
    }

    /// Sends what the window allows, and an acknowledgement where one is due that nothing carries.
    mutating func transmit(at now: Instant, into output: inout [[UInt8]]) {
        let window = min(congestionWindow, peerWindow)
        while outstanding < window, outstanding < queue.count {
            let entry = queue[outstanding]
            let number = peerNr &+ UInt16(truncatingIfNeeded: outstanding)
            let header = ControlHeader(tunnelID: peerTunnelID, sessionID: entry.sessionID, ns: number, nr: nr)
            outstanding += 1
            // `AttributeWriter` made sure that every body fits.
            guard let datagram = header.encode(body: entry.body) else { continue }
            if number == ns {
                ns &+= 1
                revision &+= 1
            } else {
                counters.retransmits += 1
            }
            count(sent: datagram)
            output.append(datagram)
            acknowledged()
            if retransmitAt == nil { retransmitAt = now + settings.interval(afterRetries: retries) }
        }
        if acknowledgeNow || unacknowledged >= 2 { sendAcknowledgement(into: &output) }
    }

    private mutating func sendAcknowledgement(into output: inout [[UInt8]]) {
        let header = ControlHeader(tunnelID: peerTunnelID, sessionID: 0, ns: ns, nr: nr)
        guard let datagram = header.encode(body: EmptyCollection()) else { return }
        counters.zlbsSent += 1
        count(sent: datagram)
        output.append(datagram)
        acknowledged()
    }

    private mutating func acknowledged() {
        acknowledgeAt = nil
        acknowledgeNow = false
        unacknowledged = 0
    }

    private mutating func count(sent datagram: [UInt8]) {
        counters.packetsSent += 1
        counters.bytesSent += UInt64(datagram.count)
    }

    /// The next `transmit` acknowledges what was received, and does not wait for a message to do it.
    mutating func hastenAcknowledgement() { acknowledgeNow = acknowledgeNow || unacknowledged > 0 }

    // MARK: Receiving

    /// Takes a datagram's header and body. What it brought in order is then had from `nextMessage`.
    mutating func receive(_ header: ControlHeader, body: ArraySlice<UInt8>, at now: Instant) -> Reception {
        counters.packetsReceived += 1
        counters.bytesReceived += UInt64(ControlHeader.length + body.count)
        if let alternative, !body.isEmpty, header.ns == alternative.nr, header.nr == alternative.ns {
            renumber(to: alternative)
        }
        guard takeAcknowledgement(header.nr, at: now) else {
            counters.outOfSequence += 1
            return .badAcknowledgement
        }
        guard !body.isEmpty else {
            counters.zlbsReceived += 1
            // Of what the peer has said nothing is under way. A message says less: it may be an old one, and others came after it. So
            // does an acknowledgement that was overtaken.
            if header.ns == nr, header.nr == peerNr { settling.removeAll() }
            return .acknowledgement
        }
        peerNs = header.ns
        let ahead = Int(Int16(bitPattern: header.ns &- nr))
        guard ahead >= 0 else {
            // Our acknowledgement was lost, or is late: say it again.
            counters.duplicates += 1
            acknowledgeNow = true
            return .duplicate
        }
        guard ahead < Int(settings.receiveWindow), queue.count < Self.queueLimit else {
            counters.outOfSequence += 1
            return .outOfWindow
        }
        guard received[header.ns] == nil else {
            counters.duplicates += 1
            acknowledgeNow = true
            return .duplicate
        }
        received[header.ns] = Entry(sessionID: header.sessionID, body: Array(body))
        if ahead > 0 { acknowledgeNow = true }
        alternative = nil
        return .accepted
    }

    /// The next message in order, now acknowledged; nil when it has not arrived.
    mutating func nextMessage(at now: Instant) -> (sessionID: UInt16, body: [UInt8])? {
        guard let message = received.removeValue(forKey: nr) else { return nil }
        nr &+= 1
        revision &+= 1
        unacknowledged += 1
        if acknowledgeAt == nil { acknowledgeAt = now + settings.acknowledgementDelay }
        return (message.sessionID, message.body)
    }

    /// False when the peer acknowledges what was never sent.
    private mutating func takeAcknowledgement(_ number: UInt16, at now: Instant) -> Bool {
        let acknowledged = Int(number &- peerNr)
        guard acknowledged <= Int(ns &- peerNr) else {
            // Behind what it acknowledged before: an older datagram that was overtaken.
            return Int16(bitPattern: number &- peerNr) < 0
        }
        guard acknowledged > 0 else { return true }
        for _ in 0..<min(acknowledged, queue.count) {
            let ends = queue.removeFirst().ends
            if ends != 0, ending.remove(ends) != nil { settling[ends] = now + settings.fullCycle }
        }
        peerNr = number
        outstanding = max(0, outstanding - acknowledged)
        retries = 0
        openWindow(acknowledged)
        retransmitAt = outstanding > 0 ? now + settings.interval(afterRetries: 0) : nil
        return true
    }

    /// Appendix A: one more for each acknowledged message up to the threshold, then one more for each full window.
    private mutating func openWindow(_ acknowledged: Int) {
        var left = acknowledged
        if congestionWindow < slowStartThreshold {
            let step = min(left, slowStartThreshold - congestionWindow)
            congestionWindow += step
            left -= step
        }
        guard congestionWindow < peerWindow else {
            congestionWindow = peerWindow
            congestionAcknowledgements = 0
            return
        }
        congestionAcknowledgements += left
        while congestionAcknowledgements >= congestionWindow, congestionWindow < peerWindow {
            congestionAcknowledgements -= congestionWindow
            congestionWindow += 1
        }
    }

    // MARK: Ids of sessions that have ended

    /// Whether the peer may still speak of the session that had this id: until it has acknowledged the message that ended it, and
    /// what it had said before has arrived. A new session with the id would take an old one's answer for its own.
    func isResting(_ id: UInt16, at now: Instant) -> Bool {
        ending.contains(id) || settling[id].map { now < $0 } ?? false
    }

    // MARK: Time

    /// Acts on deadlines that have passed. False when the peer has left a message unanswered for the last time.
    mutating func timerFired(at now: Instant) -> Bool {
        if let acknowledgeAt, acknowledgeAt <= now { acknowledgeNow = true }
        guard let due = retransmitAt, due <= now else { return true }
        retransmitAt = nil
        guard retries < settings.maxRetries else { return false }
        retries += 1
        // Appendix A: half of the congestion window becomes the threshold, and slow start begins anew.
        slowStartThreshold = max(1, congestionWindow / 2)
        congestionWindow = 1
        congestionAcknowledgements = 0
        congested = true
        outstanding = 0
        return true
    }

    /// Stops sending: what is queued is forgotten, and no retransmission is due. Duplicates are still acknowledged.
    mutating func stopSending() {
        queue.removeAll()
        peerNr = ns
        outstanding = 0
        retransmitAt = nil
    }

    /// Messages that the peer has not acknowledged.
    var unacknowledgedMessages: some Sequence<TunnelCheckpoint.Message> {
        queue.lazy.map { TunnelCheckpoint.Message(sessionID: $0.sessionID, body: $0.body, ends: $0.ends) }
    }

    /// After `timerFired` has said that the peer does not answer: asks it on, at the longest interval.
    mutating func keepTrying() { outstanding = 0 }

    // MARK: Starting anew

    /// Begins again with these numbers (RFC 4951): what was queued and what came early is of before, and is forgotten but for what
    /// `isKept` names. Until the peer's first message has come, one with the numbers of `alternative` shows that the peer has begun
    /// with these.
    mutating func reset(
        to sequence: ControlSequence, or alternative: ControlSequence?, keeping isKept: (_ body: [UInt8]) -> Bool
    ) {
        queue.removeAll { !isKept($0.body) }
        received.removeAll()
        retries = 0
        congestionWindow = 1
        slowStartThreshold = peerWindow
        congestionAcknowledgements = 0
        congested = false
        acknowledged()
        renumber(to: sequence)
        self.alternative = alternative == sequence ? nil : alternative
    }

    /// Gives what is queued the numbers from `sequence` on.
    private mutating func renumber(to sequence: ControlSequence) {
        (ns, nr, peerNr, peerNs) = (sequence.ns, sequence.nr, sequence.ns, sequence.nr)
        outstanding = 0
        retransmitAt = nil
        alternative = nil
    }

    /// Bodies of messages that the peer has not acknowledged.
    var unacknowledgedBodies: some Sequence<[UInt8]> { queue.lazy.map(\.body) }

    /// Goes on where the channel of an earlier process was: nothing is on its way as far as is known, so that all that is queued is
    /// sent, under the numbers that it had.
    mutating func restore(_ checkpoint: TunnelCheckpoint) {
        peerTunnelID = checkpoint.peerTunnelID
        ns = checkpoint.ns
        nr = checkpoint.nr
        peerNr = checkpoint.peerNr
        queue = Deque(checkpoint.queue.map { Entry(sessionID: $0.sessionID, body: $0.body, ends: $0.ends) })
        ending = Set(queue.lazy.map(\.ends).filter { $0 != 0 })
        // Numbers that were given and whose messages are not there could never be sent again.
        if Int(ns &- peerNr) > queue.count { peerNr = ns &- UInt16(truncatingIfNeeded: queue.count) }
        revision &+= 1
    }

    /// Octets of the messages that wait for the peer, or for those before them.
    var memoryOctets: Int {
        queue.reduce(0) { $0 + $1.body.capacity + MemoryLayout<Entry>.stride }
            + received.values.reduce(0) { $0 + $1.body.capacity + MemoryLayout<Entry>.stride }
    }

    // MARK: Counting

    mutating func countHelloSent() { counters.hellosSent += 1 }
    mutating func countHelloReceived() { counters.hellosReceived += 1 }
    mutating func countFailure(of datagram: ArraySlice<UInt8>, isHello: Bool) {
        if datagram.count <= ControlHeader.length {
            counters.zlbSendFailures += 1
        } else if isHello {
            counters.helloSendFailures += 1
        }
    }
}
