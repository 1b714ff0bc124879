import DequeModule

/// The identifiers of one port of one server: 256 of each source socket (RFC 2865 section 3: a server tells requests apart
/// by source address, source port and identifier).
///
/// Taking, giving back and finding the owner cost the same whatever is in use. An identifier that was given back goes to
/// the end of the line, so a late answer to its last request seldom finds it in use again; the first ones of all sockets come
/// before the second ones, so requests spread over the sockets.
struct IdentifierPool: Sendable {
    /// One identifier: its socket and its number.
    typealias Code = Int

    /// Who has an identifier.
    enum Owner: Hashable {
        /// The request in this slot.
        case request(Int)
        /// The channel's own Status-Server.
        case probe
    }

    private(set) var sockets: Int
    private var owners: [Owner?]
    private var free: Deque<Code> = []

    init(sockets: Int) {
        self.sockets = sockets
        owners = [Owner?](repeating: nil, count: sockets << 8)
        for identifier in 0..<256 { for socket in 0..<sockets { free.append(socket << 8 | identifier) } }
    }

    static func socket(of code: Code) -> Int { code >> 8 }
    static func identifier(of code: Code) -> UInt8 { UInt8(truncatingIfNeeded: code) }

    var hasFree: Bool { !free.isEmpty }

    mutating func take(for owner: Owner) -> Code? {
        guard let code = free.popFirst() else { return nil }
        owners[code] = owner
        return code
    }

    mutating func giveBack(_ code: Code) {
        // Codes of sockets that are gone are forgotten.
        guard code < owners.count, owners[code] != nil else { return }
        owners[code] = nil
        free.append(code)
    }

    func owner(socket: Int, identifier: UInt8) -> (Code, Owner)? {
        guard (0..<sockets).contains(socket) else { return nil }
        let code = socket << 8 | Int(identifier)
        return owners[code].map { (code, $0) }
    }

    /// Takes in sockets that are new, and drops those from `count` up; whoever held an identifier of these has lost it.
    mutating func resize(to count: Int) {
        if count < sockets {
            owners.removeLast((sockets - count) << 8)
            free.removeAll { $0 >= owners.count }
        } else {
            for code in sockets << 8..<count << 8 {
                owners.append(nil)
                free.append(code)
            }
        }
        sockets = count
    }
}
