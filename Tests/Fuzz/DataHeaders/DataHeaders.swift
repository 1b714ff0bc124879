import Wire

/// Walks every header view from Ethernet down, as the data plane does, and on after faults that would stop it: each view's
/// bytes must lie within those of the header around it, and all of them must be readable.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    guard let start else { return 0 }
    let frame = FrameBytes(start, count: count)
    read(frame)
    if let ethernet = EthernetHeader(frame) {
        _ = (ethernet.destination, ethernet.source, ethernet.sourceInWireOrder, ethernet.etherType)
        checkPayload(ethernet.payload, within: frame)
        precondition(
            VLANTags(untagged: ethernet).payload.count == ethernet.payload.count, "an untagged frame's payload")
        if let tags = VLANTags(ethernet) {
            precondition(tags.outer < 4096 && tags.inner < 4096, "VLAN id out of range")
            precondition((tags.outer == 0) == (tags.outerTPID == 0), "TPID without VLAN")
            checkPayload(tags.payload, within: ethernet.payload)
            pppoe(tags.payload)
            ipv4(tags.payload)
            ipv6(tags.payload)
        }
    }
    // The same bytes as each of the inner headers, so that the fuzzer need not find its way through the outer ones.
    pppoe(frame)
    ipv4(frame)
    ipv6(frame)
    udp(frame)
    l2tp(frame)
    ppp(frame)
    return 0
}

private func pppoe(_ bytes: FrameBytes) {
    guard let header = PPPoESessionHeader(bytes) else { return }
    _ = (header.hasKnownVersion, header.code)
    precondition(header.sessionID == UInt16(bigEndian: header.sessionIDInWireOrder), "session id's byte order")
    checkPayload(header.payload, within: bytes)
    precondition(header.isTruncated || header.payload.count == header.payloadLength, "payload's length")
    ppp(header.payload)
}

private func ipv4(_ bytes: FrameBytes) {
    guard let header = IPv4Header(bytes) else { return }
    precondition((20...60).contains(header.length) && header.length <= bytes.count, "header length")
    _ = (header.hasValidChecksum, header.isFragment, header.payloadProtocol)
    checkPayload(header.payload, within: bytes)
    udp(header.payload, source: header.sourceInWireOrder, destination: header.destinationInWireOrder)
}

private func ipv6(_ bytes: FrameBytes) {
    guard let header = IPv6Header(bytes) else { return }
    _ = (header.nextHeader, header.hasExtensionHeader, header.source)
    let destination = header.destinationInWireOrder
    precondition(
        header.destination == IPv6Address(high: destination.0.bigEndian, low: destination.1.bigEndian),
        "destination's byte order")
    checkPayload(header.payload, within: bytes)
    if let fragment = IPv6FragmentHeader(header.payload) { checkPayload(fragment.payload, within: header.payload) }
    if let datagram = UDPHeader(header.payload) {
        _ = datagram.hasValidChecksum(pseudoHeaderSum: header.udpPseudoHeaderSum)
    }
    udp(header.payload)
}

private func udp(_ bytes: FrameBytes, source: UInt32 = 0, destination: UInt32 = 0) {
    guard let header = UDPHeader(bytes) else { return }
    _ = (header.destinationPort, header.portsInWireOrder, header.hasChecksum)
    _ = header.hasValidChecksum(source: source, destination: destination)
    checkPayload(header.payload, within: bytes)
    if header.hasSoundLength {
        precondition(header.payload.count == header.datagramLength - UDPHeader.length, "data's length")
    }
    l2tp(header.payload)
}

private func l2tp(_ bytes: FrameBytes) {
    guard let message = L2TPv2Header(bytes) else { return }
    _ = (message.version, message.isControl, message.tunnelID)
    var fault = L2TPv2DataHeader.Fault.short
    guard let header = L2TPv2DataHeader(message, fault: &fault) else { return }
    _ = (header.tunnelID, header.sessionID)
    checkPayload(header.payload, within: bytes)
    precondition(header.payload.count <= bytes.count - L2TPv2Header.minimumLength, "header shorter than its minimum")
    let stripped = PPPProtocolField.strippingAddressAndControl(header.payload)
    checkPayload(stripped, within: header.payload)
    ppp(stripped)
}

private func ppp(_ bytes: FrameBytes) {
    guard let field = PPPProtocolField(bytes) else { return }
    precondition(field.value & 1 == 1 || bytes.count >= 2, "protocol field cut short")
    _ = field.trafficClass
    checkPayload(field.information, within: bytes)
}

private func checkPayload(_ inner: FrameBytes, within outer: FrameBytes) {
    precondition(inner.count >= 0 && inner.start >= outer.start, "payload in front of its header")
    precondition(inner.start + inner.count <= outer.start + outer.count, "payload beyond its header's bytes")
    read(inner)
}

/// Touches every byte, for AddressSanitizer to object to.
private func read(_ bytes: FrameBytes) {
    var sum: UInt8 = 0
    for offset in 0..<bytes.count { sum &+= bytes.start.load(fromByteOffset: offset, as: UInt8.self) }
    sink = sum
}

nonisolated(unsafe) private var sink: UInt8 = 0
