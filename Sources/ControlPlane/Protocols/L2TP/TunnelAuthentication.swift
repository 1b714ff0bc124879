import Crypto

/// CHAP-like authentication of tunnel end points (RFC 2661, section 5.1.1).
enum TunnelAuthentication {
    /// Octets of the challenges that we send.
    static let challengeLength = 16

    /// The Challenge Response: MD5 over the type of the message that carries it (SCCRP or SCCCN), the secret and the
    /// challenge.
    static func response(in message: MessageType, secret: [UInt8], challenge: [UInt8]) -> [UInt8] {
        var hash = Insecure.MD5()
        hash.update(data: [UInt8(truncatingIfNeeded: message.rawValue)])
        hash.update(data: secret)
        hash.update(data: challenge)
        return Array(hash.finalize())
    }

    /// Compares in time that does not depend on where the first difference lies.
    static func matches(_ a: [UInt8], _ b: [UInt8]) -> Bool {
        a.count == b.count && zip(a, b).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
    }
}
