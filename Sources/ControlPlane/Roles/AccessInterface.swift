import PPPoE
import Wire

/// A port that serves PPPoE: its own address, its size, and who is served on which VLANs.
struct AccessInterface {
    let port: UInt16
    let name: String
    var discovery: DiscoveryServer
    /// Whether frames without a tag are served.
    let untagged: Bool
    /// Outer VLANs served.
    let vlans: [ClosedRange<UInt16>]
    /// Inner VLANs served; empty: frames carry one tag at most.
    let innerVLANs: [ClosedRange<UInt16>]

    var mac: MACAddress { discovery.macAddress }

    /// Whether clients on `circuit` are served here.
    func serves(_ circuit: AttachmentCircuit) -> Bool {
        guard circuit.outerVLAN != 0 else { return untagged && circuit.innerVLAN == 0 }
        guard vlans.contains(where: { $0.contains(circuit.outerVLAN) }) else { return false }
        if innerVLANs.isEmpty { return circuit.innerVLAN == 0 }
        return innerVLANs.contains { $0.contains(circuit.innerVLAN) }
    }
}
