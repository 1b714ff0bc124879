import NIOCore
import NIOHTTP1

/// One connection of HTTP/1: answers `GET` and `HEAD` of `/metrics`, and nothing else, one request after the other.
///
/// A connection ends that sends no whole request in time, or does not take its answer.
final class ScrapeHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    /// How long things may take.
    struct Patience {
        /// For the first request from the connection's beginning on.
        var first = TimeAmount.seconds(10)
        /// For the next one; scrapes are up to a minute apart.
        var next = TimeAmount.seconds(75)
        /// For the control plane's answer, then for the client to take it.
        var answer = TimeAmount.seconds(10)
    }

    private let scraper: Scraper
    private let bound: RequestBound
    private let patience: Patience
    private var head: HTTPRequestHead?
    private var timer: Scheduled<Void>?
    /// Goes up with each request, so that what comes late for one is not taken for the next one's.
    private var turn = 0

    init(scraper: Scraper, bound: RequestBound, patience: Patience) {
        self.scraper = scraper
        self.bound = bound
        self.patience = patience
    }

    func channelActive(context: ChannelHandlerContext) {
        schedule(context, patience.first) { $0.close(promise: nil) }
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        timer?.cancel()
        turn += 1
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): self.head = head
        case .body: break
        case .end:
            guard let head else { return }
            self.head = nil
            answer(head, context)
        }
    }

    /// Does `action` in `time` unless something else is waited for by then.
    private func schedule(
        _ context: ChannelHandlerContext, _ time: TimeAmount, _ action: @escaping (ChannelHandlerContext) -> Void
    ) {
        timer?.cancel()
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: time) { action(context) }
    }

    private func answer(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        turn += 1
        let path = head.uri.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false).first ?? ""
        guard path == "/metrics" else { return respond(.notFound, "there is only /metrics here\n", head, context) }
        switch head.method {
        case .GET, .HEAD: scrape(head, context)
        default: respond(.methodNotAllowed, "only GET and HEAD\n", head, context)
        }
    }

    private func scrape(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        let turn = turn
        schedule(context, patience.answer) { context in
            self.respond(.serviceUnavailable, "culvertd does not answer\n", head, context)
        }
        let bound = NIOLoopBound((handler: self, context: context), eventLoop: context.eventLoop)
        let eventLoop = context.eventLoop
        Task { [scraper] in
            let result: Result<ByteBuffer, any Error>
            do { result = .success(try await scraper.text()) } catch { result = .failure(error) }
            eventLoop.execute {
                let (handler, context) = bound.value
                guard handler.turn == turn else { return }
                switch result {
                case .success(let text): handler.respond(.ok, text, head, context)
                case .failure(let error):
                    handler.respond(.serviceUnavailable, ByteBuffer(string: "\(error)\n"), head, context)
                }
            }
        }
    }

    private func respond(
        _ status: HTTPResponseStatus, _ text: String, _ request: HTTPRequestHead, _ context: ChannelHandlerContext
    ) {
        respond(status, ByteBuffer(string: text), request, context)
    }

    /// Writes a response; that to `HEAD` tells the body's length alone.
    private func respond(
        _ status: HTTPResponseStatus, _ body: ByteBuffer, _ request: HTTPRequestHead, _ context: ChannelHandlerContext
    ) {
        turn += 1
        var head = HTTPResponseHead(version: request.version, status: status)
        let type = status == .ok ? "text/plain; version=0.0.4; charset=utf-8" : "text/plain; charset=utf-8"
        head.headers.add(name: "Content-Type", value: type)
        if status == .methodNotAllowed { head.headers.add(name: "Allow", value: "GET, HEAD") }
        head.headers.add(name: "Content-Length", value: "\(body.readableBytes)")
        let staysOpen = request.isKeepAlive
        if !staysOpen {
            head.headers.add(name: "Connection", value: "close")
        } else if request.version == .http1_0 {
            head.headers.add(name: "Connection", value: "keep-alive")
        }
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        if request.method != .HEAD { context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil) }
        schedule(context, patience.answer) { $0.close(promise: nil) }
        context.writeAndFlush(wrapOutboundOut(.end(nil))).assumeIsolated().whenComplete { result in
            guard case .success = result, staysOpen else { return context.close(promise: nil) }
            self.bound.reset()
            self.schedule(context, self.patience.next) { $0.close(promise: nil) }
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}

/// Refuses a connection that sends more than a request for numbers needs before it has been answered.
final class RequestBound: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Octets of requests that have not been answered.
    static let limit = 16_384

    private var received = 0
    private var isRefused = false

    /// Everything so far has been answered.
    func reset() { received = 0 }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isRefused else { return }
        received += unwrapInboundIn(data).readableBytes
        guard received > Self.limit else { return context.fireChannelRead(data) }
        isRefused = true
        let answer = "HTTP/1.1 431 Request Header Fields Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: answer))).assumeIsolated().whenComplete { _ in
            context.close(promise: nil)
        }
    }
}
