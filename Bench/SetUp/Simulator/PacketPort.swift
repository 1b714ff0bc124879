import CDPDK
import DequeModule
import Timing

/// A port of this program: what it sends goes to the port of the data plane, or to an interface of a lab.
final class PacketPort {
    /// Frames that wait for the other end to make room. What comes on top is lost, as in a queue of a switch.
    private static let patience = 16_384

    private let number: UInt16
    private let pool: OpaquePointer
    /// Frames that have come, and those that are to go: while the first are looked at, some of the second may be sent.
    private let burst: UnsafeMutablePointer<OpaquePointer?>
    private let leaving: UnsafeMutablePointer<OpaquePointer?>
    private var waiting: Deque<OpaquePointer> = []
    /// Frames that were not sent, since nobody took those before them.
    private(set) var lost: UInt64 = 0
    /// Frames that were sent, and that came.
    private(set) var sent: UInt64 = 0
    private(set) var received: UInt64 = 0

    private static let burstLength = 64

    /// Opens DPDK's device `device`, a driver's name with its arguments.
    init(device: String, pool: OpaquePointer) throws {
        var number: UInt16 = 0
        let name = String(device.prefix { $0 != "," })
        guard culvert_device_probe(device) == 0, culvert_port_by_name(name, &number) == 0,
            culvert_port_configure(number, 1, 1, 1_500, 0, 0, 0) == 0,
            culvert_port_rx_queue(number, 0, 1_024, 0, pool) == 0, culvert_port_tx_queue(number, 0, 1_024, 0) == 0,
            culvert_port_start(number) == 0
        else { throw SetUpError("the device \(device) does not start") }
        self.number = number
        self.pool = pool
        burst = .allocate(capacity: Self.burstLength)
        burst.initialize(repeating: nil, count: Self.burstLength)
        leaving = .allocate(capacity: Self.burstLength)
        leaving.initialize(repeating: nil, count: Self.burstLength)
    }

    deinit {
        burst.deallocate()
        leaving.deallocate()
    }

    /// Whether there is another end.
    var isUp: Bool {
        var (speed, up): (UInt32, UInt8) = (0, 0)
        return culvert_port_link(number, &speed, &up) == 0 && up != 0
    }

    /// Hands what has come to `take`, a burst at most; answers how many frames that were.
    func receive(_ take: ([UInt8]) -> Void) -> Int {
        let count = Int(culvert_rx_burst(number, 0, burst, UInt16(Self.burstLength)))
        for index in 0..<count {
            guard let frame = burst[index] else { continue }
            let start = culvert_mbuf_data(frame)
            take(Array(UnsafeRawBufferPointer(start: start, count: Int(culvert_mbuf_data_length(frame)))))
        }
        culvert_mbuf_free_bulk(burst, UInt32(count))
        received += UInt64(count)
        return count
    }

    /// Has a frame sent by the next `flush`.
    func send(_ frame: [UInt8]) {
        guard waiting.count < Self.patience, let buffer = culvert_mbuf_allocate(pool),
            frame.count <= Int(culvert_mbuf_tailroom(buffer))
        else {
            lost += 1
            return
        }
        frame.withUnsafeBytes { bytes in
            if let start = bytes.baseAddress {
                culvert_mbuf_data(buffer).copyMemory(from: start, byteCount: bytes.count)
            }
        }
        culvert_mbuf_set_frame(buffer, 0, UInt32(frame.count))
        waiting.append(buffer)
        if waiting.count >= Self.burstLength { flush() }
    }

    /// Sends what waits, as far as the other end takes it.
    func flush() {
        while !waiting.isEmpty {
            let count = min(waiting.count, Self.burstLength)
            for index in 0..<count { leaving[index] = waiting[index] }
            let taken = Int(culvert_tx_burst(number, 0, leaving, UInt16(count)))
            waiting.removeFirst(taken)
            sent += UInt64(taken)
            guard taken == count else { return }
        }
    }
}
