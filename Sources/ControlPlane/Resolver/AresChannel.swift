import CAres
import Glibc
import Names

/// A channel of c-ares to one name server, on the resolver's thread: a question in, an answer's octets out.
///
/// c-ares brings identifiers, sockets, time-outs, and TCP where an answer is cut off. Which server is asked next is our affair
/// (`LookUp`): c-ares 1.18 forgets why the servers it asked have failed. Neither /etc/resolv.conf, nsswitch.conf, hosts nor the
/// environment has a say: every option that c-ares would look for there is set, and `ares_query` asks servers and nothing else.
final class AresChannel {
    /// How a question ended: the octets of a message, whatever it says, or why there is none: `.timedOut`, `.unreachable`,
    /// `.malformedAnswer`, `.resources`, or `.shutDown` as the channel goes.
    typealias Reply = Result<[UInt8], NameFailure>

    /// The sockets that c-ares has open, and what it waits for on each: POLLIN, POLLOUT.
    private final class Sockets {
        var events: [Int32: Int16] = [:]
    }

    /// Who waits for one question's end; c-ares hands it back exactly once.
    private final class Question {
        /// Goes only when all questions have ended.
        unowned let channel: AresChannel
        let completion: (Reply) -> Void

        init(_ channel: AresChannel, _ completion: @escaping (Reply) -> Void) {
            self.channel = channel
            self.completion = completion
        }
    }

    private static let isInitialised = ares_library_init(ARES_LIB_INIT_ALL) == ARES_SUCCESS

    private let channel: ares_channel
    private let sockets = Sockets()
    /// Set when the kernel has told that nobody listens there.
    private var isUnreachable = false

    /// A channel that asks `server`. Throws `.resources` when c-ares cannot have what it needs.
    init(_ server: NameServer, timeout: Duration) throws(NameFailure) {
        guard Self.isInitialised else { throw .resources }
        var options = ares_options()
        // Answers that tell of a failure are wanted as they are.
        options.flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES | ARES_FLAG_NOCHECKRESP
        options.timeout = timeout.milliseconds
        options.tries = 1
        options.ndots = 1
        options.sock_state_cb = { data, socket, readable, writable in
            guard let data else { return }
            let events = Int16(readable != 0 ? POLLIN : 0) | Int16(writable != 0 ? POLLOUT : 0)
            let sockets = Unmanaged<Sockets>.fromOpaque(data).takeUnretainedValue()
            sockets.events[socket] = events == 0 ? nil : events
        }
        options.sock_state_cb_data = Unmanaged.passUnretained(sockets).toOpaque()
        // Without this mark c-ares reads /etc/resolv.conf for what it lacks; no list is an answer too.
        let given =
            ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_NDOTS | ARES_OPT_SOCK_STATE_CB
            | ARES_OPT_SERVERS | ARES_OPT_DOMAINS | ARES_OPT_SORTLIST | ARES_OPT_LOOKUPS | ARES_OPT_NOROTATE
            | ARES_OPT_RESOLVCONF
        var made: ares_channel?
        let status = Self.withCString("b") { lookups in
            Self.withCString("/dev/null") { resolvConf in
                options.lookups = lookups
                options.resolvconf_path = resolvConf
                return ares_init_options(&made, &options, given)
            }
        }
        guard status == ARES_SUCCESS, let made else { throw .resources }
        channel = made
        guard Self.setServer(server, of: made) else {
            ares_destroy(made)
            throw .resources
        }
    }

    /// Ends every question with `.shutDown`.
    deinit { ares_destroy(channel) }

    private static func withCString<Result>(_ text: String, _ body: (UnsafeMutablePointer<CChar>?) -> Result) -> Result
    {
        var characters = Array(text.utf8CString)
        return characters.withUnsafeMutableBufferPointer { body($0.baseAddress) }
    }

    private static func setServer(_ server: NameServer, of channel: ares_channel) -> Bool {
        var node = ares_addr_port_node()
        node.family = server.address.ipv6 == nil ? AF_INET : AF_INET6
        withUnsafeMutableBytes(of: &node.addr) { $0.copyBytes(from: server.address.octets) }
        node.udp_port = Int32(server.port)
        node.tcp_port = Int32(server.port)
        return ares_set_servers_ports(channel, &node) == ARES_SUCCESS
    }

    /// Asks for the records of `type` that `name` has. `completion` is called once, maybe before this returns.
    func ask(_ name: HostName, _ type: AddressRecordType, completion: @escaping (Reply) -> Void) {
        let internetClass: Int32 = 1
        let question = Unmanaged.passRetained(Question(self, completion))
        ares_query(
            channel, name.text, internetClass, Int32(type.rawValue),
            { data, status, _, octets, count in
                guard let data else { return }
                let question = Unmanaged<Question>.fromOpaque(data).takeRetainedValue()
                if status == ARES_ECONNREFUSED { question.channel.isUnreachable = true }
                let message = UnsafeBufferPointer(start: octets, count: octets == nil ? 0 : Int(max(0, count)))
                question.completion(AresChannel.reply(message, status))
            }, question.toOpaque())
    }

    private static func reply(_ octets: UnsafeBufferPointer<UInt8>, _ status: Int32) -> Reply {
        switch status {
        case ARES_ETIMEOUT: .failure(.timedOut)
        // Cancelled by `endIfUnreachable`.
        case ARES_ECONNREFUSED, ARES_ECANCELLED: .failure(.unreachable)
        case ARES_EDESTRUCTION: .failure(.shutDown)
        case ARES_EBADRESP: .failure(.malformedAnswer)
        // What else the status says stands in the message too, and for how long it holds.
        default: octets.isEmpty ? .failure(.resources) : .success(Array(octets))
        }
    }

    // MARK: The thread's work

    /// What to poll for.
    var polled: [pollfd] { sockets.events.map { pollfd(fd: $0.key, events: $0.value, revents: 0) } }

    /// Takes what poll(2) said of one of the channel's sockets, if it still is one.
    func process(_ ready: pollfd) {
        guard let events = sockets.events[ready.fd] else { return }
        // An error is found by reading, or by writing where that is all that is waited for.
        let failed = ready.revents & Int16(POLLERR | POLLHUP | POLLNVAL) != 0
        let isReadable = ready.revents & Int16(POLLIN) != 0 || failed && events & Int16(POLLIN) != 0
        let isWritable = ready.revents & Int16(POLLOUT) != 0 || failed && events & Int16(POLLOUT) != 0
        ares_process_fd(channel, isReadable ? ready.fd : ARES_SOCKET_BAD, isWritable ? ready.fd : ARES_SOCKET_BAD)
    }

    /// Asks again, or gives up, where a server was silent for too long.
    func processTimeouts() { ares_process_fd(channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD) }

    /// Ends all questions where one has found nobody listening. The kernel tells that once, to whoever uses the socket next;
    /// the others would wait for their time-out. Answers whether it was so.
    func endIfUnreachable() -> Bool {
        guard isUnreachable else { return false }
        isUnreachable = false
        ares_cancel(channel)
        return true
    }

    /// Milliseconds until `processTimeouts` has something to do; nil while nothing is asked.
    var timeout: Int32? {
        var time = timeval()
        guard ares_timeout(channel, nil, &time) != nil else { return nil }
        return Int32(clamping: time.tv_sec * 1_000 + (time.tv_usec + 999) / 1_000)
    }
}

extension Duration {
    /// Whole milliseconds, from one to an hour's.
    fileprivate var milliseconds: Int32 {
        let (seconds, attoseconds) = components
        guard seconds < 3_600 else { return 3_600_000 }
        return Int32(clamping: max(1, seconds * 1_000 + attoseconds / 1_000_000_000_000_000))
    }
}
