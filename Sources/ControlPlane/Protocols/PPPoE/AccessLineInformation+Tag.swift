import Wire

/// The access line identifier tag that access nodes put into PADI and PADR (TR-101 issue 2, section 3.9.2 and appendix A; PPPoE's
/// tag 0x0105, Vendor-Specific).
///
///      0                   1                   2                   3
///      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
///     +---------------------------------------------------------------+
///     |                     vendor id: 0x00000de9                     |
///     +---------------+---------------+-------------------------------+
///     |   attribute   |    length     |  value: `length` octets, and so on for each attribute
///     +---------------+---------------+-------------------------------+
///
/// Numbers have four octets; rates are in kbit/s, delays in ms.
extension AccessLineInformation {
    /// Why a Vendor-Specific tag tells nothing of the line.
    public enum TagError: String, Error, Sendable, CaseIterable {
        /// The tag is another vendor's, or too short for a vendor id.
        case otherVendor = "not the Broadband Forum's"
        /// An attribute's header or value passes the end of the tag.
        case truncated = "attribute cut short"
    }

    /// Checks and reads the value of a Vendor-Specific tag. What the tag's structure does not fit is refused as a whole. An
    /// attribute of unknown number, of a length that it cannot have, or that came before is passed over.
    public init(parsing tag: ArraySlice<UInt8>) throws(TagError) {
        var reader = ByteReader(tag)
        guard reader.readUInt32() == UInt32(Self.enterprise) else { throw .otherVendor }
        self.init()
        while !reader.isEmpty {
            guard let number = reader.readUInt8(), let length = reader.readUInt8(),
                let value = reader.readBytes(Int(length))
            else { throw .truncated }
            if let attribute = Attribute(rawValue: number) { take(attribute, value) }
        }
    }

    private mutating func take(_ attribute: Attribute, _ value: ArraySlice<UInt8>) {
        var reader = ByteReader(value)
        switch (attribute.form, value.count) {
        case (.identifier, 1...Self.longestIdentifier):
            if attribute == .agentCircuitID {
                agentCircuitID = agentCircuitID ?? Array(value)
            } else {
                agentRemoteID = agentRemoteID ?? Array(value)
            }
        case (.rate, 4), (.delay, 4), (.number, 4):
            guard figures[attribute] == nil, let figure = reader.readUInt32() else { return }
            figures[attribute] = UInt64(figure) * (attribute.form == .rate ? 1_000 : 1)
        case (.encapsulation, 3):
            guard encapsulation == nil, let dataLink = reader.readUInt8(), let first = reader.readUInt8(),
                let second = reader.readUInt8()
            else { return }
            encapsulation = Encapsulation(dataLink: dataLink, first: first, second: second)
        case (.flag, 0): isInterworked = true
        default: break
        }
    }
}
