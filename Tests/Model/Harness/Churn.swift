import CDPDK
import CHarness
import CSegment
import Forwarding
import Glibc
import Segment
import Wire
import Worker

/// Sessions that come, change and go under traffic: the real worker forwards on a thread of its own, this one changes the
/// tables through the real writer, sends frames both ways and judges each that comes out.
///
/// A frame carries its session's number and generation, and its own serial number. What comes out must be, octet for octet,
/// what the table said of exactly this generation of this session at some time while the frame was under way. A frame that
/// does not come out must have been given to the control plane or dropped, with a counter, and there must have been a
/// reason: a session that was forwarded all the time loses nothing. When a session's places become free, the writer's final
/// counters must be the number of its frames that came out.
///
/// The table has few places to spare, and sessions to which frames have just been sent are removed more often than others,
/// so that places are taken again while the worker may still hold them. For the same end the worker is stopped in the middle
/// of a burst now and then, and just the sessions that it has in hand are removed.
final class Churn {
    /// Frames under way at most: no queue on the way may overflow.
    private static let inFlight: UInt64 = 900
    /// Places that the table has for frames under way and those of which nobody knows yet whether they were dropped.
    static let frames = 65_536

    let sessions: UInt32
    let segment: SegmentMapping
    let host: Host
    let writer: TableWriter
    let start: Occupancy
    var random: SplitMix
    /// Counts the changes to the table.
    var tick: UInt64 = 0

    /// Four lives a session, the latest ones; `4 * number + generation & 3`.
    var lives: [ChurnLife]
    /// The latest generation of each session.
    var generations: [UInt32]
    /// Sessions that are not in the table.
    var absent: [UInt32]
    /// Sessions to which frames were sent a short while ago, and lives that ended a short while ago.
    var recent: [UInt32]
    var ended: [(number: UInt32, generation: UInt32)]
    var tunnels: [ChurnTunnel]
    var tunnelSerial: UInt32 = 0
    /// Tunnels that wait for a new header to come into force.
    var changing: Set<Int> = []
    /// Sessions by what their downstream frames say: the tunnel's serial number and the local session id.
    var owners: [UInt64: UInt32] = [:]

    var flight = [ChurnFrame](repeating: ChurnFrame(), count: frames)
    /// The next frame's serial number, and the first of those that may still be under way. 0 is none.
    var nextFrame: UInt64 = 1
    var settledFrame: UInt64 = 1
    var sweep = Sweep.idle
    /// Frames that were put into each port's ring.
    var injected: [UInt64]
    let text = FrameText()
    let received = UnsafeMutablePointer<OpaquePointer?>.allocate(capacity: 32)

    /// Whose capture a number is, or was last.
    var captured: [UInt16: (number: UInt32, generation: UInt32)] = [:]
    var lastCapture: UInt16 = 0

    var tally = Tally()
    private(set) var failures: [String] = []
    private(set) var failureCount = 0

    /// What happened.
    struct Tally {
        var (added, removed, refused, swung, tunnelsMade, tunnelsRemoved, mostLive, strikes) = (0, 0, 0, 0, 0, 0, 0, 0)
        var sent: (up: UInt64, down: UInt64) = (0, 0)
        var out: (up: UInt64, down: UInt64) = (0, 0)
        var outOctets: (up: UInt64, down: UInt64) = (0, 0)
        /// Final counters.
        var totals: (up: UInt64, down: UInt64, upOctets: UInt64, downOctets: UInt64) = (0, 0, 0, 0)
        var (punted, dropped): (UInt64, UInt64) = (0, 0)
        var lives = 0
        /// Captures begun, and copies that came.
        var captures = 0
        var copies: UInt64 = 0
    }

    /// How far the search is for frames that have ended without coming out.
    enum Sweep {
        case idle
        /// Until the worker has taken this many frames from each port.
        case taking(upTo: UInt64, counts: [UInt64])
        /// Until the worker has finished the rounds in which it may have taken them.
        case finishing(upTo: UInt64, loops: UInt64)
        /// What is out now has been looked at in the next round.
        case looking(upTo: UInt64)
    }

    init(seed: UInt64, sessions: UInt32) throws {
        random = SplitMix(seed: seed)
        self.sessions = sessions
        var capacity: UInt32 = 64
        while capacity <= sessions { capacity *= 2 }
        let tunnelCount = max(2, min(8_000, sessions / 8))
        let geometry = Geometry(
            sessions: capacity, tunnels: 8_192, circuits: 4_096, vlanBlocks: 64, workers: 1,
            ports: UInt32(ChurnPlan.ports), frameRingDepth: 1_024)
        segment = try SegmentMapping.inMemory(geometry: geometry) { memory, size, workers in
            culvert_rcu_initialise(memory, UInt64(size), workers) == 0
        }
        // As the control plane's own mapping, or the writer would take the data plane for dead and wait for nobody.
        let control = try SegmentMapping.attachControlPlane(path: segment.path)
        guard control.isDataPlaneRunning else { throw Host.Fault(description: "the data plane's lock is not seen") }
        host = try Host(segment)
        for port in 0..<Int(ChurnPlan.ports) {
            try host.addPort(ForwardingPort(mac: ChurnPlan.mac(port: port), mtu: 1_500))
        }
        writer = TableWriter.recovering(control, using: &random).writer
        start = writer.occupancy
        for port in 0..<ChurnPlan.ports {
            let isAccess = port < ChurnPlan.accessPorts
            try writer.configurePort(
                port, roles: isAccess ? .access : .core, addresses: isAccess ? [] : [ChurnPlan.localAddress])
        }
        lives = [ChurnLife](repeating: ChurnLife(), count: 4 * Int(sessions))
        generations = [UInt32](repeating: 0, count: Int(sessions))
        absent = Array(0..<sessions)
        recent = [UInt32](repeating: 0, count: 64)
        ended = [(number: UInt32, generation: UInt32)](repeating: (0, 0), count: 256)
        tunnels = [ChurnTunnel](repeating: ChurnTunnel(), count: Int(tunnelCount))
        injected = [UInt64](repeating: 0, count: Int(ChurnPlan.ports))
    }

    deinit { received.deallocate() }

    /// Notes what was found wrong.
    func fail(_ what: @autoclosure () -> String) {
        failureCount += 1
        if failures.count < 20 { failures.append(what()) }
    }

    var live: Int { Int(sessions) - absent.count }

    /// Fills the table, changes it for so many seconds, empties it, and adds everything up.
    func run(seconds: UInt64) throws {
        try host.start()
        guard let worker = host.worker else { return }
        let thread = WorkerThread(worker)
        try thread.start()
        for place in tunnels.indices { try addTunnel(place) }
        while absent.count > spare, failureCount < 20 {
            for _ in 0..<64 { try addAny() }
            try round(changes: 0)
        }
        let end = culvert_monotonic_ns() + seconds * 1_000_000_000
        while culvert_monotonic_ns() < end, failureCount < 20 {
            try round(changes: Int.random(in: 1...64, using: &random))
            if random.next() & 31 == 0 { try strike() }
        }
        for number in 0..<sessions {
            try remove(number)
            if number & 31 == 0 { try round(changes: 0) }
        }
        for place in tunnels.indices { try removeTunnel(place) }
        // What is left comes to its end as soon as the worker gets to it. A minute is for ever.
        let patience = culvert_monotonic_ns() + 60_000_000_000
        while writer.occupancy.waiting > 0 || settledFrame < nextFrame, culvert_monotonic_ns() < patience {
            reclaim()
            drain()
            advanceSweep()
            culvert_yield()
        }
        thread.stop()
        drain()
        balance()
    }

    /// Sessions that may be missing when the table counts as full.
    private var spare: Int { max(Int(sessions) / 2_048, 8) }

    /// Traffic and changes by turns, then what has come out.
    private func round(changes: Int) throws {
        for _ in 0..<max(changes, 1) {
            if changes > 0 { try change() }
            for _ in 0..<Int.random(in: 0...3, using: &random) where mayMore { try sendAny() }
        }
        reclaim()
        tally.mostLive = max(tally.mostLive, live)
        drain()
        advanceSweep()
    }

    /// Stops the worker in the middle of a burst, where it has found the sessions and their tunnels' headers and has read
    /// nothing of them yet; takes these sessions away, and gives every place that can be had to others. Without a grace period
    /// these would be the same places.
    private func strike() throws {
        // The data plane's own mapping: the writer has another.
        let page = 4_096
        let size = (Int(segment.geometry.tunnels) * 2 * MemoryLayout<culvert_template>.stride) / page * page
        guard culvert_harness_set_trap(segment.view.templates, size) == 0 else {
            throw Host.Fault(description: "the templates cannot be guarded")
        }
        defer { culvert_harness_release_trap() }
        for _ in 0..<256 where mayMore { try sendAny() }
        for _ in 0..<1_000 where culvert_harness_is_trapped() == 0 { culvert_sleep_ns(10_000) }
        guard culvert_harness_is_trapped() == 1 else { return }
        tally.strikes += 1
        drain()
        var inHand = 0
        for serial in settledFrame..<nextFrame where inHand < 128 {
            let frame = flight[Int(serial & UInt64(Self.frames - 1))]
            if !frame.hasEnded, try remove(frame.number) { inHand += 1 }
        }
        reclaim()
        for _ in 0..<256 { try addAny() }
    }

    /// Whether another frame may be sent. The worker's counters may be late, which errs on the safe side.
    private var mayMore: Bool {
        let ended = tally.out.up + tally.out.down + tally.punted + dropCount
        return nextFrame - settledFrame < UInt64(Self.frames) && nextFrame < ended + Self.inFlight
    }

    private func addAny() throws {
        guard !absent.isEmpty else { return }
        try add(at: Int.random(in: 0..<absent.count, using: &random))
    }

    /// One change, whichever.
    private func change() throws {
        switch Int.random(in: 0..<1_000, using: &random) {
        case 0..<40: try swing(Int.random(in: 0..<tunnels.count, using: &random))
        case 40..<43: try replaceTunnel(Int.random(in: 0..<tunnels.count, using: &random))
        case 43..<43 + (absent.count > 2 * spare ? 700 : absent.count > spare ? 480 : 440): try addAny()
        case 880..<900: try capture(anySession())
        case 900...:
            let number = anySession()
            // Away and back at once: to another tunnel, by other ids.
            if try remove(number) { try add(at: absent.count - 1) }
        default:
            let number = anySession()
            if try !complete(number) { try remove(number) }
        }
    }

    /// Any session, or one to which frames are on their way.
    private func anySession() -> UInt32 {
        random.next() & 1 == 0
            ? recent[Int.random(in: 0..<recent.count, using: &random)]
            : UInt32.random(in: 0..<sessions, using: &random)
    }
}
