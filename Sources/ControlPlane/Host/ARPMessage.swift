import Wire

/// An ARP message for IPv4 over Ethernet (RFC 826), 28 bytes.
///
///     | hardware type = 1     | protocol type = 0x0800 |
///     | hlen = 6 | plen = 4   | operation              |
///     | sender hardware address (6), sender protocol address (4) |
///     | target hardware address (6), target protocol address (4) |
package struct ARPMessage: Equatable {
    package enum Operation: UInt16 {
        case request = 1
        case reply = 2
    }

    package var operation: Operation
    package var senderMAC: MACAddress
    package var senderAddress: IPv4Address
    package var targetMAC: MACAddress
    package var targetAddress: IPv4Address

    package init(
        _ operation: Operation, senderMAC: MACAddress, senderAddress: IPv4Address, targetMAC: MACAddress,
        targetAddress: IPv4Address
    ) {
        self.operation = operation
        self.senderMAC = senderMAC
        self.senderAddress = senderAddress
        self.targetMAC = targetMAC
        self.targetAddress = targetAddress
    }

    /// Reads a message; nil when it is short, not IPv4 over Ethernet, or its operation is neither request nor reply.
    package init?(parsing bytes: ArraySlice<UInt8>) {
        var reader = ByteReader(bytes)
        guard reader.readUInt16() == 1, reader.readUInt16() == EthernetFrame.typeIPv4, reader.readUInt8() == 6,
            reader.readUInt8() == 4, let operation = reader.readUInt16().flatMap(Operation.init),
            let senderMAC = reader.readBytes(6).flatMap({ MACAddress($0) }),
            let senderAddress = reader.readBytes(4).flatMap({ IPv4Address($0) }),
            let targetMAC = reader.readBytes(6).flatMap({ MACAddress($0) }),
            let targetAddress = reader.readBytes(4).flatMap({ IPv4Address($0) })
        else { return nil }
        self.init(
            operation, senderMAC: senderMAC, senderAddress: senderAddress, targetMAC: targetMAC,
            targetAddress: targetAddress)
    }

    package var bytes: [UInt8] {
        var writer = ByteWriter(capacity: 28)
        writer.write(1 as UInt16)
        writer.write(EthernetFrame.typeIPv4)
        writer.write(6 as UInt8)
        writer.write(4 as UInt8)
        writer.write(operation.rawValue)
        writer.write(senderMAC.octets)
        writer.write(senderAddress.octets)
        writer.write(targetMAC.octets)
        writer.write(targetAddress.octets)
        return writer.bytes
    }
}
