import Names
import Wire

extension NameServer {
    /// Parses `10.1.1.1`, `10.1.1.1:5353`, `2001:db8::53` or `[2001:db8::53]:5353`.
    init?(parsing text: String) {
        if let address = IPAddress(text) {
            self.init(address: address)
        } else if let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]), port > 0,
            text[text.index(after: colon)...].utf8.allSatisfy({ (48...57).contains($0) })
        {
            var host = text[..<colon]
            let isBracketed = host.hasPrefix("[") && host.hasSuffix("]")
            if isBracketed { host = host.dropFirst().dropLast() }
            // Without brackets nobody knows where an IPv6 address ends.
            guard let address = IPAddress(String(host)), (address.ipv6 != nil) == isBracketed else { return nil }
            self.init(address: address, port: port)
        } else {
            return nil
        }
        guard address.isUnicast else { return nil }
    }
}
