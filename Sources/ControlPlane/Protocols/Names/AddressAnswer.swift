import Wire

/// The kind of address that a question asks for; the raw value is the record's type.
public enum AddressRecordType: UInt16, Hashable, Sendable, CaseIterable {
    /// IPv4 (RFC 1035 section 3.4.1).
    case a = 1
    /// IPv6 (RFC 3596 section 2.1).
    case aaaa = 28
}

/// What one DNS answer says about a name's addresses of one kind (RFC 1035 section 4.1).
///
/// ```
/// +---------------------+
/// |       Header        |  12 octets: id, flags with the response code, four counts
/// +---------------------+
/// |      Question       |  what was asked
/// +---------------------+
/// |       Answer        |  aliases (CNAME) and addresses
/// +---------------------+
/// |      Authority      |  the zone's SOA where there is no address (RFC 2308); NS where others are to be asked
/// +---------------------+
/// |     Additional      |  not read
/// +---------------------+
/// ```
/// Every name may end in a pointer to an earlier place in the message (section 4.1.4). A pointer must lead to before the run of
/// labels that it ends, and a name has no more pointers than it can have labels, so reading a name is short work.
public enum AddressAnswer: Hashable, Sendable {
    /// The addresses, at least one and each once.
    case addresses([ResolvedAddress])
    /// There is none, for `ttl` seconds; nil when the answer does not say how long.
    case absent(NameAbsence, ttl: UInt32?)
    /// The name is another's alias for `ttl` seconds, and of that the answer says nothing: to be asked next.
    case alias(HostName, ttl: UInt32)
    /// The answer tells nothing.
    case failed(NameFailure)

    /// Addresses that are taken from one answer; more are passed over.
    public static let maximumAddresses = 64
    /// Aliases that are followed within one answer.
    public static let maximumAliases = 16

    /// Reads the answer `message` to a question for `name`'s addresses of this `type`.
    public init(decoding message: [UInt8], name: HostName, type: AddressRecordType) {
        self = DNSMessage(message, name: name.wire, type: type.rawValue)?.answer(type) ?? .failed(.malformedAnswer)
    }
}

/// The parts of an answer that count, all of it checked.
private struct DNSMessage {
    private static let internetClass: UInt16 = 1
    /// A name of 255 octets has no more labels, and so no use for more pointers.
    private static let maximumPointers = 127

    private enum RecordType {
        static let ns: UInt16 = 2
        static let cname: UInt16 = 5
        static let soa: UInt16 = 6
    }

    private struct Alias {
        var target: [UInt8]
        var ttl: UInt32
    }

    private let message: [UInt8]
    private let question: [UInt8]
    private let responseCode: UInt16
    private var aliases: [[UInt8]: Alias] = [:]
    private var addresses: [[UInt8]: [ResolvedAddress]] = [:]
    private var negativeTTL: UInt32?
    private var isReferral = false

    init?(_ message: [UInt8], name: [UInt8], type: UInt16) {
        self.message = message
        question = name
        var reader = ByteReader(message)
        guard reader.readUInt16() != nil, let flags = reader.readUInt16(), flags & 0x8000 != 0,
            let questions = reader.readUInt16(), questions == 1, let answers = reader.readUInt16(),
            let authorities = reader.readUInt16(), reader.readUInt16() != nil
        else { return nil }
        responseCode = flags & 0xf
        guard readName(&reader) == name, reader.readUInt16() == type, reader.readUInt16() == Self.internetClass else {
            return nil
        }
        for _ in 0..<answers { guard readAnswer(&reader, type: type) else { return nil } }
        for _ in 0..<authorities { guard readAuthority(&reader) else { return nil } }
    }

    /// What it comes to.
    func answer(_ type: AddressRecordType) -> AddressAnswer {
        switch responseCode {
        case 0, 3: break
        case 1: return .failed(.formatError)
        case 4: return .failed(.notImplemented)
        case 5: return .failed(.refused)
        default: return .failed(.serverFailure)
        }
        var name = question
        var chain = UInt32.max
        var hops = 0
        while let alias = aliases[name] {
            hops += 1
            guard hops <= AddressAnswer.maximumAliases else { return .failed(.aliasLoop) }
            chain = min(chain, alias.ttl)
            name = alias.target
        }
        let held = negativeTTL.map { min($0, chain) }
        if responseCode == 3 { return .absent(.noSuchName, ttl: held) }
        if let found = addresses[name] {
            return .addresses(found.map { ResolvedAddress($0.address, ttl: min($0.ttl, chain)) })
        }
        if held == nil, hops > 0 {
            return HostName(wire: name).map { .alias($0, ttl: chain) } ?? .failed(.malformedAnswer)
        }
        return held == nil && isReferral ? .failed(.noRecursion) : .absent(.noAddress, ttl: held)
    }

    private struct Record {
        var owner: [UInt8]
        var type: UInt16
        var ttl: UInt32
        /// Where its data lie in the message.
        var data: ArraySlice<UInt8>
    }

    /// The next record; one of another class than the Internet's has the type 0.
    private func readRecord(_ reader: inout ByteReader) -> Record? {
        guard let owner = readName(&reader), let type = reader.readUInt16(), let recordClass = reader.readUInt16(),
            let ttl = reader.readUInt32(), let length = reader.readUInt16(), let data = reader.readBytes(Int(length))
        else { return nil }
        // A TTL with the highest bit set is to be taken as 0 (RFC 2181 section 8).
        return Record(
            owner: owner, type: recordClass == Self.internetClass ? type : 0, ttl: ttl >> 31 == 0 ? ttl : 0, data: data)
    }

    private mutating func readAnswer(_ reader: inout ByteReader, type: UInt16) -> Bool {
        guard let record = readRecord(&reader) else { return false }
        switch record.type {
        case RecordType.cname:
            var data = ByteReader(message[record.data.startIndex...])
            guard let target = readName(&data), data.remaining.startIndex == record.data.endIndex else { return false }
            if aliases[record.owner] == nil { aliases[record.owner] = Alias(target: target, ttl: record.ttl) }
        case type:
            let address: IPAddress? =
                type == AddressRecordType.a.rawValue
                ? IPv4Address(record.data).map { .v4($0) } : IPv6Address(record.data).map { .v6($0) }
            guard let address else { return false }
            let known = addresses[record.owner, default: []]
            if known.count < AddressAnswer.maximumAddresses, !known.contains(where: { $0.address == address }) {
                addresses[record.owner] = known + [ResolvedAddress(address, ttl: record.ttl)]
            }
        default: break
        }
        return true
    }

    private mutating func readAuthority(_ reader: inout ByteReader) -> Bool {
        guard let record = readRecord(&reader) else { return false }
        switch record.type {
        case RecordType.soa:
            // Primary server, mailbox, serial, refresh, retry, expire, minimum (RFC 1035 section 3.3.13).
            var data = ByteReader(message[record.data.startIndex...])
            guard readName(&data) != nil, readName(&data) != nil, data.readBytes(16) != nil,
                let minimum = data.readUInt32(), data.remaining.startIndex == record.data.endIndex
            else { return false }
            // How long there is nothing: the lesser of the two (RFC 2308 section 5).
            negativeTTL = min(negativeTTL ?? .max, record.ttl, minimum)
        case RecordType.ns: isReferral = true
        default: break
        }
        return true
    }

    /// The name at the reader's place, in lower case and without compression.
    private func readName(_ reader: inout ByteReader) -> [UInt8]? {
        var name: [UInt8] = []
        var cursor = reader
        var start = cursor.remaining.startIndex
        var pointers = 0
        while let length = cursor.readUInt8() {
            switch length >> 6 {
            case 0:
                guard let label = cursor.readBytes(Int(length)), name.count + 1 + label.count <= 255 else { return nil }
                name.append(length)
                name += label.lazy.map { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) ? $0 | 0x20 : $0 }
                guard length == 0 else { continue }
                if pointers == 0 { reader = cursor }
                return name
            case 3:
                guard let low = cursor.readUInt8() else { return nil }
                if pointers == 0 { reader = cursor }
                pointers += 1
                let target = Int(length & 0x3f) << 8 | Int(low)
                guard target < start, pointers <= Self.maximumPointers else { return nil }
                start = target
                cursor = ByteReader(message[target...])
            default: return nil
            }
        }
        return nil
    }
}
