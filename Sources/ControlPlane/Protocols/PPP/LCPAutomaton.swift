/// The state machine of RFC 1661 section 4: which actions an event has in a state, and the state that follows.
///
/// It knows neither packets nor time. `LCPEndpoint` turns packets and expired timers into events and carries the actions
/// out. NCPs have the same machine.
public enum LCPAutomaton {
    /// States, in the order and with the numbers of section 4.1.
    public enum State: Int, Sendable, CaseIterable {
        /// Lower layer down, no Open yet.
        case initial
        /// Open, lower layer still down.
        case starting
        /// Lower layer up, no Open.
        case closed
        /// Open, but nothing goes on: the peer is expected to start.
        case stopped
        /// Terminate-Request sent after Close.
        case closing
        /// Terminate-Request sent or answered, Open still wanted.
        case stopping
        /// Configure-Request sent, nothing agreed.
        case requestSent
        /// Our request has been acknowledged.
        case ackReceived
        /// The peer's request has been acknowledged.
        case ackSent
        /// Both are.
        case opened

        /// Whether the restart timer runs: from Closing to Ack-Sent.
        public var hasRestartTimer: Bool { rawValue >= State.closing.rawValue && self != .opened }
    }

    /// Events of section 4.3.
    public enum Event: Sendable, CaseIterable {
        /// The lower layer is ready.
        case up
        /// The lower layer is gone.
        case down
        /// The link is wanted.
        case open
        /// The link is not wanted any more.
        case close
        /// TO+: the restart timer expired and the restart counter is above zero.
        case timeout
        /// TO-: the restart timer expired and the restart counter is zero.
        case lastTimeout
        /// RCR+: an acceptable Configure-Request.
        case goodConfigureRequest
        /// RCR-: an unacceptable Configure-Request.
        case badConfigureRequest
        /// RCA: a Configure-Ack.
        case configureAck
        /// RCN: a Configure-Nak or Configure-Reject.
        case configureNakOrReject
        /// RTR: a Terminate-Request.
        case terminateRequest
        /// RTA: a Terminate-Ack.
        case terminateAck
        /// RUC: a packet of unknown code.
        case unknownCode
        /// RXJ+: a Code-Reject or Protocol-Reject that can be lived with.
        case permittedReject
        /// RXJ-: a Code-Reject or Protocol-Reject of something indispensable.
        case catastrophicReject
        /// RXR: an Echo-Request, Echo-Reply or Discard-Request.
        case echo
    }

    /// Actions of section 4.4.
    public enum Action: Sendable, CaseIterable {
        /// tlu: tell the upper layers that the link is open.
        case thisLayerUp
        /// tld: tell them that it is open no more.
        case thisLayerDown
        /// tls: tell the lower layer that it is needed.
        case thisLayerStarted
        /// tlf: tell it that it is not.
        case thisLayerFinished
        /// irc: set the restart counter to Max-Configure or Max-Terminate.
        case initializeRestartCount
        /// zrc: set it to zero, and wait one period of the restart timer.
        case zeroRestartCount
        /// scr
        case sendConfigureRequest
        /// sca
        case sendConfigureAck
        /// scn: a Configure-Nak or a Configure-Reject.
        case sendConfigureNakOrReject
        /// str
        case sendTerminateRequest
        /// sta
        case sendTerminateAck
        /// scj
        case sendCodeReject
        /// ser: answer an Echo-Request.
        case sendEchoReply
    }

    /// What an event does.
    public typealias Transition = (actions: [Action], next: State)

    /// The table of section 4.1; nil where it has a dash: the event cannot happen in that state, or means nothing there.
    /// The restart option [r] is not taken, nor the passive one [p].
    public static func transition(from state: State, on event: Event) -> Transition? {
        switch event {
        case .up: up(state)
        case .down: down(state)
        case .open: open(state)
        case .close: close(state)
        case .timeout: timeout(state)
        case .lastTimeout: lastTimeout(state)
        default: state.rawValue < State.closed.rawValue ? nil : received(event, in: state)
        }
    }

    private static func up(_ state: State) -> Transition? {
        switch state {
        case .initial: ([], .closed)
        case .starting: ([.initializeRestartCount, .sendConfigureRequest], .requestSent)
        default: nil
        }
    }

    private static func down(_ state: State) -> Transition? {
        switch state {
        case .initial, .starting: nil
        case .closed, .closing: ([], .initial)
        case .stopped: ([.thisLayerStarted], .starting)
        case .stopping, .requestSent, .ackReceived, .ackSent: ([], .starting)
        case .opened: ([.thisLayerDown], .starting)
        }
    }

    private static func open(_ state: State) -> Transition? {
        switch state {
        case .initial: ([.thisLayerStarted], .starting)
        case .closed: ([.initializeRestartCount, .sendConfigureRequest], .requestSent)
        case .closing: ([], .stopping)
        default: ([], state)
        }
    }

    private static func close(_ state: State) -> Transition? {
        switch state {
        case .initial, .closed, .closing: ([], state)
        case .starting: ([.thisLayerFinished], .initial)
        case .stopped: ([], .closed)
        case .stopping: ([], .closing)
        case .requestSent, .ackReceived, .ackSent: ([.initializeRestartCount, .sendTerminateRequest], .closing)
        case .opened: ([.thisLayerDown, .initializeRestartCount, .sendTerminateRequest], .closing)
        }
    }

    private static func timeout(_ state: State) -> Transition? {
        switch state {
        case .closing, .stopping: ([.sendTerminateRequest], state)
        case .requestSent, .ackReceived: ([.sendConfigureRequest], .requestSent)
        case .ackSent: ([.sendConfigureRequest], .ackSent)
        default: nil
        }
    }

    private static func lastTimeout(_ state: State) -> Transition? {
        switch state {
        case .closing: ([.thisLayerFinished], .closed)
        case .stopping, .requestSent, .ackReceived, .ackSent: ([.thisLayerFinished], .stopped)
        default: nil
        }
    }

    /// Events that a packet causes, in a state whose lower layer is up.
    private static func received(_ event: Event, in state: State) -> Transition? {
        switch event {
        case .goodConfigureRequest: goodConfigureRequest(state)
        case .badConfigureRequest: badConfigureRequest(state)
        case .configureAck: configureAck(state)
        case .configureNakOrReject: configureNakOrReject(state)
        case .terminateRequest:
            switch state {
            case .requestSent, .ackReceived, .ackSent: ([.sendTerminateAck], .requestSent)
            case .opened: ([.thisLayerDown, .zeroRestartCount, .sendTerminateAck], .stopping)
            default: ([.sendTerminateAck], state)
            }
        case .terminateAck:
            switch state {
            case .closing: ([.thisLayerFinished], .closed)
            case .stopping: ([.thisLayerFinished], .stopped)
            case .ackReceived: ([], .requestSent)
            case .opened: ([.thisLayerDown, .sendConfigureRequest], .requestSent)
            default: ([], state)
            }
        case .unknownCode: ([.sendCodeReject], state)
        case .permittedReject: ([], state == .ackReceived ? .requestSent : state)
        case .catastrophicReject:
            switch state {
            case .closed, .closing: ([.thisLayerFinished], .closed)
            case .opened: ([.thisLayerDown, .initializeRestartCount, .sendTerminateRequest], .stopping)
            default: ([.thisLayerFinished], .stopped)
            }
        case .echo: (state == .opened ? [.sendEchoReply] : [], state)
        case .up, .down, .open, .close, .timeout, .lastTimeout: nil
        }
    }

    private static func goodConfigureRequest(_ state: State) -> Transition? {
        switch state {
        case .initial, .starting: nil
        case .closed: ([.sendTerminateAck], .closed)
        case .stopped: ([.initializeRestartCount, .sendConfigureRequest, .sendConfigureAck], .ackSent)
        case .closing, .stopping: ([], state)
        case .requestSent, .ackSent: ([.sendConfigureAck], .ackSent)
        case .ackReceived: ([.sendConfigureAck, .thisLayerUp], .opened)
        case .opened: ([.thisLayerDown, .sendConfigureRequest, .sendConfigureAck], .ackSent)
        }
    }

    private static func badConfigureRequest(_ state: State) -> Transition? {
        switch state {
        case .initial, .starting: nil
        case .closed: ([.sendTerminateAck], .closed)
        case .stopped: ([.initializeRestartCount, .sendConfigureRequest, .sendConfigureNakOrReject], .requestSent)
        case .closing, .stopping: ([], state)
        case .requestSent, .ackSent: ([.sendConfigureNakOrReject], .requestSent)
        case .ackReceived: ([.sendConfigureNakOrReject], .ackReceived)
        case .opened: ([.thisLayerDown, .sendConfigureRequest, .sendConfigureNakOrReject], .requestSent)
        }
    }

    private static func configureAck(_ state: State) -> Transition? {
        switch state {
        case .initial, .starting: nil
        case .closed, .stopped: ([.sendTerminateAck], state)
        case .closing, .stopping: ([], state)
        case .requestSent: ([.initializeRestartCount], .ackReceived)
        case .ackReceived: ([.sendConfigureRequest], .requestSent)
        case .ackSent: ([.initializeRestartCount, .thisLayerUp], .opened)
        case .opened: ([.thisLayerDown, .sendConfigureRequest], .requestSent)
        }
    }

    private static func configureNakOrReject(_ state: State) -> Transition? {
        switch state {
        case .initial, .starting: nil
        case .closed, .stopped: ([.sendTerminateAck], state)
        case .closing, .stopping: ([], state)
        case .requestSent: ([.initializeRestartCount, .sendConfigureRequest], .requestSent)
        case .ackReceived: ([.sendConfigureRequest], .requestSent)
        case .ackSent: ([.initializeRestartCount, .sendConfigureRequest], .ackSent)
        case .opened: ([.thisLayerDown, .sendConfigureRequest], .requestSent)
        }
    }
}
