import CDPDK
import CSegment
import Forwarding
import Segment

extension Worker {
    /// Announces the worker to the table's writer: from here on entries that it may be looking at stay. To be called by the
    /// thread that then calls `iterate`.
    public func start(lcore: UInt32 = 0, numaNode: UInt32 = 0) {
        page.pointee.lcore = lcore
        page.pointee.numa_node = numaNode
        culvert_store_release_u64(&page.pointee.heartbeat_ns, culvert_monotonic_ns())
        culvert_store_release_u32(&page.pointee.running, 1)
        _ = culvert_rcu_register(quiescent, index)
        culvert_rcu_online(quiescent, index)
    }

    /// The opposite of `start`; what the worker holds is sent or handed on first.
    public func stop() {
        transmit()
        handOver()
        culvert_rcu_offline(quiescent, index)
        _ = culvert_rcu_unregister(quiescent, index)
        culvert_store_release_u32(&page.pointee.running, 0)
    }

    /// One round: a burst from each queue, what other workers hand over, what culvertd injects, everything sent or handed over,
    /// a quiescent point.
    /// - Parameter now: the time that the round goes by, in cycles, which never runs backwards.
    /// - Returns: the number of frames found.
    @discardableResult
    public func iterate(now: UInt64 = culvert_cycles()) -> Int {
        forwarder.setTime(now)
        forwarder.expire()
        punts.setRoom(Int(truncatingIfNeeded: culvert_ring_free_count(puntRing)))
        var found = 0
        for index in 0..<queueCount {
            let queue = queues[index]
            if peerCount > 1, forwarder.isDispatched(queue.port) {
                found &+= pollAndHandOut(queue)
                continue
            }
            let count = Int(culvert_rx_burst(queue.device, queue.queue, burst, UInt16(Forwarder.burst)))
            guard count != 0 else { continue }
            found &+= count
            forwarder.receive(burst, count: count, port: queue.port)
            makeRoom()
        }
        if peerCount > 1 { found &+= takeOver() }
        found &+= inject()
        if forwarder.expireMessages(now: now) { handCopies() }
        transmit()
        if peerCount > 1 { handOver() }
        culvert_rcu_quiescent(quiescent, index)
        culvert_add_single_writer_u64(&page.pointee.loops, 1)
        if found != 0 { culvert_add_single_writer_u64(&page.pointee.busy_loops, 1) }
        if now >= state.pointee.heartbeatDue { heartbeat(now) }
        return found
    }

    /// Rounds until `stopped` is not 0. The loop of a worker's core.
    /// - Parameter rest: how it gives its core away.
    public func run(until stopped: UnsafePointer<UInt32>, idle: WorkerIdle, rest: WorkerRest = .system) {
        while culvert_load_relaxed_u32(stopped) == 0 {
            if iterate() != 0 {
                state.pointee.emptyRounds = 0
            } else {
                state.pointee.emptyRounds &+= 1
                self.rest(idle, rest)
            }
        }
    }

    /// Nothing was found. Polling only spares the core's sibling; the others give the core away after some empty rounds, so a
    /// loaded worker never does.
    private func rest(_ idle: WorkerIdle, _ rest: WorkerRest) {
        culvert_pause()
        guard state.pointee.emptyRounds > WorkerIdle.patience else { return }
        switch idle {
        case .poll: break
        case .yield: rest.yield()
        case .sleep(let microseconds):
            culvert_rcu_offline(quiescent, index)
            rest.sleep(UInt64(microseconds) &* 1_000)
            culvert_rcu_online(quiescent, index)
        }
    }

    /// Frames from culvertd, at most a burst, into the transmit buffers.
    private func inject() -> Int {
        let count = Int(culvert_ring_dequeue(injectRing, burst, UInt32(Forwarder.burst)))
        for index in 0..<count {
            if let mbuf = burst[index] { forwarder.inject(PacketBuffer(mbuf), port: culvert_mbuf_note_low(mbuf)) }
        }
        return count
    }

    /// Empties the buffers that the next burst might overflow.
    func makeRoom() {
        for port in 0..<portCount where outgoing.count(port) > FrameBuffers.threshold {
            transmit(port)
        }
        if peerCount > 1 { handOver(beyond: FrameBuffers.threshold) }
        guard punts.count != 0 else { return }
        handPunts()
        punts.setRoom(Int(truncatingIfNeeded: culvert_ring_free_count(puntRing)))
    }

    private func transmit() {
        for port in 0..<portCount where outgoing.count(port) != 0 { transmit(port) }
    }

    /// Gives a port what waits for it. What it does not take is dropped: the queue is full because the link is.
    private func transmit(_ port: UInt32) {
        let frames = outgoing.frames(port)
        let count = outgoing.count(port)
        var octets: UInt64 = 0
        for index in 0..<count {
            if let mbuf = frames[index] { octets &+= UInt64(PacketBuffer(mbuf).length) }
        }
        let egress = ports[Int(truncatingIfNeeded: port)]
        // The driver frees what it has taken: nothing of it may be read after this. It need not take all at once.
        var sent = 0
        while sent < count {
            let taken = Int(
                culvert_tx_burst(
                    egress.device, egress.transmitQueue, frames + sent, UInt16(truncatingIfNeeded: count &- sent)))
            guard taken != 0 else { break }
            sent &+= taken
        }
        for index in sent..<count {
            guard let mbuf = frames[index] else { continue }
            octets &-= UInt64(PacketBuffer(mbuf).length)
            forwarder.discard(PacketBuffer(mbuf), .transmitFull)
        }
        forwarder.countTransmitted(sent, octets: octets, port: port)
        outgoing.removeAll(port)
    }

    /// Hands punted frames to the exchange. There is room for them: the ring has one producer, and the buffer was told.
    private func handPunts() {
        culvert_ring_enqueue(puntRing, punts.frames, UInt32(truncatingIfNeeded: punts.count))
        punts.removeAll()
    }

    /// Hands on copies of captured messages that had waited long enough, when there are any. Rare, so it is a call.
    @inline(never)
    private func handCopies() { handPunts() }

    private func heartbeat(_ now: UInt64) {
        culvert_store_release_u64(&page.pointee.heartbeat_ns, culvert_monotonic_ns())
        state.pointee.heartbeatDue = now &+ state.pointee.heartbeatInterval
    }
}
