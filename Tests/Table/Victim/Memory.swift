import Glibc
import Segment
import TableFixture
import Wire

/// Fills a large table, unpublishes all of it, and prints the kilobytes of private memory that the writer took at its worst.
func measureMemory(path: String) throws {
    let segment = try SegmentMapping.attachControlPlane(path: path)
    let before = anonymousKilobytes()
    let writer = TableWriter.recovering(segment).writer
    var tunnels: [TunnelID] = []
    for _ in 0..<64 {
        let id = try writer.allocateTunnel(owner: .external)
        try writer.publishTunnel(id, header: outerHeader(tunnel: id.rawValue, generation: 1))
        tunnels.append(id)
    }
    for number in 0..<1_000_000 as Range<UInt32> {
        let payload = SessionPayload(client: number, generation: 1)
        _ = try writer.addExternal(
            port: payload.port, outerVLAN: UInt16(1 + number >> 1 & 511), innerVLAN: 0, tpid: 0x8100,
            clientMAC: MACAddress(value: payload.clientMAC), tunnel: tunnels[Int(number & 63)],
            peerSessionID: payload.peerSessionID, reference: payload.reference)
    }
    var next: UpstreamSlot? = UpstreamSlot(rawValue: 0)
    while let start = next {
        var slots: [UpstreamSlot] = []
        next = writer.forEachSession(from: start) { record in
            slots.append(record.slot)
            return slots.count < 1_000
        }
        for slot in slots { try writer.remove(slot) }
    }
    print(anonymousKilobytes() - before)
    var ended = 0
    while writer.occupancy.waiting > 0 { writer.reclaim { _ in ended += 1 } }
    guard ended == 1_000_000, writer.occupancy.freeUpstream == segment.geometry.sessions else { fail("\(ended) ended") }
}

/// Private memory of this process, in kilobytes.
private func anonymousKilobytes() -> Int {
    guard let file = fopen("/proc/self/status", "r") else { fail("no /proc/self/status") }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 256)
    while fgets(&line, Int32(line.count), file) != nil {
        let text = String(decoding: line.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        if text.hasPrefix("RssAnon:") { return Int(text.split(whereSeparator: { " \t".contains($0) })[1]) ?? 0 }
    }
    fail("no RssAnon in /proc/self/status")
}
