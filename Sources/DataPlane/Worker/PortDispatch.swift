import CDPDK
import CSegment
import Segment
import Settings

/// How a port's frames come to the workers that have their sessions: what follows from the setting, the number of workers and
/// what the device can do.
///
/// Whether a port is an access or a core port is culvertd's to say, and may change; so both kinds of session have their answer.
public struct PortDispatch: Hashable, Sendable {
    /// One way, with what the segment calls it.
    public enum Way: UInt32, Sendable {
        /// The worker that polls the port forwards what it finds.
        case single = 0
        /// The device spreads sessions over the queues.
        case rss = 1
        /// The polling workers hand frames over.
        case software = 2

        /// As settings and `show` have it.
        public var name: String {
            switch self {
            case .single: "single"
            case .rss: "rss"
            case .software: "software"
            }
        }
    }

    /// Why a setting cannot be had.
    public struct Refusal: Error, Hashable, Sendable, CustomStringConvertible {
        /// What is asked, and what there is.
        public let description: String
    }

    /// Receive queues.
    public var queues: UInt16
    /// What the device is to hash by, `RTE_ETH_RSS_*`; 0: nothing.
    public var hashing: UInt64
    /// PPPoE sessions.
    public var pppoe: Way
    /// L2TPv2 sessions.
    public var l2tp: Way

    /// What a device with this capability does for `workers` workers.
    ///
    /// Hashing IP addresses and UDP ports is not enough for `rss`: all that comes from one LNS would have one hash.
    /// - Parameter usesAllQueues: whether the device spreads frames over all queues that it has, however many are polled.
    /// - Throws: `Refusal`, of what the device cannot do.
    public init(
        _ setting: DataPlaneSettings.Dispatch, queues configured: UInt16?, workers: Int,
        device: culvert_port_capability, usesAllQueues: Bool = false
    ) throws(Refusal) {
        let most = device.max_rx_queues
        if usesAllQueues, let configured, configured != most {
            throw Refusal(
                description:
                    "the device spreads frames over all of its \(most) queues: `queues` is \(most), or left out")
        }
        if let configured, configured > most {
            throw Refusal(description: "\(configured) queues are configured, the device has \(most)")
        }
        let hashesPPPoE = device.rss & CULVERT_RSS_PPPOE != 0
        let hashesL2TP = device.rss & CULVERT_RSS_L2TPV2 != 0
        if setting == .rss {
            guard hashesPPPoE || hashesL2TP else {
                throw Refusal(
                    description:
                        "dispatch `rss`: the device hashes neither PPPoE nor L2TPv2 sessions to its queues; set "
                        + "`auto` or `software`")
            }
            guard most >= 2 else {
                throw Refusal(description: "dispatch `rss`: the device has one receive queue; set `auto` or `software`")
            }
        }
        let wanted = configured ?? UInt16(clamping: workers)
        let isEnough = wanted >= 2 && wanted <= most
        if workers > 1, setting == .rss || setting == .automatic && (hashesPPPoE || hashesL2TP) && isEnough {
            self.queues = min(wanted, most)
            hashing = device.rss & (CULVERT_RSS_PPPOE | CULVERT_RSS_L2TPV2)
            pppoe = hashesPPPoE ? .rss : .software
            l2tp = hashesL2TP ? .rss : .software
            return
        }
        // More queues than one are the operator's wish. What they hash by does not matter: a session's frames are handed to
        // one worker, or there is but one.
        self.queues = usesAllQueues ? most : configured ?? 1
        hashing = self.queues > 1 ? device.rss & CULVERT_RSS_IP_UDP : 0
        pppoe = setting == .single || workers == 1 ? .single : .software
        l2tp = pppoe
    }

    /// The way of a port with these roles (`CULVERT_PORT_*`); of a port without a role, the one that a core port has.
    public func way(roles: UInt32) -> Way { roles & UInt32(CULVERT_PORT_ACCESS) != 0 ? pppoe : l2tp }

    /// Both ways, for the log.
    public var text: String {
        pppoe == l2tp ? pppoe.name : "\(pppoe.name) for PPPoE, \(l2tp.name) for L2TP"
    }
}
