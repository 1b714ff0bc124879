import CSegment
import Wire

/// Everything in front of the PPP protocol field on the access side:
///
///     Ethernet  client, port [outer tag] [inner tag] 8864
///     PPPoE     version 1, type 1, code 0, session id, length 0      (RFC 2516, 4)
///
/// The length is patched by the data plane.
struct AccessHeader {
    let clientMAC: MACAddress
    let portMAC: MACAddress
    let circuit: culvert_circuit
    /// PPPoE session id, host byte order.
    let sessionID: UInt16

    /// 20 bytes, and 4 more a tag.
    var length: Int { 20 + (circuit.outer_vlan != 0 ? 4 : 0) + (circuit.inner_vlan != 0 ? 4 : 0) }

    /// Puts the header in front of `end`, which has `CULVERT_ACCESS_HEADER_CAPACITY` bytes of room before it.
    func store(endingAt end: UnsafeMutableRawPointer) {
        var cursor = end - length
        func put<Integer: FixedWidthInteger>(_ value: Integer) {
            cursor.storeBytes(of: value.bigEndian, as: Integer.self)
            cursor += MemoryLayout<Integer>.size
        }
        put(clientMAC.value << 16 | portMAC.value >> 32)
        put(UInt32(truncatingIfNeeded: portMAC.value))
        if circuit.outer_vlan != 0 { put(UInt32(circuit.outer_tpid) << 16 | UInt32(circuit.outer_vlan)) }
        if circuit.inner_vlan != 0 { put(0x8100_0000 | UInt32(circuit.inner_vlan)) }
        put(0x8864_1100 as UInt32)
        put(UInt32(sessionID) << 16)
    }
}
