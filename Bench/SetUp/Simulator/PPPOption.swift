import Wire

/// An option of a PPP control protocol, of which only the frame is known: type, length (both octets included), value.
struct PPPOption: Equatable {
    var type: UInt8
    var value: [UInt8]

    /// The list that fills `bytes`; nil when an option's length does not fit.
    static func list(_ bytes: [UInt8]) -> [PPPOption]? {
        var reader = ByteReader(bytes)
        var options: [PPPOption] = []
        while !reader.isEmpty {
            guard let type = reader.readUInt8(), let length = reader.readUInt8(), length >= 2,
                let value = reader.readBytes(Int(length) - 2)
            else { return nil }
            options.append(PPPOption(type: type, value: Array(value)))
        }
        return options
    }
}

extension [PPPOption] {
    /// The options as octets.
    var octets: [UInt8] { flatMap { [$0.type, UInt8(truncatingIfNeeded: $0.value.count + 2)] + $0.value } }
}

extension UInt32 {
    /// The number in network byte order.
    var octets: [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: self >> (24 - 8 * UInt32($0))) } }

    /// The number in these four octets, network byte order; nil when there are more or fewer.
    init?(octets: some Collection<UInt8>) {
        guard octets.count == 4 else { return nil }
        self = octets.reduce(0) { $0 << 8 | UInt32($1) }
    }
}
