import Configuration
import PPPoE
import Wire

/// What serves PPPoE on a port, or on some VLANs of it: its own address, its size, and who is served.
struct AccessInterface {
    let port: UInt16
    let name: String
    var discovery: DiscoveryServer
    /// Outer VLANs served, or untagged frames.
    let vlans: VLANSet
    /// Inner VLANs served; nil: frames carry one tag at most.
    let innerVLANs: VLANSet?

    var mac: MACAddress { discovery.macAddress }

    /// Whether clients on `circuit` are served here.
    func serves(_ circuit: AttachmentCircuit) -> Bool {
        guard vlans.contains(circuit.outerVLAN) else { return false }
        guard let innerVLANs, circuit.outerVLAN != 0 else { return circuit.innerVLAN == 0 }
        return innerVLANs.contains(circuit.innerVLAN)
    }
}
