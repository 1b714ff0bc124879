/// Which worker polls which receive queue.
public enum QueueAssignment {
    /// A receive queue of a port, both by number.
    public struct Queue: Hashable, Sendable {
        /// The port's index.
        public var port: Int
        /// The queue's number.
        public var queue: UInt16

        /// Queue `queue` of port `port`.
        public init(port: Int, queue: UInt16) {
            self.port = port
            self.queue = queue
        }
    }

    /// Deals queues out to workers one by one. A queue goes to a worker that polls none of the port yet, or, where one worker is
    /// to have the whole port, to that one; among those, to one on the device's NUMA node; among those, to the one with the fewest queues, so that the two ports of a pair do not fall to
    /// one worker while another has none; and among those, to the first.
    /// - Parameters:
    ///   - ports: each port's number of queues and NUMA node, negative: unknown; and whether one worker has them all.
    ///   - workers: each worker's NUMA node.
    /// - Returns: each worker's queues.
    public static func assign(
        ports: [(queues: UInt16, node: Int32, isWhole: Bool)], workers: [Int32]
    ) -> [[Queue]] {
        var assignments: [[Queue]] = Array(repeating: [], count: workers.count)
        for (port, device) in ports.enumerated() {
            for queue in 0..<device.queues {
                func cost(_ worker: Int) -> (Int, Int, Int) {
                    let ofPort = assignments[worker].count { $0.port == port }
                    let isFar = device.node >= 0 && workers[worker] != device.node
                    return (device.isWhole ? -ofPort : ofPort, isFar ? 1 : 0, assignments[worker].count)
                }
                guard let worker = workers.indices.min(by: { cost($0) < cost($1) }) else { return assignments }
                assignments[worker].append(Queue(port: port, queue: queue))
            }
        }
        return assignments
    }
}
