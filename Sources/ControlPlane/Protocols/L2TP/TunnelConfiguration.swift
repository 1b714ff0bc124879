import Timing

/// How a tunnel behaves. Timers of zero are off.
public struct TunnelConfiguration: Hashable, Sendable {
    /// Host Name that we send: 1 to 1,017 octets of UTF-8.
    public var hostName: String
    /// Vendor Name that we send: up to 1,015 octets of UTF-8.
    public var vendorName: String?
    /// The secret that both ends prove to know, and that hides AVPs; nil for neither.
    public var sharedSecret: [UInt8]?
    /// Host Name that the peer has to give; nil: any.
    public var peerHostName: String?
    /// Whether AVPs that may be hidden are, but for those of SCCRQ; needs a secret.
    public var hidesAttributes = false
    /// Silence of the peer after which HELLO asks whether it lives.
    public var helloInterval: Duration = .seconds(60)
    /// Time from the first message until the tunnel must be up.
    public var establishTimeout: Duration = .seconds(60)
    /// Time without any session after which the tunnel is closed.
    public var idleTimeout: Duration = .zero
    /// Time from a session's opening until it must be up.
    public var sessionEstablishTimeout: Duration = .seconds(120)
    /// Most sessions of the tunnel at a time; 0 for no limit.
    public var sessionLimit = 0
    /// Retransmission, window and acknowledgement.
    public var transport = ControlChannel.Settings()
    /// Framing Capabilities that we send.
    public var framingCapabilities: Framing = [.synchronous, .asynchronous]
    /// Bearer Capabilities that we send.
    public var bearerCapabilities: Bearer? = [.digital, .analog]
    /// Whether SCCRQ carries a Tie Breaker.
    public var sendsTieBreaker = true
    /// Firmware Revision that we send.
    public var firmwareRevision: UInt16?
    /// What SCCRQ and SCCRP say of failovers (RFC 4951); nil: nothing, and then no control channel is recovered by that protocol.
    public var failover: FailoverCapability?
    /// Whether ICRQ is handed to the role (LNS); a LAC refuses it by itself.
    public var acceptsCalls = false

    /// The defaults under this host name.
    public init(hostName: String) { self.hostName = hostName }

    /// A setting that no tunnel can run with.
    public enum Fault: Error, Hashable, Sendable {
        /// The local tunnel id is 0.
        case localID
        /// The host name is empty or too long.
        case hostName
        /// The vendor name is too long.
        case vendorName
        /// The secret is empty.
        case sharedSecret
        /// AVPs are to be hidden, and there is no secret.
        case hidingWithoutSecret
        /// The receive window is 0 or more than 32,767.
        case receiveWindow
        /// The retry timeout is not positive, or its cap is less, or the number of retries is negative.
        case retries
    }

    /// Throws the first setting that no tunnel can run with.
    public func validate() throws(Fault) {
        guard 1...AttributeDefinition.longestValue ~= hostName.utf8.count else { throw .hostName }
        guard (vendorName?.utf8.count ?? 0) <= AttributeDefinition.longestValue - HiddenValue.overhead else {
            throw .vendorName
        }
        guard sharedSecret?.isEmpty != true else { throw .sharedSecret }
        guard !hidesAttributes || sharedSecret != nil else { throw .hidingWithoutSecret }
        guard 1...UInt16(Int16.max) ~= transport.receiveWindow else { throw .receiveWindow }
        guard transport.retryTimeout > .zero, transport.retryCap >= transport.retryTimeout, transport.maxRetries >= 0
        else { throw .retries }
    }
}
