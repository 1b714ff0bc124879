/// Where a client is attached: the port and the VLANs of its frames. Together with its MAC address it is who it is.
public struct AttachmentCircuit: Hashable, Sendable {
    /// The access port's number.
    public var port: UInt16
    /// VLAN id of the outer tag, 1 to 4094; 0: untagged.
    public var outerVLAN: UInt16
    /// VLAN id of the inner tag (QinQ); 0: no second tag.
    public var innerVLAN: UInt16

    /// The circuit with these numbers.
    public init(port: UInt16, outerVLAN: UInt16 = 0, innerVLAN: UInt16 = 0) {
        self.port = port
        self.outerVLAN = outerVLAN
        self.innerVLAN = innerVLAN
    }
}
