import CDPDK
import CSegment
import Forwarding
import Settings
import Wire

/// A port's device: found, configured and started. Set-up only; the loop knows it by its number.
public struct Device {
    /// What a device is to be.
    public struct Plan: Sendable {
        /// The port's name, for messages.
        public var name: String
        /// DPDK's device string.
        public var device: String
        /// Largest Ethernet payload, in octets, tags not counted.
        public var mtu: UInt16
        /// Receive queues; nil: as many as the way of dispatch takes.
        public var queues: UInt16?
        /// How frames come to the workers.
        public var dispatch: DataPlaneSettings.Dispatch
        /// Workers, each of which has a transmit queue.
        public var workers: UInt16

        /// A device for the port `name`.
        public init(
            name: String, device: String, mtu: UInt16, queues: UInt16?, dispatch: DataPlaneSettings.Dispatch,
            workers: UInt16
        ) {
            self.name = name
            self.device = device
            self.mtu = mtu
            self.queues = queues
            self.dispatch = dispatch
            self.workers = workers
        }
    }

    /// Descriptors that a queue is asked to have; the driver may have another idea.
    static let descriptors: UInt16 = 1_024

    /// What it was to be.
    public let plan: Plan
    /// DPDK's number of the port.
    public let number: UInt16
    /// The Ethernet address.
    public let mac: MACAddress
    /// NUMA node; negative: unknown.
    public let socket: Int32
    /// Buffers that received frames come in.
    public let pool: OpaquePointer
    /// How frames come to the workers, and over how many receive queues.
    public let dispatch: PortDispatch
    /// `CULVERT_OFFLOAD_*`: what the device does for the workers.
    public let offloads: UInt32

    /// Finds the device, makes its buffers, configures it and starts it.
    /// - Parameter buffers: how many packet buffers the port needs.
    /// - Throws: `DataPlaneError`.
    public init(_ plan: Plan, buffers: UInt32) throws {
        self.plan = plan
        func check(_ result: Int32, _ doing: String) throws {
            guard result >= 0 else { throw DataPlaneError.port(plan.name, "\(doing): \(DataPlaneError.text(result))") }
        }
        let device = String(plan.device.prefix { $0 != "," })
        if !Environment.isPCIAddress(plan.device) {
            let arguments = Self.arguments(plan.device, workers: plan.workers)
            try check(culvert_device_probe(arguments), "open `\(arguments)`")
        }
        var number: UInt16 = 0
        try check(culvert_port_by_name(device, &number), "no device `\(device)` is bound to a driver of DPDK")
        var capability = culvert_port_capability()
        try check(culvert_port_capability(number, &capability), "ask `\(device)` what it can do")
        do {
            dispatch = try PortDispatch(
                plan.dispatch, queues: plan.queues, workers: Int(plan.workers), device: capability,
                usesAllQueues: Self.driver(capability) == Self.packetDriver)
        } catch {
            throw DataPlaneError.port(plan.name, error.description)
        }
        guard plan.workers <= capability.max_tx_queues else {
            throw DataPlaneError.port(
                plan.name,
                "\(plan.workers) workers need a transmit queue each, the device has \(capability.max_tx_queues)")
        }
        self.number = number
        socket = capability.socket
        let receiveOffloads = capability.rx_offloads & CULVERT_RX_OFFLOAD_CHECKSUM
        let transmitOffloads =
            capability.tx_offloads & (CULVERT_TX_OFFLOAD_UDP_CHECKSUM | CULVERT_TX_OFFLOAD_CHAINED)
        offloads = Self.offloads(receive: receiveOffloads, transmit: transmitOffloads)
        try check(
            culvert_port_configure(
                number, dispatch.queues, plan.workers, Self.configuredMTU(plan, capability), dispatch.hashing,
                receiveOffloads, transmitOffloads),
            "configure with an MTU of \(plan.mtu)")
        var (receive, transmit) = (Self.descriptors, Self.descriptors)
        try check(culvert_port_adjust_descriptors(number, &receive, &transmit), "choose the length of its queues")
        // A received frame never spans two buffers: one holds the largest that the MTU lets in, with two tags and FCS, and what
        // an offset pad of 255 octets in front of it pushes over the end.
        let room = max(2_048, (UInt32(plan.mtu) + 26 + 255 + 63) / 64 * 64) + UInt32(CULVERT_DEFAULT_HEADROOM)
        guard let pool = culvert_pool_create("culvert_\(number)", buffers, 256, UInt16(room), socket) else {
            throw DataPlaneError.port(
                plan.name, "no memory for \(buffers) packet buffers: \(DataPlaneError.text(culvert_errno()))")
        }
        self.pool = pool
        for queue in 0..<dispatch.queues {
            try check(culvert_port_rx_queue(number, queue, receive, socket, pool), "set up receive queue \(queue)")
        }
        for queue in 0..<plan.workers {
            try check(culvert_port_tx_queue(number, queue, transmit, socket), "set up transmit queue \(queue)")
        }
        try check(culvert_port_start(number), "start")
        _ = culvert_port_all_multicast(number)  // IPv6 neighbours; virtual devices that cannot pass everything anyway
        var octets: [UInt8] = Array(repeating: 0, count: 6)
        try check(culvert_port_mac(number, &octets), "read its address")
        mac = MACAddress(octets) ?? MACAddress(value: 0)
    }

    /// The driver of AF_PACKET sockets.
    private static let packetDriver = "net_af_packet"

    private static func driver(_ capability: culvert_port_capability) -> String {
        withUnsafeBytes(of: capability.driver) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }

    /// What a device is opened with. AF_PACKET sockets come in pairs of queues, and a worker needs one to send: it has as many
    /// as there are workers unless the device says otherwise. The kernel then spreads received frames over all of them.
    static func arguments(_ device: String, workers: UInt16) -> String {
        guard device.hasPrefix(packetDriver), workers > 1, !device.contains("qpairs=") else { return device }
        return "\(device),qpairs=\(workers)"
    }

    /// The MTU that the driver is asked for.
    ///
    /// DPDK 22.11's AF_PACKET driver claims 1,518 octets for its largest frame, and so refuses RFC 4638's 1,508, though its
    /// rings take frames of 2,000 octets and pass them. The interface's own MTU is the administrator's there.
    private static func configuredMTU(_ plan: Plan, _ capability: culvert_port_capability) -> UInt32 {
        guard driver(capability) == packetDriver, capability.max_frame > 18 else { return UInt32(plan.mtu) }
        return min(UInt32(plan.mtu), capability.max_frame - 18)
    }

    /// The port as the forwarder knows it.
    public var forwardingPort: ForwardingPort {
        var port = ForwardingPort(
            mac: mac, mtu: plan.mtu, computesUDPChecksum: offloads & UInt32(CULVERT_OFFLOAD_TX_UDP_CHECKSUM) != 0,
            sendsChained: offloads & UInt32(CULVERT_OFFLOAD_TX_CHAINED) != 0)
        port.dispatchesPPPoE = dispatch.pppoe == .software
        port.dispatchesL2TP = dispatch.l2tp == .software
        return port
    }

    /// `CULVERT_OFFLOAD_*` from what DPDK calls the offloads that are in force.
    private static func offloads(receive: UInt64, transmit: UInt64) -> UInt32 {
        var offloads = 0
        if receive == CULVERT_RX_OFFLOAD_CHECKSUM { offloads |= CULVERT_OFFLOAD_RX_CHECKSUM }
        if transmit & CULVERT_TX_OFFLOAD_UDP_CHECKSUM != 0 { offloads |= CULVERT_OFFLOAD_TX_UDP_CHECKSUM }
        if transmit & CULVERT_TX_OFFLOAD_CHAINED != 0 { offloads |= CULVERT_OFFLOAD_TX_CHAINED }
        return UInt32(truncatingIfNeeded: offloads)
    }

    /// Link speed in Mbit/s, 0 when it is unknown, and whether the link is up.
    public var link: (speed: UInt32, isUp: Bool) {
        var (speed, up): (UInt32, UInt8) = (0, 0)
        _ = culvert_port_link(number, &speed, &up)
        return (speed, up != 0)
    }

    /// The device's own statistics; nil where it has none.
    public var figures: culvert_port_figures? {
        var figures = culvert_port_figures()
        return culvert_port_statistics(number, &figures) == 0 ? figures : nil
    }

    /// Stops and closes the device. No worker polls it any more.
    public func close() {
        culvert_port_stop(number)
        culvert_port_close(number)
    }
}
