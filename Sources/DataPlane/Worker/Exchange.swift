import CDPDK
import CSegment
import Forwarding
import Segment

/// What stands between the workers and culvertd: it carries punted frames into the segment's punt ring and frames from the
/// inject ring to the workers, and keeps the segment's picture of the data plane up to date. It runs on the main core.
public struct Exchange {
    private let view: SegmentView
    private let workers: [Worker]
    private let devices: [Device]
    /// The worker that sends what is injected on a port: the one that polls the port's first queue, so that what culvertd sends
    /// and what is forwarded after it leave in that order.
    private let injectWorker: [Int]
    private var punts: FrameRingProducer
    private var injections: FrameRingConsumer
    private let burst: UnsafeMutablePointer<OpaquePointer?>
    private var linksDue: UInt64 = 0

    /// The exchange of these workers and devices.
    public init(view: SegmentView, workers: [Worker], devices: [Device]) {
        self.view = view
        self.workers = workers
        self.devices = devices
        injectWorker = devices.indices.map { port in
            workers.firstIndex { worker in
                (0..<worker.queueCount).contains { worker.queues[$0].port == port && worker.queues[$0].queue == 0 }
            } ?? 0
        }
        punts = FrameRingProducer(view.puntRing, mask: view.frameRingMask)
        injections = FrameRingConsumer(view.injectRing, mask: view.frameRingMask)
        burst = .allocate(capacity: Forwarder.burst)
        burst.initialize(repeating: nil, count: Forwarder.burst)
    }

    /// Gives its memory back.
    public func deallocate() { burst.deallocate() }

    /// One round: what the workers have punted since, and what culvertd wants sent.
    /// - Returns: the number of frames carried.
    @discardableResult
    public mutating func iterate() -> Int {
        var carried = 0
        for worker in workers { carried += takePunts(of: worker) }
        if carried > 0 { culvert_doorbell_ring(&view.header.pointee.punt_doorbell, &view.header.pointee.punt_sleeping) }
        return carried + takeInjections()
    }

    /// Sleeps until culvertd rings, at most `nanoseconds`. Call it when a round has carried nothing.
    public func wait(nanoseconds: UInt64) {
        let header = view.header
        let seen = culvert_load_relaxed_u32(&header.pointee.inject_doorbell)
        guard injections.count == 0 else { return }
        _ = culvert_doorbell_wait(
            &header.pointee.inject_doorbell, &header.pointee.inject_sleeping, seen, nanoseconds)
    }

    /// The data plane's heartbeat, and every tenth of a second the ports' links, statistics and dispatch.
    /// - Returns: indexes of the ports whose link went up or down.
    public mutating func report(now: UInt64) -> [Int] {
        culvert_store_release_u64(&view.header.pointee.dataplane_heartbeat_ns, now)
        guard now >= linksDue else { return [] }
        linksDue = now + 100_000_000
        return devices.indices.filter { index in
            let link = devices[index].link
            let entry = view.ports + index
            if let figures = devices[index].figures {
                culvert_store_relaxed_u64(&entry.pointee.rx_packets, figures.rx_packets)
                culvert_store_relaxed_u64(&entry.pointee.rx_octets, figures.rx_octets)
                culvert_store_relaxed_u64(&entry.pointee.rx_missed, figures.rx_missed)
                culvert_store_relaxed_u64(&entry.pointee.rx_errors, figures.rx_errors)
                culvert_store_relaxed_u64(&entry.pointee.tx_packets, figures.tx_packets)
                culvert_store_relaxed_u64(&entry.pointee.tx_octets, figures.tx_octets)
                culvert_store_relaxed_u64(&entry.pointee.tx_errors, figures.tx_errors)
            }
            // culvertd may have given the port another role.
            entry.pointee.dispatch = devices[index].dispatch.way(roles: entry.pointee.flags).rawValue
            let wasUp = entry.pointee.link_up != 0
            entry.pointee.link_speed = link.speed
            entry.pointee.link_up = link.isUp ? 1 : 0
            return wasUp != link.isUp
        }
    }

    private mutating func takePunts(of worker: Worker) -> Int {
        let count = Int(culvert_ring_dequeue(worker.puntRing, burst, UInt32(Forwarder.burst)))
        guard count > 0 else { return 0 }
        let clock = ExchangeClock()
        for index in 0..<count {
            guard let mbuf = burst[index] else { continue }
            let frame = PacketBuffer(mbuf)
            let note = PuntNote(of: frame)
            let bytes = UnsafeRawBufferPointer(start: frame.start, count: frame.bytes.count)
            if note.punt == .capture {
                takeCapture(frame, note, bytes, of: worker, at: clock)
                continue
            }
            let descriptor = FrameDescriptor(
                length: frame.length, port: note.port, puntClass: note.punt.rawValue,
                worker: UInt8(truncatingIfNeeded: worker.index), upstreamSlot: note.slot, detail: UInt32(note.detail),
                timestamp: clock.nanoseconds)
            // When the ring is full culvertd is behind, or gone: counted in the ring.
            _ =
                note.isBeyondShare
                ? punts.appendBeyondShare(descriptor, bytes: bytes) : punts.append(descriptor, bytes: bytes)
        }
        culvert_mbuf_free_bulk(burst, UInt32(count))
        return count
    }

    /// A copy of a captured session's frame. Where it would take the other frames' half of the ring, it is lost: counted in the ring.
    private mutating func takeCapture(
        _ frame: PacketBuffer, _ note: PuntNote, _ bytes: UnsafeRawBufferPointer, of worker: Worker,
        at clock: ExchangeClock
    ) {
        let capture = CaptureNote(of: frame)
        let descriptor = FrameDescriptor(
            length: frame.length, port: note.port, puntClass: note.punt.rawValue,
            worker: UInt8(truncatingIfNeeded: worker.index), upstreamSlot: note.slot, detail: capture.frameLength,
            timestamp: clock.nanoseconds(atCycles: capture.cycles), capture: capture.mark)
        _ = punts.appendCapture(descriptor, bytes: bytes)
    }

    /// Takes no more than there are buffers and room for: what is not taken stays in the ring, where culvertd sees it.
    private mutating func takeInjections() -> Int {
        var carried = 0
        while carried < Forwarder.burst, injections.count > 0,
            workers.allSatisfy({ culvert_ring_free_count($0.injectRing) > 0 }),
            let pool = devices.first?.pool, let mbuf = culvert_mbuf_allocate(pool)
        {
            let room = UnsafeMutableRawBufferPointer(
                start: PacketBuffer(mbuf).start, count: Int(culvert_mbuf_tailroom(mbuf)))
            guard let descriptor = injections.take(into: room) else {
                culvert_mbuf_free(mbuf)
                break
            }
            PacketBuffer(mbuf).reframe(shift: 0, length: descriptor.length)
            culvert_mbuf_set_note(mbuf, UInt32(descriptor.port), 0)
            // A port that does not exist is for a worker to count.
            let port = Int(descriptor.port)
            let worker = workers[injectWorker.indices.contains(port) ? injectWorker[port] : 0]
            var frame: OpaquePointer? = mbuf
            culvert_ring_enqueue(worker.injectRing, &frame, 1)
            carried += 1
        }
        return carried
    }
}

/// The present in nanoseconds and in cycles, so that a worker's cycles of a moment ago can be told in nanoseconds.
private struct ExchangeClock {
    /// CLOCK_MONOTONIC.
    let nanoseconds = culvert_monotonic_ns()
    private let cycles = culvert_cycles()

    /// CLOCK_MONOTONIC when the cycle counter was at `cycles`, which is not in the future.
    func nanoseconds(atCycles cycles: UInt64) -> UInt64 {
        let ago = self.cycles > cycles ? self.cycles &- cycles : 0
        let past = Double(ago) * 1e9 / Double(max(culvert_cycles_per_second(), 1))
        return nanoseconds &- UInt64(min(past, Double(nanoseconds)))
    }
}
