import Wire

/// A control message in a few words, for whoever debugs: `ICRQ ns 3 nr 2 session 0, 83 octets`.
public enum MessageSummary {
    /// The words for a UDP payload; what has no header of a control message is named as such.
    public static func text(of datagram: ArraySlice<UInt8>) -> String {
        guard let (header, body) = try? ControlHeader.decode(datagram) else {
            return "no control message, \(datagram.count) octets"
        }
        let place = "ns \(header.ns) nr \(header.nr)" + (header.sessionID == 0 ? "" : " session \(header.sessionID)")
        guard !body.isEmpty else { return "ZLB \(place)" }
        // Flags, Vendor ID and Attribute Type of the Message Type AVP stand before the type.
        var reader = ByteReader(body.dropFirst(6))
        let number = reader.readUInt16()
        let name = number.flatMap(MessageType.init(rawValue:)).map { "\($0)" } ?? "message of unknown type"
        return "\(name) \(place), \(datagram.count) octets"
    }
}
