import Configuration
import Host
import L2TP
import Timing

/// A tunnel that serves to recover the control channel of another one.
struct RecoveryRecord {
    /// The tunnel that it concerns; nil: that is gone, and this one only ends in order.
    var tunnel: UInt16?
    var machine: RecoveryTunnel
    let local: UDPEndpoint
    /// Where messages go, and the only place that they are taken from once it has answered.
    var peer: UDPEndpoint
    /// Whether the peer has answered from `peer`.
    var isBound = false
    /// We have failed: until when the recovery is tried again.
    var giveUpAt = Instant.zero
}

/// What becomes of a tunnel of before a restart.
public enum FailoverAction: Hashable, Sendable {
    /// It goes on with the numbers that were stored, and nobody is told.
    case resume
    /// Its control channel is recovered with the peer's help.
    case recover
    /// It is closed, and its clients dial again.
    case close

    /// What the profile wants of a tunnel whose ends have both announced RFC 4951, or not.
    public init(_ failover: L2TPProfile.Failover, isNegotiated: Bool) {
        self =
            switch failover {
            case .silent: .resume
            case .rfc4951: isNegotiated ? .recover : .close
            case .rfc4951OrSilent: isNegotiated ? .recover : .resume
            case .off: .close
            }
    }
}

extension L2TPProfile {
    /// What SCCRQ says of failovers. The data plane outlives the control plane, so bit D is never set: data messages go on with the
    /// numbers that they have.
    var failoverCapability: FailoverCapability? {
        switch failover {
        case .silent, .off: nil
        case .rfc4951, .rfc4951OrSilent: FailoverCapability(recoveryTime: UInt32(recoveryTime) * 1_000)
        }
    }
}
