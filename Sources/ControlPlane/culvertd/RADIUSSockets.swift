import Configuration
import NIOCore
import NIOPosix
import Wire

/// The kernel's UDP sockets for RADIUS: those that requests are sent from, and the one that Disconnect- and CoA-Requests come to.
///
/// They are in the management network, which the node shares with the machine; the data plane's ports have no part in it.
final class RADIUSSockets: Sendable {
    /// A datagram that came in.
    enum Arrival: Sendable {
        /// To source socket `socket` of the address's family.
        case answer([UInt8], from: IPAddress, port: UInt16, socket: Int)
        /// To the port of dynamic authorization.
        case request([UInt8], from: IPAddress, port: UInt16)
    }

    private let ipv4: [any Channel]
    private let ipv6: [any Channel]
    private let authorization: [any Channel]

    /// Opens what the configuration needs; nothing where it names no servers and no clients.
    ///
    /// - Throws: `Failure.radius`, with the address and what the system says of it.
    init(
        _ configuration: Configuration, group: any EventLoopGroup, receive: @escaping @Sendable (Arrival) -> Void
    ) async throws {
        func open(_ host: String, _ port: Int, _ handle: @escaping @Sendable (AddressedEnvelope<ByteBuffer>) -> Void)
            async throws -> any Channel
        {
            do {
                return try await DatagramBootstrap(group: group)
                    // An answer to each of the 256 requests that one socket may have with each server.
                    .channelOption(.socketOption(.so_rcvbuf), value: 1 << 20)
                    .channelInitializer { channel in
                        channel.eventLoop.makeCompletedFuture {
                            try channel.pipeline.syncOperations.addHandler(DatagramHandler(handle))
                        }
                    }
                    .bind(host: host, port: port).get()
            } catch {
                throw Failure.radius("cannot open a UDP socket on \(host) port \(port) for RADIUS: \(error)")
            }
        }
        func sources(_ isIPv6: Bool) async throws -> [any Channel] {
            guard configuration.radiusServers.contains(where: { ($0.host.ipv6 != nil) == isIPv6 }) else { return [] }
            let source = configuration.radius.sourceAddresses.first { ($0.ipv6 != nil) == isIPv6 }
            var channels: [any Channel] = []
            for socket in 0..<Int(configuration.radius.sourcePorts) {
                channels.append(
                    try await open(source?.description ?? (isIPv6 ? "::" : "0.0.0.0"), 0) { envelope in
                        guard let (address, port) = envelope.remoteAddress.endpoint else { return }
                        receive(.answer(Array(envelope.data.readableBytesView), from: address, port: port, socket: socket))
                    })
            }
            return channels
        }
        ipv4 = try await sources(false)
        ipv6 = try await sources(true)
        var listeners: [any Channel] = []
        if let settings = configuration.radius.dynamicAuthorization {
            let clients = settings.clients.map(\.address)
            for (isIPv6, any) in [(false, "0.0.0.0"), (true, "::")] where clients.contains(where: { ($0.ipv6 != nil) == isIPv6 }) {
                let host = configuration.radius.sourceAddresses.first { ($0.ipv6 != nil) == isIPv6 }?.description ?? any
                listeners.append(
                    try await open(host, Int(settings.port)) { envelope in
                        guard let (address, port) = envelope.remoteAddress.endpoint else { return }
                        receive(.request(Array(envelope.data.readableBytesView), from: address, port: port))
                    })
            }
        }
        authorization = listeners
    }

    /// Sends a request; one that the kernel does not take is sent again like a lost one.
    func send(_ datagram: [UInt8], socket: Int, to address: IPAddress, port: UInt16) {
        let sockets = address.ipv6 == nil ? ipv4 : ipv6
        guard sockets.indices.contains(socket) else { return }
        write(datagram, to: address, port: port, on: sockets[socket])
    }

    /// Answers a client of dynamic authorization.
    func answer(_ datagram: [UInt8], to address: IPAddress, port: UInt16) {
        let isIPv6 = address.ipv6 != nil
        guard let channel = authorization.first(where: { ($0.localAddress?.protocol == .inet6) == isIPv6 }) else { return }
        write(datagram, to: address, port: port, on: channel)
    }

    private func write(_ datagram: [UInt8], to address: IPAddress, port: UInt16, on channel: any Channel) {
        guard let remote = try? SocketAddress(ipAddress: "\(address)", port: Int(port)) else { return }
        channel.writeAndFlush(
            AddressedEnvelope(remoteAddress: remote, data: ByteBuffer(bytes: datagram)), promise: nil)
    }

    /// Closes all of them.
    func close() async {
        for channel in ipv4 + ipv6 + authorization { try? await channel.close() }
    }
}

/// Hands each datagram on.
private final class DatagramHandler: ChannelInboundHandler, Sendable {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>

    private let handle: @Sendable (AddressedEnvelope<ByteBuffer>) -> Void

    init(_ handle: @escaping @Sendable (AddressedEnvelope<ByteBuffer>) -> Void) { self.handle = handle }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { handle(unwrapInboundIn(data)) }

    /// ICMP errors of earlier datagrams come up here; whoever did not answer is asked again by the client's own rules.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {}
}

extension SocketAddress {
    /// Address and port in our terms.
    fileprivate var endpoint: (IPAddress, UInt16)? {
        guard let text = ipAddress, let address = IPAddress(text), let port, let number = UInt16(exactly: port) else {
            return nil
        }
        return (address, number)
    }
}
