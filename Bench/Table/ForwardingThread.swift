import CBaseline
import CDPDK
import CSegment
import Forwarding
import Glibc
import Segment
import Wire

/// A worker's part of the bench: it encapsulates frames of random sessions, round after round, and notes what each costs.
final class ForwardingThread: @unchecked Sendable {
    /// What the writer does meanwhile.
    enum Phase: UInt32 {
        case alone = 0
        case beside = 1
        case over = 2
    }

    private static let frames = 256
    private static let burst = 32
    /// Rounds kept of each phase.
    private static let kept = 100_000

    private let bed: TableBed
    private let sessions: Int
    private let word = UnsafeMutablePointer<UInt32>.allocate(capacity: 1)
    private let isReady = UnsafeMutablePointer<UInt32>.allocate(capacity: 1)
    private var thread = pthread_t()
    private var rounds: [[Double]] = [[], []]
    private(set) var failure: String?

    /// Frames of the first so many sessions.
    init(_ bed: TableBed, sessions: Int) {
        self.bed = bed
        self.sessions = sessions
        word.initialize(to: Phase.alone.rawValue)
        isReady.initialize(to: 0)
    }

    deinit {
        word.deallocate()
        isReady.deallocate()
    }

    /// What the writer does from now on.
    var phase: Phase {
        get { Phase(rawValue: culvert_load_acquire_u32(word)) ?? .over }
        set { culvert_store_release_u32(word, newValue.rawValue) }
    }

    /// Starts the thread, which is ready then. `stop` must follow.
    func start() throws {
        let failed = pthread_create(
            &thread, nil,
            { argument in
                if let argument {
                    let this = Unmanaged<ForwardingThread>.fromOpaque(argument).takeUnretainedValue()
                    do { try this.run() } catch { this.failure = "\(error)" }
                    culvert_store_release_u32(this.isReady, 1)
                }
                return nil
            }, Unmanaged.passUnretained(self).toOpaque())
        guard failed == 0 else { throw BenchError("no thread") }
        while culvert_load_acquire_u32(isReady) == 0 { usleep(1_000) }
    }

    /// Ends the thread and waits for it.
    func stop() {
        phase = .over
        pthread_join(thread, nil)
    }

    /// Cycles a packet of each round in a phase, fewest first; after `stop`.
    func cycles(_ phase: Phase) -> [Double] { phase == .over ? [] : rounds[Int(phase.rawValue)].sorted() }

    private func run() throws {
        // Keeps the thread that starts it, this one, on the last core.
        let cores = sysconf(Int32(_SC_NPROCESSORS_ONLN))
        let words = [
            "bench-table", "-l", String(max(cores - 1, 0)), "--no-pci", "--no-telemetry", "--log-level=lib.*:error",
            "--no-huge", "--no-shconf", "-m", "64",
        ]
        var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) }
        guard culvert_eal_init(CInt(arguments.count), &arguments) >= 0 else {
            throw BenchError(String(cString: culvert_error_text(culvert_errno())))
        }
        guard let pool = culvert_pool_create("bench", 1_023, 0, 2_048 + UInt16(CULVERT_DEFAULT_HEADROOM), 0) else {
            throw BenchError("no memory for packet buffers")
        }
        let ports = [
            ForwardingPort(mac: TableBed.accessMAC, mtu: 1_600), ForwardingPort(mac: TableBed.coreMAC, mtu: 1_600),
        ]
        let view = bed.segment.view
        let forwarder = try Forwarder(
            view: view, ports: ports, worker: 0, workers: 1, limits: PuntLimits(all: 0),
            cyclesPerSecond: culvert_bench_ticks_per_second())
        defer { forwarder.deallocate() }
        let frames = UnsafeMutablePointer<OpaquePointer?>.allocate(capacity: Self.frames)
        defer { frames.deallocate() }
        for index in 0..<Self.frames {
            guard let frame = culvert_bench_allocate(pool) else { throw BenchError("no memory for packet buffers") }
            culvert_bench_fill(frame, 0x5a)
            (frames + index).initialize(to: frame)
        }
        for phase in rounds.indices { rounds[phase].reserveCapacity(Self.kept) }
        guard culvert_rcu_register(view.quiescent, 0) == 0 else { throw BenchError("no reader") }
        culvert_rcu_online(view.quiescent, 0)
        defer {
            culvert_rcu_offline(view.quiescent, 0)
            _ = culvert_rcu_unregister(view.quiescent, 0)
        }
        culvert_store_release_u32(isReady, 1)
        var random = SplitMix(seed: 5)
        var sent: UInt64 = 0
        while true {
            let phase = phase
            guard phase != .over else { break }
            restore(frames, &random)
            let start = culvert_bench_ticks()
            for burst in 0..<Self.frames / Self.burst {
                forwarder.receive(frames + burst * Self.burst, count: Self.burst, port: UInt32(TableBed.accessPort))
                forwarder.transmit.removeAll(UInt32(TableBed.corePort))
            }
            let spent = culvert_bench_ticks() - start
            culvert_rcu_quiescent(view.quiescent, 0)
            // A round in which the writer began or ended its turn is neither.
            if phase == self.phase, rounds[Int(phase.rawValue)].count < Self.kept {
                rounds[Int(phase.rawValue)].append(Double(spent) / Double(Self.frames))
            }
            sent += UInt64(Self.frames)
        }
        let forwarded = withUnsafeBytes(of: view.workers.pointee.counters) { words in
            words.load(fromByteOffset: 8 * Counter.encapsulatedFrames.rawValue, as: UInt64.self)
        }
        guard forwarded == sent else { throw BenchError("\(forwarded) of \(sent) frames were forwarded") }
    }

    /// Makes each frame one of a random session, as it arrives: Ethernet, VLAN, PPPoE and PPP headers before 64 octets.
    private func restore(_ frames: UnsafeMutablePointer<OpaquePointer?>, _ random: inout SplitMix) {
        withUnsafeTemporaryAllocation(byteCount: 26, alignment: 8) { header in
            for index in 0..<Self.frames {
                let number = Int.random(in: 0..<sessions, using: &random)
                let session = bed.sessions[number]
                func put<Integer: FixedWidthInteger>(_ value: Integer, at offset: Int) {
                    header.storeBytes(of: value.bigEndian, toByteOffset: offset, as: Integer.self)
                }
                put(TableBed.accessMAC.value << 16 | session.clientMAC.value >> 32, at: 0)
                put(UInt32(truncatingIfNeeded: session.clientMAC.value), at: 8)
                put(UInt32(0x8100_0000) | UInt32(session.outerVLAN), at: 12)
                put(UInt32(0x8864_1100), at: 16)
                put(bed.places[number].sessionID, at: 20)
                put(UInt16(66), at: 22)
                put(UInt16(0x0021), at: 24)
                culvert_bench_restore(
                    frames[index], header.baseAddress?.assumingMemoryBound(to: UInt8.self), 26, 26 + 64,
                    TableBed.accessPort)
            }
        }
    }
}
