import CDPDK
import Forwarding

// Frames between workers. A worker has one ring that all others put frames into, in bursts, and that it alone takes from.
extension Worker {
    /// Hands other workers what is theirs, where more than `threshold` frames wait. What a ring has no room for is dropped:
    /// that worker is behind.
    func handOver(beyond threshold: Int = 0) {
        for worker in 0..<peerCount where handedOver.count(worker) > threshold {
            let frames = handedOver.frames(worker)
            let count = handedOver.count(worker)
            var taken = 0
            if let ring = peers[Int(truncatingIfNeeded: worker)] {
                taken = Int(culvert_shared_ring_enqueue(ring, frames, UInt32(truncatingIfNeeded: count)))
            }
            forwarder.countDispatched(taken)
            for index in taken..<count {
                if let mbuf = frames[index] { forwarder.discard(PacketBuffer(mbuf), .dispatchRingFull) }
            }
            handedOver.removeAll(worker)
        }
    }

    /// Polls a queue whose frames are handed out. It takes as many bursts as there are workers, four at most, before it forwards its
    /// own share of them: then this share and what each other worker gets are about a burst, and every stage is worth its
    /// start.
    /// - Returns: the number of frames.
    func pollAndHandOut(_ queue: ReceiveQueue) -> Int {
        var (found, kept) = (0, 0)
        for _ in 0..<min(peerCount, 4) {
            let count = Int(culvert_rx_burst(queue.device, queue.queue, burst, UInt16(Forwarder.burst)))
            guard count != 0 else { break }
            found &+= count
            let own = forwarder.handOut(burst, count: count, port: queue.port)
            culvert_copy(share + kept, burst, own &* MemoryLayout<OpaquePointer?>.stride)
            kept &+= own
            if kept >= Forwarder.burst {
                forwarder.receive(share, count: Forwarder.burst, port: queue.port, from: .share)
                kept &-= Forwarder.burst
                culvert_copy(share, share + Forwarder.burst, kept &* MemoryLayout<OpaquePointer?>.stride)
            }
            makeRoom()
            guard count == Forwarder.burst else { break }
        }
        if kept != 0 {
            forwarder.receive(share, count: kept, port: queue.port, from: .share)
            makeRoom()
        }
        return found
    }

    /// Takes at most one burst of what other workers have handed over, and forwards it.
    /// - Returns: the number of frames.
    func takeOver() -> Int {
        let count = Int(culvert_ring_dequeue(dispatchRing, burst, UInt32(Forwarder.burst)))
        if let port = commonPort(count) {
            forwarder.receive(burst, count: count, port: port, from: .worker)
            makeRoom()
            return count
        }
        var waiting = count
        while waiting > 0 {
            let (port, taken) = takeGroup(of: &waiting)
            forwarder.receive(group, count: taken, port: port, from: .worker)
            makeRoom()
        }
        return count
    }

    /// The port that all of the first `count` frames of `burst` came in on, as most bursts do; nil when they did not, or when
    /// there are none.
    @inline(__always)
    private func commonPort(_ count: Int) -> UInt32? {
        guard count > 0, let first = burst[0] else { return nil }
        let port = culvert_mbuf_port(first)
        var difference: UInt16 = 0
        for index in 1..<max(count, 1) {
            guard let mbuf = burst[index] else { return nil }
            difference |= culvert_mbuf_port(mbuf) ^ port
        }
        return difference == 0 ? UInt32(port) : nil
    }

    /// Moves the frames of `burst` that came in on the same port as the first one to `group`. A session of the access side is on
    /// one port; one of the core side may come in on several, so no frame passes one that came in on another core port.
    private func takeGroup(of waiting: inout Int) -> (port: UInt32, count: Int) {
        var (taken, kept) = (0, 0)
        var port: UInt32 = 0
        var isOpen = true
        for index in 0..<waiting {
            guard let mbuf = burst[index] else { continue }
            let ingress = UInt32(culvert_mbuf_port(mbuf))
            if taken == 0 { port = ingress }
            if ingress == port, isOpen {
                group[taken] = mbuf
                taken &+= 1
            } else {
                if forwarder.isCore(ingress), forwarder.isCore(port) { isOpen = false }
                burst[kept] = mbuf
                kept &+= 1
            }
        }
        waiting = kept
        return (port, taken)
    }
}
