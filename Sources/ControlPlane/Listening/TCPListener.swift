import Glibc
import Wire

/// Why nobody can listen on an address.
public struct ListenError: Error, Hashable, Sendable, CustomStringConvertible {
    /// For the operator: the address and what is wrong with it.
    public let description: String
}

/// A listening TCP socket. Made by hand, so that what the system refuses is told in words, with the address.
public struct TCPListener: Sendable {
    /// The socket; whoever takes it also closes it.
    public let descriptor: Int32
    /// Where it listens, with the port that the system chose where the caller left it open.
    public let endpoint: SocketEndpoint

    /// Listens on `endpoint`. An IPv6 socket takes IPv6 alone, so that `0.0.0.0` and `::` can stand beside each other.
    public init(on endpoint: SocketEndpoint) throws(ListenError) {
        let isIPv6 = endpoint.address.ipv6 != nil
        let descriptor = socket(
            isIPv6 ? AF_INET6 : AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw Self.problem(endpoint) }
        var on: Int32 = 1
        let size = socklen_t(MemoryLayout<Int32>.size)
        // Connections of a server before this one may still be on their way out.
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, size)
        if isIPv6 { setsockopt(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, &on, size) }
        let bound = Self.withSocketAddress(endpoint) { bind(descriptor, $0, $1) }
        guard bound == 0, Glibc.listen(descriptor, 64) == 0, let port = Self.port(of: descriptor) else {
            let problem = Self.problem(endpoint)
            close(descriptor)
            throw problem
        }
        self.descriptor = descriptor
        self.endpoint = SocketEndpoint(endpoint.address, port: port)
    }

    /// Listens on all of `endpoints`, or on none.
    public static func listen(on endpoints: [SocketEndpoint]) throws(ListenError) -> [TCPListener] {
        var listeners: [TCPListener] = []
        for endpoint in endpoints {
            do throws(ListenError) {
                listeners.append(try TCPListener(on: endpoint))
            } catch {
                for listener in listeners { close(listener.descriptor) }
                throw error
            }
        }
        return listeners
    }

    /// What the last system call complained about.
    private static func problem(_ endpoint: SocketEndpoint) -> ListenError {
        let reason = errno == EADDRINUSE ? "another program listens there" : String(cString: strerror(errno))
        return ListenError(description: "cannot listen on \(endpoint): \(reason)")
    }

    private static func withSocketAddress(
        _ endpoint: SocketEndpoint, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) -> Int32 {
        func call<Address>(_ address: Address) -> Int32 {
            withUnsafePointer(to: address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    body($0, socklen_t(MemoryLayout<Address>.size))
                }
            }
        }
        switch endpoint.address {
        case .v4(let address):
            var inet = sockaddr_in()
            inet.sin_family = sa_family_t(AF_INET)
            inet.sin_port = endpoint.port.bigEndian
            inet.sin_addr.s_addr = address.value.bigEndian
            return call(inet)
        case .v6(let address):
            var inet = sockaddr_in6()
            inet.sin6_family = sa_family_t(AF_INET6)
            inet.sin6_port = endpoint.port.bigEndian
            withUnsafeMutableBytes(of: &inet.sin6_addr) { $0.copyBytes(from: address.octets) }
            return call(inet)
        }
    }

    /// The port that the socket is bound to.
    private static func port(of descriptor: Int32) -> UInt16? {
        var address = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let result = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
        }
        guard result == 0 else { return nil }
        return withUnsafeBytes(of: address) { bytes in
            // The port stands at the same place in both families.
            UInt16(bigEndian: bytes.load(fromByteOffset: 2, as: UInt16.self))
        }
    }
}
