import CDPDK
import CSegment
import Foundation
import Segment
import Synchronization
import TableFixture
import Testing
import Wire

/// What the data plane hands in: DPDK's own initialisation.
private func initialiseQuiescentState(_ variable: UnsafeMutableRawPointer, _ size: Int, _ workers: UInt32) -> Bool {
    culvert_rcu_initialise(variable, UInt64(size), workers) == 0
}

/// A data plane's segment whose access ports have their Ethernet addresses.
private func makeSegment(_ geometry: Geometry) throws -> SegmentMapping {
    let segment = try SegmentMapping.inMemory(
        geometry: geometry, initialiseQuiescentState: initialiseQuiescentState)
    for port in 0..<2 as Range<UInt16> {
        withUnsafeMutableBytes(of: &segment.view.ports[Int(port)].mac) { $0.copyBytes(from: accessMAC(port).octets) }
    }
    return segment
}

/// Readers in threads of their own, until they are stopped.
private final class Readers: Sendable {
    private let isStopping = Atomic(false)
    private let results = Mutex<[TableReader]>([])
    private let running = Atomic(0)
    private let count: UInt32
    let bursts = Atomic(0)

    /// - Parameter body: what a reader does again and again; it ends with a quiescent point.
    init(_ segment: SegmentMapping, count: UInt32, body: @escaping @Sendable (inout TableReader) -> Void) {
        self.count = count
        for worker in 0..<count {
            running.add(1, ordering: .sequentiallyConsistent)
            Thread {
                let quiescent = segment.view.quiescent
                var reader = TableReader(view: segment.view, worker: worker, readers: count)
                culvert_rcu_online(quiescent, worker)
                var rounds = 0
                while !self.isStopping.load(ordering: .relaxed) {
                    body(&reader)
                    self.bursts.add(1, ordering: .relaxed)
                    rounds += 1
                    // A worker sleeps now and then; nobody may wait for it meanwhile.
                    if rounds % 64 == 0 {
                        culvert_rcu_offline(quiescent, worker)
                        usleep(200)
                        culvert_rcu_online(quiescent, worker)
                    }
                }
                culvert_rcu_offline(quiescent, worker)
                self.results.withLock { $0.append(reader) }
                self.running.subtract(1, ordering: .sequentiallyConsistent)
            }.start()
        }
    }

    static func register(_ segment: SegmentMapping, count: UInt32) {
        for worker in 0..<count { #expect(culvert_rcu_register(segment.view.quiescent, worker) == 0) }
    }

    func stop() -> [TableReader] {
        isStopping.store(true, ordering: .relaxed)
        while running.load(ordering: .sequentiallyConsistent) > 0 { usleep(100) }
        return results.withLock { $0 }
    }
}

/// The program beside this test's own.
private func victimPath() -> String {
    let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
    return URL(filePath: own).deletingLastPathComponent().appending(path: "table-writer-victim").path
}

@Suite(.serialized) struct TableTests {
    /// 60,000 sessions come, change and go while readers look them up. Half of them stay: those are always found.
    @Test func sixtyThousandSessionsUnderReaders() throws {
        let segment = try makeSegment(Geometry(tunnels: 128))
        let readerCount: UInt32 = 2
        Readers.register(segment, count: readerCount)
        let writer = TableWriter.recovering(try SegmentMapping.attachControlPlane(path: segment.path)).writer
        let before = writer.occupancy
        var tunnels: [TunnelID] = []
        for _ in 0..<64 {
            let id = try writer.allocateTunnel(owner: .external)
            try writer.publishTunnel(id, header: outerHeader(tunnel: id.rawValue, generation: 1))
            tunnels.append(id)
        }
        func add(_ client: UInt32, _ generation: UInt32) throws -> SessionRecord {
            let payload = SessionPayload(client: client, generation: generation)
            let (upstream, _) = try writer.addExternal(
                port: payload.port, outerVLAN: payload.outerVLAN, innerVLAN: payload.innerVLAN, tpid: payload.tpid,
                clientMAC: MACAddress(value: payload.clientMAC), tunnel: tunnels[Int(client) % 64],
                peerSessionID: payload.peerSessionID, reference: payload.reference)
            return try #require(writer.session(at: upstream.slot))
        }

        let stable = try (0..<30_000).map { try add($0, 1) }
        let expected = stable.map { ($0.reference, $0.circuit.index.rawValue, $0.sessionID) }
        let readers = Readers(segment, count: readerCount) { reader in
            let start = Int.random(in: 0..<expected.count - 32)
            for (reference, circuit, sessionID) in expected[start..<start + 32] {
                reader.expect(reference, circuit: circuit, sessionID: sessionID)
            }
            reader.quiescent()
            reader.burst()
        }

        var ended = 0
        var packets: UInt64 = 0
        func drain() {
            writer.reclaim { totals in
                ended += 1
                packets += totals.counters.upstreamPackets
                #expect(totals.counters.upstreamOctets == 100 * totals.counters.upstreamPackets)
            }
        }
        let rounds: UInt32 = 4
        for generation in 1...rounds {
            var slots: [UpstreamSlot] = []
            for client in 30_000..<60_000 as Range<UInt32> {
                if client % 3 > 0 {
                    slots.append(try add(client, generation).slot)
                } else {
                    // As culvertd does it: PPP first, the tunnel later.
                    let payload = SessionPayload(client: client, generation: generation)
                    let circuit = try writer.circuit(
                        port: payload.port, outerVLAN: payload.outerVLAN, innerVLAN: payload.innerVLAN,
                        tpid: payload.tpid)
                    let upstream = try writer.allocateUpstream(
                        circuit: circuit, clientMAC: MACAddress(value: payload.clientMAC),
                        reference: payload.reference)
                    let downstream = try writer.allocateDownstream(tunnel: tunnels[Int(client) % 64])
                    try writer.forward(upstream.slot, downstream.slot, peerSessionID: payload.peerSessionID)
                    slots.append(upstream.slot)
                }
                if client % 16 == 0 {
                    let id = tunnels[Int(client / 16) % 64]
                    try writer.updateTemplate(
                        id, header: outerHeader(tunnel: id.rawValue, generation: generation << 16 | client))
                    drain()
                }
            }
            #expect(UInt32(slots.count) + 30_000 == 60_000)
            for (index, slot) in slots.shuffled().enumerated() {
                try writer.remove(slot)
                if index % 64 == 0 { drain() }
            }
            // The last region is full of what waits: let the readers pass before the next round.
            while writer.occupancy.freeUpstream < 30_000 { drain() }
        }
        while writer.occupancy.waiting > 0 { drain() }
        #expect(ended == Int(rounds) * 30_000)
        let results = readers.stop()
        #expect(results.count == 2)
        for reader in results {
            #expect(reader.faults.isEmpty)
            #expect(reader.hits > 10_000)
            #expect(reader.templates > 1_000)
        }
        #expect(packets > 0)
        for record in stable { try writer.remove(record.slot) }
        while writer.occupancy.waiting > 0 { drain() }
        for tunnel in tunnels { try writer.removeTunnel(tunnel) }
        while writer.occupancy.waiting > 0 { drain() }
        #expect(writer.occupancy == before)
    }

    /// The writer is killed a thousand times, anywhere: while it takes over, while it changes things. Readers find each
    /// session whole or not at all, and each next writer balances the books to the last place.
    @Test(.timeLimit(.minutes(2))) func writerIsKilledAThousandTimes() throws {
        let segment = try makeSegment(
            Geometry(
                sessions: 256, tunnels: 32, circuits: 128, vlanBlocks: 64, workers: 2, ports: 2, frameRingDepth: 64))
        Readers.register(segment, count: 2)
        let readers = Readers(segment, count: 2) { reader in reader.burst() }
        var random = SeededGenerator(seed: 7)
        var killedReady = 0
        var failures: [String] = []
        let begin = ContinuousClock.now
        for round in 0..<1_000 where failures.count < 5 {
            let victim = try Victim(["churn", segment.path, "\(round)"])
            if random.below(4) > 0 {
                if victim.waitUntilReady() { killedReady += 1 }
                usleep(UInt32(random.below(2_000)))
            } else {
                // Starting takes some 10 ms, taking over a part of one.
                usleep(UInt32(random.below(20_000)))
            }
            let status = victim.kill()
            if status != .killed { failures.append("round \(round): \(status)") }
        }
        let took = begin.duration(to: .now)
        let results = readers.stop()
        #expect(failures.isEmpty)
        #expect(killedReady > 600)
        #expect(took < .seconds(60), "a thousand rounds took \(took)")
        for reader in results {
            #expect(reader.faults.isEmpty)
            #expect(reader.hits > 10_000)
            #expect(reader.templates > 1_000)
        }
        // The last word is the test's own: nothing is lost.
        let (writer, recovery) = TableWriter.recovering(try SegmentMapping.attachControlPlane(path: segment.path))
        var slots: [UpstreamSlot] = []
        writer.forEachSession { record in
            slots.append(record.slot)
            return true
        }
        #expect(slots.count == recovery.externalSessions + recovery.subscriberSessions.count)
        for slot in slots { try writer.remove(slot) }
        while writer.occupancy.waiting > 0 { writer.reclaim { _ in } }
        var tunnels: [TunnelID] = []
        writer.forEachTunnel { tunnels.append($0.id) }
        for tunnel in tunnels { try writer.removeTunnel(tunnel) }
        while writer.occupancy.waiting > 0 { writer.reclaim { _ in } }
        #expect(
            writer.occupancy
                == Occupancy(
                    freeUpstream: 256, freeDownstream: 256, freeTunnels: 31, freeCircuits: 128, freeVLANBlocks: 63,
                    freePolicers: 1_024, waiting: 0))
    }

    /// A million sessions in service, then all of them waiting to be freed: segment and writer together.
    @Test func memoryStaysBelow320BytesASession() throws {
        let geometry = Geometry(sessions: 1_048_576, tunnels: 65_536, circuits: 4_096, vlanBlocks: 64)
        let segment = try makeSegment(geometry)
        let victim = try Victim(["memory", segment.path])
        let kilobytes = try #require(Int(victim.output().trimmingCharacters(in: .whitespacesAndNewlines)))
        #expect(victim.wait() == .exited(0))
        let each = (kilobytes * 1_024 + segment.layout.totalSize) / 1_000_000
        #expect(each <= 320, "\(each) bytes a session")
        #expect(kilobytes * 1_024 / 1_000_000 <= 24, "\(kilobytes) kB beside the segment")
    }

    /// culvertd's side of the segment needs none of DPDK's libraries.
    @Test func writerLinksNoDPDK() throws {
        let bytes = try Data(contentsOf: URL(filePath: victimPath()))
        #expect(bytes.range(of: Data("SegmentMapping".utf8)) != nil, "the right file was read")
        #expect(bytes.range(of: Data("librte_".utf8)) == nil)
    }
}

/// A running table-writer-victim.
private final class Victim {
    enum Ending: Equatable {
        case killed
        case exited(Int32)
    }

    private let process: pid_t
    private let read: Int32

    init(_ arguments: [String]) throws {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw POSIXError(.EMFILE) }
        read = ends[0]
        _ = fcntl(ends[0], F_SETFD, FD_CLOEXEC)
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO)
        posix_spawn_file_actions_addclose(&actions, ends[1])
        defer {
            posix_spawn_file_actions_destroy(&actions)
            close(ends[1])
        }
        var words: [UnsafeMutablePointer<CChar>?] = ([victimPath()] + arguments).map { strdup($0) }
        words.append(nil)
        defer { for word in words { free(word) } }
        var process: pid_t = 0
        let code = posix_spawn(&process, victimPath(), &actions, nil, words, environ)
        guard code == 0 else { throw POSIXError(POSIXErrorCode(rawValue: code) ?? .ENOENT) }
        self.process = process
    }

    deinit { close(read) }

    /// Whether it came as far as to say so.
    func waitUntilReady() -> Bool {
        var byte: UInt8 = 0
        return Foundation.read(read, &byte, 1) == 1
    }

    func output() -> String {
        var bytes: [UInt8] = []
        var byte: UInt8 = 0
        while Foundation.read(read, &byte, 1) == 1 { bytes.append(byte) }
        return String(decoding: bytes, as: UTF8.self)
    }

    func kill() -> Ending {
        Foundation.kill(process, SIGKILL)
        return wait()
    }

    func wait() -> Ending {
        var status: Int32 = 0
        while waitpid(process, &status, 0) == -1, errno == EINTR {}
        return status & 0x7f == SIGKILL ? .killed : .exited(status >> 8 & 0xff)
    }
}
