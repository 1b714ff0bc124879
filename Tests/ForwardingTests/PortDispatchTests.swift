import CDPDK
import CSegment
import Forwarding
import Settings
import Testing
import Worker

/// How a port is dispatched, by setting, workers and device; and who polls what.
@Suite struct PortDispatchTests {
    static let pppoe = CULVERT_RSS_PPPOE
    static let l2tp = CULVERT_RSS_L2TPV2
    static let ip = CULVERT_RSS_IP_UDP

    struct Case: CustomTestStringConvertible, Sendable {
        let setting: DataPlaneSettings.Dispatch
        var queues: UInt16?
        let workers: Int
        /// What the device hashes by, and its receive queues.
        let rss: UInt64
        let most: UInt16
        /// Queues, hashing and both ways; or words of the refusal.
        var expected: (queues: UInt16, hashing: UInt64, pppoe: PortDispatch.Way, l2tp: PortDispatch.Way)?
        var refusal: String?

        var testDescription: String { "\(setting) \(queues ?? 0) \(workers) \(String(rss, radix: 16)) \(most)" }
    }

    static let cases: [Case] = [
        // One worker: there is nobody to spread over.
        Case(setting: .automatic, workers: 1, rss: pppoe | l2tp, most: 8, expected: (1, 0, .single, .single)),
        Case(setting: .software, workers: 1, rss: 0, most: 1, expected: (1, 0, .single, .single)),
        Case(setting: .rss, workers: 1, rss: pppoe, most: 8, expected: (1, 0, .single, .single)),
        // By itself: the device where it can hash sessions, each kind for itself.
        Case(setting: .automatic, workers: 4, rss: pppoe | l2tp | ip, most: 8, expected: (4, pppoe | l2tp, .rss, .rss)),
        Case(setting: .automatic, workers: 4, rss: pppoe | ip, most: 8, expected: (4, pppoe, .rss, .software)),
        Case(setting: .automatic, workers: 4, rss: l2tp | ip, most: 8, expected: (4, l2tp, .software, .rss)),
        Case(setting: .automatic, queues: 2, workers: 4, rss: pppoe, most: 8, expected: (2, pppoe, .rss, .software)),
        // Addresses and ports are one hash for all that comes from an LNS.
        Case(setting: .automatic, workers: 4, rss: ip, most: 8, expected: (1, 0, .software, .software)),
        Case(setting: .automatic, queues: 4, workers: 4, rss: ip, most: 8, expected: (4, ip, .software, .software)),
        // Too few queues.
        Case(setting: .automatic, workers: 4, rss: pppoe | l2tp, most: 2, expected: (1, 0, .software, .software)),
        Case(setting: .automatic, queues: 1, workers: 4, rss: pppoe, most: 8, expected: (1, 0, .software, .software)),
        Case(setting: .automatic, workers: 2, rss: 0, most: 1, expected: (1, 0, .software, .software)),
        // As it is told.
        Case(setting: .single, workers: 4, rss: pppoe | l2tp, most: 8, expected: (1, 0, .single, .single)),
        Case(setting: .software, workers: 4, rss: pppoe | l2tp, most: 8, expected: (1, 0, .software, .software)),
        Case(setting: .rss, workers: 4, rss: pppoe | l2tp, most: 2, expected: (2, pppoe | l2tp, .rss, .rss)),
        Case(setting: .rss, workers: 2, rss: pppoe, most: 8, expected: (2, pppoe, .rss, .software)),
        // What the device cannot.
        Case(setting: .rss, workers: 2, rss: ip, most: 8, refusal: "neither PPPoE nor L2TPv2"),
        Case(setting: .rss, workers: 2, rss: 0, most: 1, refusal: "neither PPPoE nor L2TPv2"),
        Case(setting: .rss, workers: 1, rss: ip, most: 8, refusal: "neither PPPoE nor L2TPv2"),
        Case(setting: .rss, workers: 2, rss: pppoe, most: 1, refusal: "one receive queue"),
        Case(setting: .automatic, queues: 4, workers: 4, rss: ip, most: 2, refusal: "4 queues are configured"),
    ]

    @Test(arguments: cases) func chooses(example: Case) {
        var device = culvert_port_capability()
        device.rss = example.rss
        device.max_rx_queues = example.most
        do throws(PortDispatch.Refusal) {
            let dispatch = try PortDispatch(
                example.setting, queues: example.queues, workers: example.workers, device: device)
            #expect(dispatch.queues == example.expected?.queues)
            #expect(dispatch.hashing == example.expected?.hashing)
            #expect(dispatch.pppoe == example.expected?.pppoe)
            #expect(dispatch.l2tp == example.expected?.l2tp)
            #expect(dispatch.way(roles: UInt32(CULVERT_PORT_ACCESS)) == dispatch.pppoe)
            #expect(dispatch.way(roles: UInt32(CULVERT_PORT_CORE)) == dispatch.l2tp)
        } catch {
            #expect(example.refusal.map { error.description.contains($0) } == true, "\(error)")
        }
    }

    @Test func waysAreTheSegments() {
        #expect(PortDispatch.Way.single.rawValue == UInt32(CULVERT_DISPATCH_SINGLE))
        #expect(PortDispatch.Way.rss.rawValue == UInt32(CULVERT_DISPATCH_RSS))
        #expect(PortDispatch.Way.software.rawValue == UInt32(CULVERT_DISPATCH_SOFTWARE))
    }

    @Test func aDeviceThatSpreadsByItselfIsPolledWhole() throws {
        var device = culvert_port_capability()
        device.max_rx_queues = 3
        for setting in [DataPlaneSettings.Dispatch.automatic, .software, .single] {
            let dispatch = try PortDispatch(setting, queues: nil, workers: 3, device: device, usesAllQueues: true)
            #expect(dispatch.queues == 3)
            #expect(dispatch.pppoe == (setting == .single ? .single : .software))
        }
        #expect(throws: PortDispatch.Refusal.self) {
            try PortDispatch(.automatic, queues: 2, workers: 3, device: device, usesAllQueues: true)
        }
        let whole = QueueAssignment.assign(ports: [(3, -1, true), (2, -1, true)], workers: [0, 0, 0])
        #expect(whole.map { $0.map(\.port) } == [[0, 0, 0], [1, 1], []])
    }

    /// Queues and NUMA node of each port, the workers' nodes, and each worker's queues as PORT.QUEUE.
    @Test(
        arguments: [
            ([(1, 0), (1, 0)], [0], ["0.0 1.0"]),
            ([(1, 0), (1, 0)], [0, 0], ["0.0", "1.0"]),
            ([(1, 0), (1, 0)], [0, 0, 0], ["0.0", "1.0", ""]),
            ([(2, 0), (2, 0)], [0, 0], ["0.0 1.0", "0.1 1.1"]),
            ([(4, 0)], [0, 0], ["0.0 0.2", "0.1 0.3"]),
            // Near the device first, but no worker twice while another has none of the port.
            ([(1, 1)], [0, 1], ["", "0.0"]),
            ([(1, 1), (1, 1)], [0, 1, 1], ["", "0.0", "1.0"]),
            ([(2, 1)], [0, 1], ["0.1", "0.0"]),
            ([(1, 1), (1, 0)], [0, 1], ["1.0", "0.0"]),
            // A device of no node is near to all.
            ([(1, -1), (1, -1)], [0, 1], ["0.0", "1.0"]),
        ] as [([(UInt16, Int32)], [Int32], [String])])
    func dealsQueuesOut(ports: [(UInt16, Int32)], workers: [Int32], expected: [String]) {
        let assignments = QueueAssignment.assign(ports: ports.map { ($0.0, $0.1, false) }, workers: workers)
        #expect(
            assignments.map { $0.map { "\($0.port).\($0.queue)" }.joined(separator: " ") } == expected)
    }
}
