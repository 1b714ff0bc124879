import Observability
import Wire

/// A message from the other side has a field that makes no sense.
struct FieldError: Error, Hashable, CustomStringConvertible {
    /// Name of the field as in the .proto.
    var field: String
    /// What is wrong with it.
    var problem: String

    init(_ field: String, _ problem: String) {
        self.field = field
        self.problem = problem
    }

    var description: String { "\(field): \(problem)" }

    /// `value` in the width that the protocols give it.
    static func narrow<Narrow: FixedWidthInteger>(
        _ value: some FixedWidthInteger, _ field: String
    ) throws(FieldError) -> Narrow {
        guard let narrow = Narrow(exactly: value) else {
            throw FieldError(field, "\(value) is out of range, which ends at \(Narrow.max)")
        }
        return narrow
    }

    /// `value` as an id, which is never 0.
    static func identifier(_ value: UInt32, _ field: String) throws(FieldError) -> UInt16 {
        guard let id = UInt16(exactly: value), id != 0 else {
            throw FieldError(field, "must be 1 to 65535, not \(value)")
        }
        return id
    }

    /// `value` as an id; nil for 0, which stands for none.
    static func optionalIdentifier(_ value: UInt32, _ field: String) throws(FieldError) -> UInt16? {
        value == 0 ? nil : try identifier(value, field)
    }

    /// `text` as an address.
    static func address(_ text: String, _ field: String) throws(FieldError) -> IPAddress {
        guard let address = IPAddress(text) else {
            throw FieldError(field, text.isEmpty ? "is missing" : "'\(text)' is not an IP address")
        }
        return address
    }

    /// `text` as an address.
    static func mac(_ text: String, _ field: String) throws(FieldError) -> MACAddress {
        guard let address = MACAddress(text) else {
            throw FieldError(field, text.isEmpty ? "is missing" : "'\(text)' is not a MAC address")
        }
        return address
    }
}
