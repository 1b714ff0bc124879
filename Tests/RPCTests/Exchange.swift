import Foundation
import Glibc
import Wire

/// What the system says when a socket cannot be had.
struct SystemError: Error {
    var code = errno
}

/// A TCP client without any protocol.
enum Exchange {
    /// A connected socket; the caller closes it.
    static func connected(to endpoint: SocketEndpoint) throws -> Int32 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0, let ipv4 = endpoint.address.ipv4 else { throw SystemError() }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = endpoint.port.bigEndian
        address.sin_addr.s_addr = ipv4.value.bigEndian
        let result = withUnsafePointer(to: address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else { throw SystemError() }
        return descriptor
    }

    /// Sends `text` on a new connection, and returns what comes back until the other end closes it.
    static func octets(_ endpoint: SocketEndpoint, send text: String) async throws -> String {
        let descriptor = try connected(to: endpoint)
        return await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                let octets = Array(text.utf8)
                send(descriptor, octets, octets.count, Int32(MSG_NOSIGNAL))
                var received: [UInt8] = []
                var piece = [UInt8](repeating: 0, count: 4_096)
                while case let count = recv(descriptor, &piece, piece.count, 0), count > 0 {
                    received += piece.prefix(count)
                }
                close(descriptor)
                continuation.resume(returning: String(decoding: received, as: UTF8.self))
            }
        }
    }
}
