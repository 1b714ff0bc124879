import Timing

/// A LAC's partial termination of a client's PPP: LCP, then PAP, CHAP or EAP up to the point where the client has said who it
/// is (RFC 2661 section 3, "proxy LCP"; JUNOSe's "order of events" at the LAC).
///
/// The LAC does not verify the password; the LNS will. What was learned goes to it as `ProxyData`. Until the
/// session's frames are forwarded, the machine keeps answering the client: echoes are answered, a PAP request, CHAP or EAP
/// response that is sent again is taken note of, network protocols are ignored as RFC 1661 section 3.5 wants it, so that
/// the client does not take them for refused when the LNS is there.
public struct PartialTermination: Sendable {
    /// What to negotiate and how patiently.
    public struct Configuration: Sendable {
        /// Protocols to offer, the best first: `.eap`, `.chapMD5`, `.pap`; others are never agreed to. Empty: the client is
        /// not asked who it is, and is identified as nobody once LCP is open.
        public var authentication: [AuthenticationProtocol]
        /// Largest PPP payload of the link in octets, from PPPoE discovery: our MRU and the client's largest.
        public var maxPayload: UInt16
        /// 64 random bits.
        public var magicSeed: UInt64
        /// What CHAP challenges are drawn from; nobody must be able to foresee it.
        public var random: any RandomNumberGenerator & Sendable
        /// Name in the CHAP challenge.
        public var challengeName: String
        /// Time for which the client may speak first. Linux's pppd drops what comes in the milliseconds between PADS and
        /// its own first Configure-Request; one sent into that gap would cost it `restartInterval`. Zero: no wait.
        public var startDelay = Duration.milliseconds(500)
        /// Time to wait before a Configure-Request, Terminate-Request, Challenge or EAP request is sent again.
        public var restartInterval = Duration.seconds(3)
        /// Configure-Requests, Challenges and EAP requests sent without an answer before giving up.
        public var maxConfigure = 10
        /// Terminate-Requests sent without an answer before giving up.
        public var maxTerminate = 2
        /// Configure-Naks sent before rejecting.
        public var maxFailure = 5
        /// Time from `start(at:)` within which the client has to be identified, however busy it keeps us.
        public var establishTimeout = Duration.seconds(60)

        /// A configuration with the timers and counters that RFC 1661 recommends.
        public init(
            authentication: [AuthenticationProtocol], maxPayload: UInt16, magicSeed: UInt64,
            random: any RandomNumberGenerator & Sendable, challengeName: String
        ) {
            self.authentication = authentication
            self.maxPayload = maxPayload
            self.magicSeed = magicSeed
            self.random = random
            self.challengeName = challengeName
        }
    }

    /// Why the client could not be identified, or is gone.
    public enum Failure: Hashable, Sendable {
        /// The client sent an LCP Terminate-Request, with this text.
        case terminatedByClient(String)
        /// LCP did not come up.
        case negotiation(LCPEndpoint.Failure)
        /// LCP came up, but the client did not authenticate itself in time.
        case authenticationTimeout
        /// The client kept negotiating until the time for it was over.
        case establishTimeout
        /// The client rejects the authentication protocol that it had agreed to.
        case authenticationRejected
        /// The client gave an empty user name.
        case userNameMissing
        /// The client started LCP anew after it had been identified.
        case renegotiated
    }

    /// What to do, in order.
    public enum Output: Hashable, Sendable {
        /// Send this frame to the client.
        case send(PPPFrame)
        /// The client has said who it is; find it an LNS. At most once.
        case identified(ProxyData)
        /// It will not work out; frames to say so to the client are among the outputs. At most once, also after
        /// `identified`, but not after `reject(message:at:)`.
        case failed(Failure)
        /// The client has acknowledged the end, or has had time enough to. At most once, and the last output. Whoever
        /// does not want to wait may send PADT right after `failed`.
        case closed
    }

    enum Phase: Hashable, Sendable {
        case waiting(until: Instant)
        case establish
        case authenticate(AuthenticationProtocol)
        case identified
        case terminating
        case closed
    }

    var configuration: Configuration
    var phase = Phase.establish
    var lcp: LCPEndpoint
    /// When the client has to be identified by.
    private var establishDeadline = Instant.distantFuture
    /// When the challenge or EAP request is to be sent again, or the wait for a PAP request ends.
    var authenticationDeadline: Instant?
    /// How often the challenge or EAP request may still be sent; 0 with PAP, where the client asks.
    var requestsLeft = 0
    var requestIdentifier: UInt8 = 0
    /// The Value of the CHAP challenge that is out.
    var challenge: [UInt8] = []
    /// Names and secrets as the client gave them; kept up to date, since clients number a PAP request that they repeat
    /// anew. To be read when ICCN is sent.
    public internal(set) var proxyData: ProxyData?
    /// Whether the client has left the Terminate-Request unanswered.
    public private(set) var endedInSilence = false
    /// Frames that were neither understood nor of a protocol of this phase.
    public private(set) var discardedFrames: UInt64 = 0

    /// A machine that waits for `start(at:)`.
    public init(_ configuration: Configuration) {
        self.configuration = configuration
        var lcpConfiguration = LCPEndpoint.Configuration(
            maximumReceiveUnit: configuration.maxPayload,
            authentication: configuration.authentication.filter { [.pap, .chapMD5, .eap].contains($0) },
            magicSeed: configuration.magicSeed)
        lcpConfiguration.restartInterval = configuration.restartInterval
        lcpConfiguration.maxConfigure = configuration.maxConfigure
        lcpConfiguration.maxTerminate = configuration.maxTerminate
        lcpConfiguration.maxFailure = configuration.maxFailure
        lcp = LCPEndpoint(lcpConfiguration)
    }

    /// When `timerFired(at:)` is due; nil: never.
    public var deadline: Instant? {
        switch phase {
        case .waiting(let start): start
        case .establish, .authenticate:
            [lcp.deadline, authenticationDeadline, establishDeadline].compactMap { $0 }.min()
        case .identified, .terminating: lcp.deadline
        case .closed: nil
        }
    }

    /// To be called right after PADS. Negotiation starts with the client's first frame or after `startDelay`.
    public mutating func start(at now: Instant) -> [Output] {
        establishDeadline = now + configuration.establishTimeout
        phase = .waiting(until: now + configuration.startDelay)
        return configuration.startDelay > .zero ? [] : open(at: now)
    }

    private mutating func open(at now: Instant) -> [Output] {
        var outputs: [Output] = []
        phase = .establish
        perform(lcp.open(at: now), at: now, to: &outputs)
        return outputs
    }

    /// Takes a frame from the client: the octets of the PPPoE payload, as many as the PPPoE length says.
    public mutating func receive(_ bytes: ArraySlice<UInt8>, at now: Instant) -> [Output] {
        var outputs: [Output] = []
        guard phase != .closed, let frame = try? PPPFrame(parsing: bytes) else {
            discardedFrames += 1
            return outputs
        }
        if case .waiting = phase { outputs = open(at: now) }
        switch frame.proto {
        case .lcp:
            guard let packet = try? ControlPacket(parsing: frame.information[...]) else {
                discardedFrames += 1
                break
            }
            perform(lcp.receive(packet, at: now), at: now, to: &outputs)
        case _ where speaks(frame.proto):
            guard lcp.state == .opened, let packet = try? ControlPacket(parsing: frame.information[...]),
                authenticate(frame.proto, packet, at: now, to: &outputs)
            else {
                discardedFrames += 1
                break
            }
        default:
            discardedFrames += 1
            if frame.proto.isLinkControl { perform(lcp.reject(frame), at: now, to: &outputs) }
        }
        return outputs
    }

    /// To be called once `deadline` has come; calls before that do nothing.
    public mutating func timerFired(at now: Instant) -> [Output] {
        var outputs: [Output] = []
        guard phase != .closed else { return outputs }
        if case .waiting(let start) = phase { return start <= now ? open(at: now) : outputs }
        let wasTerminating = phase == .terminating
        perform(lcp.timerFired(at: now), at: now, to: &outputs)
        if wasTerminating, phase == .closed { endedInSilence = true }
        if let due = authenticationDeadline, due <= now {
            if requestsLeft > 0 {
                sendAuthenticationRequest(at: now, to: &outputs)
            } else {
                fail(.authenticationTimeout, at: now, to: &outputs)
            }
        }
        switch phase {
        case .establish, .authenticate:
            if establishDeadline <= now { fail(.establishTimeout, at: now, to: &outputs) }
        case .waiting, .identified, .terminating, .closed: break
        }
        return outputs
    }

    /// Tells the client that it cannot be served: CHAP Failure or PAP Nak with `message`, or EAP Failure, where it has
    /// authenticated itself, then Terminate-Request. `closed` follows. To be used instead of, not after, forwarding.
    public mutating func reject(message: String, at now: Instant) -> [Output] {
        var outputs: [Output] = []
        guard phase != .closed, phase != .terminating else { return outputs }
        if phase == .identified, let proxyData {
            switch proxyData.authenType {
            case .chap:
                let packet = CHAP.failure(identifier: proxyData.authenID, message: message)
                outputs.append(.send(PPPFrame(.chap, packet.encoded())))
            case .pap:
                let packet = PAP.nak(identifier: proxyData.authenID, message: message)
                outputs.append(.send(PPPFrame(.pap, packet.encoded())))
            case .eap:
                let packet = EAP.failure(identifier: proxyData.authenID)
                outputs.append(.send(PPPFrame(.eap, packet.encoded())))
            case .none, .textual, .msCHAPv1: break
            }
        }
        terminate(at: now, to: &outputs)
        return outputs
    }
}

extension PartialTermination {
    private mutating func perform(_ actions: [LCPEndpoint.Output], at now: Instant, to outputs: inout [Output]) {
        var failure: Failure?
        var isFinished = false
        for action in actions {
            switch action {
            case .send(let packet): outputs.append(.send(PPPFrame(.lcp, packet.encoded())))
            case .up: startAuthentication(at: now, to: &outputs)
            case .down:
                authenticationDeadline = nil
                if case .authenticate = phase { phase = .establish }
                // A termination has said its reason before; LCP that merely starts again has forgotten who it was.
                if phase == .identified { failure = failure ?? .renegotiated }
            case .terminatedByPeer(let text):
                failure = .terminatedByClient(String(decoding: text, as: UTF8.self))
            case .protocolRejected(let proto):
                if case .authenticate(let agreed) = phase, proto == agreed.proto { failure = .authenticationRejected }
            case .failed(let reason): failure = .negotiation(reason)
            case .finished: isFinished = true
            }
        }
        // Last, so that LCP's own answers go out before what ends it.
        if let failure { fail(failure, at: now, to: &outputs) }
        if isFinished { close(to: &outputs) }
    }

    private mutating func fail(_ failure: Failure, at now: Instant, to outputs: inout [Output]) {
        guard phase != .terminating, phase != .closed else { return }
        outputs.append(.failed(failure))
        terminate(at: now, to: &outputs)
    }

    private mutating func terminate(at now: Instant, to outputs: inout [Output]) {
        phase = .terminating
        authenticationDeadline = nil
        switch lcp.state {
        case .closing, .stopping: break  // already on its way
        case .initial, .starting, .closed, .stopped: close(to: &outputs)
        case .requestSent, .ackReceived, .ackSent, .opened: perform(lcp.close(at: now), at: now, to: &outputs)
        }
    }

    private mutating func close(to outputs: inout [Output]) {
        guard phase != .closed else { return }
        phase = .closed
        authenticationDeadline = nil
        outputs.append(.closed)
    }
}
