import CDPDK
import CSegment
import Forwarding
import Segment
import Worker

/// Two ports made of rings: the access port and the core port, with their other ends in the hands of this program.
final class RingPorts {
    /// What the ports receive from, by port.
    let receive: [OpaquePointer]
    /// What the ports send to, by port.
    let transmit: [OpaquePointer]
    /// DPDK's numbers of the ports.
    let devices: [UInt16]

    init(pool: OpaquePointer) throws(BenchError) {
        var (receive, transmit, devices): ([OpaquePointer], [OpaquePointer], [UInt16]) = ([], [], [])
        for port in 0..<2 {
            guard let rx = culvert_ring_create("bench_rx_\(port)", 1_024, 0),
                let tx = culvert_ring_create("bench_tx_\(port)", 1_024, 0)
            else { throw .noMemory("rings") }
            let device = culvert_port_from_rings("bench\(port)", rx, tx, 0)
            guard device >= 0 else { throw .environment("no port can be made of rings") }
            try startPort(UInt16(device), pool: pool)
            receive.append(rx)
            transmit.append(tx)
            devices.append(UInt16(device))
        }
        (self.receive, self.transmit, self.devices) = (receive, transmit, devices)
    }
}

/// Configures a port with one queue each way, and starts it.
func startPort(_ device: UInt16, pool: OpaquePointer) throws(BenchError) {
    guard culvert_port_configure(device, 1, 1, 1_500, 0, 0, 0) == 0,
        culvert_port_rx_queue(device, 0, 1_024, 0, pool) == 0, culvert_port_tx_queue(device, 0, 1_024, 0) == 0,
        culvert_port_start(device) == 0
    else { throw .environment("port \(device) does not start") }
}

extension Scenario {
    /// The product's worker `index` of `count` over the scenario's segment, with these devices as access and core port; the first
    /// one receives. One thread runs all of them, or there is only one: they have the transmit queue in common.
    func worker(
        _ index: UInt32 = 0, of count: UInt32 = 1, devices: [UInt16], isDispatched: Bool = false
    ) throws(BenchError) -> Worker {
        let ports = zip(devices, ports).map { device, port in
            var port = port
            port.isDispatched = isDispatched
            return Worker.Port(forwarding: port, device: device, transmitQueue: 0)
        }
        let queues = devices.enumerated().map {
            Worker.ReceiveQueue(port: UInt32($0.offset), device: $0.element, queue: 0)
        }
        do {
            return try Worker(
                view: view, index: index, count: count, ports: ports, queues: index == 0 ? queues : [],
                limits: PuntLimits(all: 0))
        } catch {
            throw .noMemory("a worker: \(error)")
        }
    }
}
