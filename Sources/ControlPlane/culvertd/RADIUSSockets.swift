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

    /// What a configuration wants of them. Equal needs are met by the same sockets.
    struct Needs: Hashable, Sendable {
        /// Source addresses of requests; nil: as the kernel chooses. Empty: there are no servers of the family.
        var ipv4: [IPAddress?]
        var ipv6: [IPAddress?]
        var sockets: Int
        /// Where Disconnect- and CoA-Requests come to; nil: as the kernel chooses.
        var listeners: [IPAddress?]
        var areListenersIPv6: [Bool]
        var port: UInt16

        init(_ configuration: Configuration) {
            let settings = configuration.radius
            func source(_ isIPv6: Bool) -> IPAddress? {
                settings.sourceAddresses.first { ($0.ipv6 != nil) == isIPv6 }
            }
            func sources(_ isIPv6: Bool) -> [IPAddress?] {
                configuration.radiusServers.contains { ($0.host.ipv6 != nil) == isIPv6 } ? [source(isIPv6)] : []
            }
            ipv4 = sources(false)
            ipv6 = sources(true)
            sockets = Int(settings.sourcePorts)
            let clients = settings.dynamicAuthorization?.clients.map(\.address) ?? []
            areListenersIPv6 = [false, true].filter { isIPv6 in clients.contains { ($0.ipv6 != nil) == isIPv6 } }
            listeners = areListenersIPv6.map(source)
            port = settings.dynamicAuthorization?.port ?? 0
        }
    }

    private let ipv4: [any Channel]
    private let ipv6: [any Channel]
    private let authorization: [any Channel]

    /// Opens what is needed.
    ///
    /// - Throws: `Failure.radius`, with the address and what the system says of it; no socket is left open then.
    init(
        _ needs: Needs, group: any EventLoopGroup, receive: @escaping @Sendable (Arrival) -> Void
    ) async throws {
        var opened: [any Channel] = []
        func open(
            _ address: IPAddress?, isIPv6: Bool, port: UInt16,
            _ handle: @escaping @Sendable (AddressedEnvelope<ByteBuffer>) -> Void
        ) async throws -> any Channel {
            let host = address?.description ?? (isIPv6 ? "::" : "0.0.0.0")
            // An answer to each of the 256 requests that one socket may have with each server.
            var bootstrap = DatagramBootstrap(group: group).channelOption(.socketOption(.so_rcvbuf), value: 1 << 20)
            if isIPv6 {
                // IPv4 has a socket of its own.
                bootstrap = bootstrap.channelOption(
                    ChannelOptions.Types.SocketOption(level: .ipv6, name: .ipv6_v6only), value: 1)
            }
            do {
                let channel = try await bootstrap.channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(DatagramHandler(handle))
                    }
                }.bind(host: host, port: Int(port)).get()
                opened.append(channel)
                return channel
            } catch {
                for channel in opened { try? await channel.close() }
                throw Failure.radius("cannot open a UDP socket on \(host) port \(port) for RADIUS: \(error)")
            }
        }
        func sources(_ addresses: [IPAddress?], isIPv6: Bool) async throws -> [any Channel] {
            var channels: [any Channel] = []
            for address in addresses {
                for socket in 0..<needs.sockets {
                    channels.append(
                        try await open(address, isIPv6: isIPv6, port: 0) { envelope in
                            guard let (from, port) = envelope.remoteAddress.endpoint else { return }
                            receive(
                                .answer(Array(envelope.data.readableBytesView), from: from, port: port, socket: socket))
                        })
                }
            }
            return channels
        }
        ipv4 = try await sources(needs.ipv4, isIPv6: false)
        ipv6 = try await sources(needs.ipv6, isIPv6: true)
        var listeners: [any Channel] = []
        for (address, isIPv6) in zip(needs.listeners, needs.areListenersIPv6) {
            listeners.append(
                try await open(address, isIPv6: isIPv6, port: needs.port) { envelope in
                    guard let (from, port) = envelope.remoteAddress.endpoint else { return }
                    receive(.request(Array(envelope.data.readableBytesView), from: from, port: port))
                })
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
        guard let channel = authorization.first(where: { ($0.localAddress?.protocol == .inet6) == isIPv6 }) else {
            return
        }
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
