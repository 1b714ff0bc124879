import Wire

/// An untagged Ethernet II frame without FCS.
///
///     0           6          12    14
///     | destination | source | type | payload ...
struct EthernetFrame {
    var destination: MACAddress
    var source: MACAddress
    var type: UInt16
    /// Everything behind the type, padding included.
    var payload: ArraySlice<UInt8>

    static let typeIPv4: UInt16 = 0x0800
    static let typeARP: UInt16 = 0x0806

    /// Reads a frame; nil when it is shorter than its header.
    init?(parsing frame: [UInt8]) {
        var reader = ByteReader(frame)
        guard let destination = reader.readBytes(6).flatMap({ MACAddress($0) }),
            let source = reader.readBytes(6).flatMap({ MACAddress($0) }), let type = reader.readUInt16()
        else { return nil }
        self.destination = destination
        self.source = source
        self.type = type
        payload = reader.readRemaining()
    }

    /// A frame around `payload`, filled up with zeros to Ethernet's smallest size, 60 bytes without FCS: not every
    /// device pads by itself.
    static func bytes(
        to destination: MACAddress, from source: MACAddress, type: UInt16, payload: [UInt8]
    ) -> [UInt8] {
        var writer = ByteWriter(capacity: max(60, 14 + payload.count))
        writer.write(destination.octets)
        writer.write(source.octets)
        writer.write(type)
        writer.write(payload)
        if writer.count < 60 { writer.write(repeatElement(0, count: 60 - writer.count)) }
        return writer.bytes
    }
}
