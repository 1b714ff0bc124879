import Timing

/// One end of LCP (RFC 1661) on a link whose lower layer is up: option negotiation, restart timer and counters,
/// loop detection, echo and termination around `LCPAutomaton`.
///
/// It asks the peer for authentication and never authenticates itself, which suits a LAC: options that would bind
/// whoever takes the link over later (Quality-Protocol, compression of the PPP header, which RFC 2516 section 7 discourages
/// or forbids anyway, and all unknown ones) are rejected.
public struct LCPEndpoint: Sendable {
    /// What to negotiate and how patiently.
    public struct Configuration: Sendable {
        /// Our MRU, and the largest that the peer may have, in octets: what the link below carries.
        public var maximumReceiveUnit: UInt16
        /// Protocols by which the peer may authenticate itself, the best first; empty: it need not.
        public var authentication: [AuthenticationProtocol]
        /// Random number from which magic numbers are drawn.
        public var magicSeed: UInt64
        /// Time to wait for an answer before a request is sent again (RFC 1661 section 4.6).
        public var restartInterval = Duration.seconds(3)
        /// Configure-Requests sent without answer before giving up (Max-Configure).
        public var maxConfigure = 10
        /// Terminate-Requests sent without answer before giving up (Max-Terminate).
        public var maxTerminate = 2
        /// Configure-Naks sent before options that still do not suit are rejected (Max-Failure).
        public var maxFailure = 5

        /// A configuration with the timers and counters that RFC 1661 recommends.
        public init(maximumReceiveUnit: UInt16, authentication: [AuthenticationProtocol], magicSeed: UInt64) {
            self.maximumReceiveUnit = maximumReceiveUnit
            self.authentication = authentication
            self.magicSeed = magicSeed
        }
    }

    /// Why LCP gave up.
    public enum Failure: Hashable, Sendable {
        /// Max-Configure requests without an answer.
        case timeout
        /// The peer refuses every authentication protocol that we offer, or authentication altogether.
        case authenticationRefused
        /// Our own magic number keeps coming back (RFC 1661 section 6.4).
        case loopedBack
        /// The peer answers every request with a counter-proposal.
        case noConvergence
        /// The peer rejects LCP itself or one of its indispensable codes.
        case lcpRejected
    }

    /// What to do, in order.
    public enum Output: Hashable, Sendable {
        /// Send this packet with protocol 0xc021.
        case send(ControlPacket)
        /// The link is open: both requests have been acknowledged.
        case up
        /// The link is open no more.
        case down
        /// The peer asked to terminate, with these octets of data; the acknowledgement is among the outputs.
        case terminatedByPeer([UInt8])
        /// The peer rejects this protocol.
        case protocolRejected(PPPProtocol)
        /// Negotiation has failed; LCP closes.
        case failed(Failure)
        /// LCP needs the link no more.
        case finished
    }

    /// Smallest MRU that is taken from a peer, in octets. A smaller one could not carry a Configure packet.
    static let minimumMRU: UInt16 = 128
    /// How often our own magic number may come back before the link counts as looped.
    static let maxLoops = 5

    let configuration: Configuration
    /// The state of the automaton.
    public private(set) var state = LCPAutomaton.State.initial
    /// When `timerFired(at:)` is due; nil: the restart timer is stopped.
    public private(set) var deadline: Instant?
    /// Largest LCP packet and, in general, information field that the peer takes, in octets.
    public private(set) var peerMRU: Int
    /// Options of our last Configure-Request, encoded.
    public private(set) var lastSentRequest: [UInt8] = []
    /// Options of the first Configure-Request that came, encoded.
    public private(set) var firstReceivedRequest: [UInt8]?
    /// Options of the last Configure-Request that we acknowledged, encoded.
    public private(set) var lastReceivedRequest: [UInt8] = []

    var proposal: LCPProposal
    var magic: MagicNumbers
    private var restartCount = 0
    private var identifier: UInt8 = 0
    /// Identifier of our Configure-Request that has no answer yet. A second answer to the same one is a duplicate.
    private var awaited: UInt8?
    var naksSent = 0
    private var naksReceived = 0
    private var loops = 0

    /// An endpoint in the Initial state.
    public init(_ configuration: Configuration) {
        self.configuration = configuration
        magic = MagicNumbers(seed: configuration.magicSeed)
        proposal = LCPProposal(configuration, magicNumber: magic.next())
        peerMRU = Int(min(1500, configuration.maximumReceiveUnit))
    }

    /// The protocol by which the peer has agreed to authenticate itself; meaningful once the link is open.
    public var agreedAuthentication: AuthenticationProtocol? { proposal.authentication }

    /// Open and Up: starts to negotiate.
    public mutating func open(at now: Instant) -> [Output] {
        var outputs: [Output] = []
        apply(.open, at: now, to: &outputs)
        apply(.up, at: now, to: &outputs)
        return outputs
    }

    /// Close: terminates the link, with Terminate-Requests where the peer has heard from us.
    public mutating func close(at now: Instant) -> [Output] {
        var outputs: [Output] = []
        apply(.close, at: now, to: &outputs)
        return outputs
    }

    /// To be called once `deadline` has come; calls before that do nothing.
    public mutating func timerFired(at now: Instant) -> [Output] {
        guard let deadline, deadline <= now else { return [] }
        var outputs: [Output] = []
        if restartCount > 0 {
            apply(.timeout, at: now, to: &outputs)
        } else {
            if state != .closing, state != .stopping { outputs.append(.failed(.timeout)) }
            apply(.lastTimeout, at: now, to: &outputs)
        }
        return outputs
    }

    /// Takes a packet of protocol 0xc021. One that RFC 1661 says to discard silently has no outputs.
    public mutating func receive(_ packet: ControlPacket, at now: Instant) -> [Output] {
        var outputs: [Output] = []
        guard state != .initial, state != .starting else { return outputs }
        switch LCPCode(rawValue: packet.code) {
        case .configureRequest: receive(request: packet, at: now, to: &outputs)
        case .configureAck:
            guard packet.identifier == awaited, packet.data == lastSentRequest else { break }
            awaited = nil
            apply(.configureAck, at: now, received: packet, to: &outputs)
        case .configureNak, .configureReject: receive(refusal: packet, at: now, to: &outputs)
        case .terminateRequest:
            if state == .opened || state.hasRestartTimer, state != .closing, state != .stopping {
                outputs.append(.terminatedByPeer(packet.data))
            }
            apply(.terminateRequest, at: now, received: packet, to: &outputs)
        case .terminateAck: apply(.terminateAck, at: now, received: packet, to: &outputs)
        case .codeReject:
            guard let code = packet.data.first else { break }
            // Without Configure, Terminate and Code-Reject there is no LCP; the rest can be done without.
            reject(isCatastrophic: (1...7).contains(code), at: now, to: &outputs)
        case .protocolReject:
            guard state == .opened, let proto = AuthenticationProtocol.number(in: packet.data) else { break }
            if proto != .lcp { outputs.append(.protocolRejected(proto)) }
            reject(isCatastrophic: proto == .lcp, at: now, to: &outputs)
        case .echoRequest:
            guard packet.data.count >= 4 else { break }
            if isLooped(packet) {
                countLoop(at: now, to: &outputs)
            } else {
                apply(.echo, at: now, received: packet, to: &outputs)
            }
        case .echoReply, .discardRequest, .identification, .timeRemaining: break
        case nil: apply(.unknownCode, at: now, received: packet, to: &outputs)
        }
        return outputs
    }

    /// Protocol-Reject for a frame whose protocol we do not speak; nothing unless the link is open (RFC 1661 section 5.7).
    public mutating func reject(_ frame: PPPFrame) -> [Output] {
        guard state == .opened else { return [] }
        return [.send(packet(.protocolReject, identifier: nextIdentifier(), frame.encoded()))]
    }
}

extension LCPEndpoint {
    private mutating func receive(request: ControlPacket, at now: Instant, to outputs: inout [Output]) {
        guard let options = try? LCPOption.list(parsing: request.data[...]) else { return }
        if firstReceivedRequest == nil { firstReceivedRequest = request.data }
        let verdict = judge(options)
        if case .loop = verdict, countLoop(at: now, to: &outputs) { return }
        apply(
            verdict == .acknowledge ? .goodConfigureRequest : .badConfigureRequest, at: now, received: request,
            verdict: verdict, to: &outputs)
    }

    /// Whether an Echo-Request is our own that came back: it has the Magic-Number that we negotiated (RFC 1661 section 6.4). It
    /// gets no answer, which would come back as well.
    private func isLooped(_ echo: ControlPacket) -> Bool {
        guard state == .opened, let own = proposal.magicNumber else { return false }
        return echo.data.starts(with: LCPOption.magicNumber(own).encoded.dropFirst(2))
    }

    /// Counts our own number that came back. True when it has come too often and LCP has given up.
    @discardableResult
    private mutating func countLoop(at now: Instant, to outputs: inout [Output]) -> Bool {
        loops += 1
        guard loops >= Self.maxLoops else { return false }
        fail(.loopedBack, at: now, to: &outputs)
        return true
    }

    private mutating func receive(refusal: ControlPacket, at now: Instant, to outputs: inout [Output]) {
        guard refusal.identifier == awaited, !refusal.data.isEmpty,
            let options = try? LCPOption.list(parsing: refusal.data[...])
        else { return }
        if refusal.code == LCPCode.configureReject.rawValue {
            // A reject returns options exactly as they were sent (RFC 1661 section 5.4).
            guard options.allSatisfy(proposal.options.contains) else { return }
        }
        awaited = nil
        naksReceived += 1
        guard naksReceived <= configuration.maxConfigure else { return fail(.noConvergence, at: now, to: &outputs) }
        let agreeable =
            refusal.code == LCPCode.configureNak.rawValue
            ? proposal.amend(byNak: options, freshMagicNumber: magic.next()) : proposal.withdraw(options)
        guard agreeable else { return fail(.authenticationRefused, at: now, to: &outputs) }
        apply(.configureNakOrReject, at: now, received: refusal, to: &outputs)
    }

    private mutating func reject(isCatastrophic: Bool, at now: Instant, to outputs: inout [Output]) {
        if isCatastrophic { outputs.append(.failed(.lcpRejected)) }
        apply(isCatastrophic ? .catastrophicReject : .permittedReject, at: now, to: &outputs)
    }

    private mutating func fail(_ failure: Failure, at now: Instant, to outputs: inout [Output]) {
        outputs.append(.failed(failure))
        apply(.close, at: now, to: &outputs)
    }

    /// Carries out the actions of `event`. `received` is the packet that caused it, `verdict` what a Configure-Request
    /// deserves.
    private mutating func apply(
        _ event: LCPAutomaton.Event, at now: Instant, received: ControlPacket? = nil, verdict: Verdict = .acknowledge,
        to outputs: inout [Output]
    ) {
        guard let transition = LCPAutomaton.transition(from: state, on: event) else { return }
        let answered = received ?? ControlPacket(code: 0, identifier: 0)
        for action in transition.actions {
            switch action {
            case .thisLayerUp:
                (naksSent, naksReceived, loops) = (0, 0, 0)
                outputs.append(.up)
            case .thisLayerDown: outputs.append(.down)
            case .thisLayerStarted: break  // PPPoE is up already
            case .thisLayerFinished: outputs.append(.finished)
            case .initializeRestartCount:
                let terminates = transition.next == .closing || transition.next == .stopping
                restartCount = terminates ? configuration.maxTerminate : configuration.maxConfigure
            case .zeroRestartCount:
                restartCount = 0
                deadline = now + configuration.restartInterval
            case .sendConfigureRequest:
                lastSentRequest = proposal.options.encoded
                let identifier = nextIdentifier()
                awaited = identifier
                startTimer(at: now)
                outputs.append(.send(packet(.configureRequest, identifier: identifier, lastSentRequest)))
            case .sendTerminateRequest:
                awaited = nil
                startTimer(at: now)
                outputs.append(.send(packet(.terminateRequest, identifier: nextIdentifier(), [])))
            case .sendConfigureAck:
                lastReceivedRequest = answered.data
                let options = (try? LCPOption.list(parsing: answered.data[...])) ?? []
                peerMRU = Int(mru(in: options) ?? min(1500, configuration.maximumReceiveUnit))
                naksSent = 0
                outputs.append(.send(packet(.configureAck, identifier: answered.identifier, answered.data)))
            case .sendConfigureNakOrReject:
                let (code, options) = verdict.refusal
                if code == .configureNak { naksSent += 1 }
                outputs.append(.send(packet(code, identifier: answered.identifier, options.encoded)))
            case .sendTerminateAck:
                outputs.append(.send(packet(.terminateAck, identifier: answered.identifier, [])))
            case .sendCodeReject:
                outputs.append(.send(packet(.codeReject, identifier: nextIdentifier(), answered.encoded())))
            case .sendEchoReply:
                let own = proposal.magicNumber.map { LCPOption.magicNumber($0).encoded.dropFirst(2) } ?? [0, 0, 0, 0]
                outputs.append(
                    .send(packet(.echoReply, identifier: answered.identifier, own + answered.data.dropFirst(4))))
            }
        }
        state = transition.next
        if !state.hasRestartTimer { deadline = nil }
    }

    private mutating func startTimer(at now: Instant) {
        restartCount -= 1
        deadline = now + configuration.restartInterval
    }

    private mutating func nextIdentifier() -> UInt8 {
        identifier &+= 1
        return identifier
    }

    /// A packet that is no larger than the peer takes. Only echoes and rejects, which carry what the peer sent, can
    /// be that large; they may be cut (RFC 1661 sections 5.6 to 5.8).
    private func packet(_ code: LCPCode, identifier: UInt8, _ data: some Sequence<UInt8>) -> ControlPacket {
        let isCut = [.echoReply, .codeReject, .protocolReject].contains(code)
        let data = isCut ? Array(data.prefix(max(peerMRU - 4, 0))) : Array(data)
        return ControlPacket(code: code.rawValue, identifier: identifier, data: data)
    }

    private func mru(in options: [LCPOption]) -> UInt16? {
        for case .maximumReceiveUnit(let octets) in options.reversed() { return octets }
        return nil
    }
}

extension AuthenticationProtocol {
    /// The protocol number at the start of a Protocol-Reject's data.
    fileprivate static func number(in data: [UInt8]) -> PPPProtocol? {
        guard let high = data.first, let low = data.dropFirst().first else { return nil }
        return PPPProtocol(rawValue: UInt16(high) << 8 | UInt16(low))
    }
}
