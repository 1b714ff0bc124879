import NIOCore
import Synchronization

/// The gate between a listening socket and whoever serves its connections: it bounds their number, and can be shut while the
/// socket is still open.
///
/// A server of swift-nio's that closes its listener in the moment in which a connection is being made ready traps: the
/// connection has come, and nobody takes it any more. So a server that ends first shuts the gate, lets the event loop go
/// round a few times, `settle`, and closes its listener after that. What comes to a shut gate, or when all places are taken,
/// is closed at once.
public final class ConnectionGate: Sendable {
    private struct State {
        var isShut = false
        var connections: [ObjectIdentifier: any Channel] = [:]
    }

    private let state = Mutex(State())
    private let limit: Int

    /// A gate that has at most `limit` connections behind it.
    public init(limit: Int) { self.limit = limit }

    /// Connections that are open.
    public var count: Int { state.withLock { $0.connections.count } }

    /// Puts the gate into a listening channel's pipeline; to be called while that is made.
    public func install(on listener: any Channel) -> EventLoopFuture<Void> {
        listener.eventLoop.makeCompletedFuture {
            try listener.pipeline.syncOperations.addHandler(GateHandler(gate: self))
        }
    }

    /// Lets nobody in any more.
    public func shut() { state.withLock { $0.isShut = true } }

    /// Closes all connections, whatever is still to be said on them.
    public func cut() {
        for channel in state.withLock({ Array($0.connections.values) }) {
            channel.eventLoop.execute {
                // From the pipeline's head: a handler of TLS would wait for the peer's consent.
                let head = try? channel.pipeline.syncOperations.context(name: Self.headName)
                if let head { head.close(promise: nil) } else { channel.close(promise: nil) }
            }
        }
    }

    private static let headName = "gate"

    /// Whether `channel` may come in.
    fileprivate func admit(_ channel: any Channel) -> Bool {
        let id = ObjectIdentifier(channel)
        let isAdmitted = state.withLock { state in
            guard !state.isShut, state.connections.count < limit else { return false }
            state.connections[id] = channel
            return true
        }
        guard isAdmitted else { return false }
        channel.closeFuture.whenComplete { _ in self.state.withLock { _ = $0.connections.removeValue(forKey: id) } }
        return true
    }

    /// Sees what a listener accepts.
    private final class GateHandler: ChannelInboundHandler {
        typealias InboundIn = any Channel
        typealias InboundOut = any Channel

        private let gate: ConnectionGate

        init(gate: ConnectionGate) { self.gate = gate }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let channel = unwrapInboundIn(data)
            guard gate.admit(channel) else { return channel.close(promise: nil) }
            channel.pipeline.addHandler(HeadHandler(), name: ConnectionGate.headName, position: .first)
                .whenFailure { _ in channel.close(promise: nil) }
            context.fireChannelRead(data)
        }
    }

    /// A place at a connection's head.
    private final class HeadHandler: ChannelInboundHandler, Sendable {
        typealias InboundIn = ByteBuffer
    }
}

extension EventLoop {
    /// Returns when what is to be done on the loop now, and what that leads to, is done: connections that have passed a gate
    /// are with their server.
    public func settle() async {
        for _ in 0..<3 { _ = try? await submit {}.get() }
    }
}
