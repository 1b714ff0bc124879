import Timing
import Wire

extension HostStack {
    /// Tells a client that its packet is too long for its tunnel.
    ///
    /// IPv4 answers come from the node's address on the port, or from 192.0.0.8; IPv6 ones from a global address of the node, the
    /// port's before others, or from the port's link-local one.
    ///
    /// - Parameters:
    ///   - frame: the client's PPPoE session frame, punted as too big, cut after any octet.
    ///   - largestPPPFrame: octets of the longest PPP frame, from the protocol field on, that would have passed.
    ///   - port: the port that it came by.
    ///   - now: the time.
    public mutating func answerTooBig(
        _ frame: [UInt8], largestPPPFrame: UInt32, port: UInt16, at now: Instant
    ) -> [HostOutput] {
        guard tooBigBucket.take(at: now) else {
            counters[.tooBigLimited] += 1
            return []
        }
        guard let mac = EthernetFrame(frame[...])?.destination else {
            counters[.tooBigMalformed] += 1
            return []
        }
        identification &+= 1  // a counter that wraps
        let reply = TooBigReply(
            ipv4Source: interfaces[port]?.ipv4Addresses.first ?? TooBigReply.dummyIPv4Address,
            ipv6Source: globalIPv6Address(near: port) ?? IPv6Address(linkLocal: mac))
        do throws(HostCounter) {
            let answer = try reply.frame(
                answering: frame, largestPPPFrame: largestPPPFrame, identification: identification)
            counters[.tooBigAnswered] += 1
            return [.transmit(frame: answer, port: port)]
        } catch {
            counters[error] += 1
            return []
        }
    }

    private func globalIPv6Address(near port: UInt16) -> IPv6Address? {
        let others = interfaces.values.filter { $0.port != port }.sorted { $0.port < $1.port }
        return ([interfaces[port]].compactMap { $0 } + others).lazy
            .flatMap { interface in interface.ipv6Addresses.filter { isInUse(.v6($0), on: interface) } }
            .first { !$0.isLinkLocal }
    }
}
