import CDPDK
import CSegment
import Forwarding
import Glibc
import Segment
import Settings

// What follows from the settings before anything is started.
extension DataPlane {
    /// The segment's geometry. Room for workers and ports comes in steps, so that a few more of them do not make a new segment.
    static func geometry(_ settings: DataPlaneSettings) -> Geometry {
        Geometry(
            sessions: settings.sessions, tunnels: settings.tunnels, circuits: settings.circuits,
            vlanBlocks: settings.vlanBlocks, workers: settings.cores.count <= 16 ? 16 : 64,
            ports: settings.ports.count <= 16 ? 16 : 32, frameRingDepth: settings.frameRingDepth)
    }

    /// Packet buffers that each port's pool needs. A frame from one port may wait in any queue of any other, or for the rest of
    /// its datagram or its turn, so the sum over all queues, rings, caches and what workers hold is what a pool must stand.
    static func buffers(_ settings: DataPlaneSettings) -> UInt32 {
        let workers = UInt32(settings.cores.count)
        let received = settings.ports.map { $0.queues.map { UInt32($0) } ?? workers }.max() ?? 1
        let queues = UInt32(Device.descriptors) * (received + workers * UInt32(settings.ports.count))
        let held = settings.reassembly.fragments + settings.reordering.frames
        return queues + workers * (1_024 + 1_024 + 1_024 + 512 + 64 + held) + 512
    }

    /// Megabytes of memory that the pools, rings and queues need.
    static func megabytes(_ settings: DataPlaneSettings, buffers: UInt32, hugePages: Bool) -> Int {
        // DPDK lets no packet buffer cross a page: on ordinary ones each takes whole pages of 4,096 octets.
        let page = hugePages ? 64 : 4_096
        let octets = settings.ports.reduce(0) { sum, port in
            let buffer = max(2_048, Int(port.mtu) + 384) + 512
            return sum + Int(buffers) * ((buffer + page - 1) / page * page)
        }
        let reassembly = settings.reassembly
        // A worker's reorder buffer: 64 octets a message, and at most 8 for its bucket. 4 MB for who may punt what.
        let worker =
            4_194_304 + Int(reassembly.datagrams) * 128 + Int(reassembly.fragments) * 16 + Int(
                settings.reordering.frames) * 72
        let capture = Int(Worker.captureRoom) + 512
        let captures = Int(Worker.captureBuffers(ringDepth: 1_024)) * ((capture + page - 1) / page * page)
        return (octets + settings.cores.count * (worker + captures)) / 1_048_576 + 64
    }

    /// Whether packet buffers come from huge pages.
    /// - Parameter patience: nanoseconds to wait for huge pages that a data plane before may not have given back yet. The
    ///   kernel frees them a moment after the segment's lock.
    static func chooseHugePages(
        _ memory: DataPlaneSettings.Memory, megabytes: Int, patience: UInt64
    ) throws -> Bool {
        guard memory != .ordinary else { return false }
        let total = Environment.hugePageMemory(.all) / 1_048_576
        let deadline = culvert_monotonic_ns() + patience
        var free = Environment.hugePageMemory(.free) / 1_048_576
        while free < megabytes, total >= megabytes, culvert_monotonic_ns() < deadline {
            culvert_sleep_ns(1_000_000)
            free = Environment.hugePageMemory(.free) / 1_048_576
        }
        if free >= megabytes { return true }
        guard memory == .automatic else {
            throw DataPlaneError.environment(
                "\(megabytes) MB of huge pages are needed, \(free) MB are free: raise vm.nr_hugepages, or set "
                    + "dataplane.memory to `auto` or `ordinary`")
        }
        return false
    }

    /// Whether a data plane that has just been killed must be gone altogether before DPDK starts: where there are PCI devices,
    /// which DPDK opens as it starts, or huge pages, which the two would have to share.
    static func mustBeAlone(_ settings: DataPlaneSettings) -> Bool {
        settings.ports.contains { Environment.isPCIAddress($0.device) }
            || settings.memory != .ordinary && Environment.hugePageMemory(.all) > 0
    }

    static func limits(_ settings: DataPlaneSettings.PuntLimits) -> PuntLimits {
        var limits = PuntLimits(all: 0)
        limits[.arp] = settings.arp
        limits[.ipv4] = settings.ipv4
        limits[.ipv6] = settings.ipv6
        limits[.pppoeDiscovery] = settings.pppoeDiscovery
        limits[.pppControl] = settings.pppControl
        limits[.unknownSession] = settings.unknownSession
        limits[.l2tpControl] = settings.l2tpControl
        limits[.tooBig] = settings.tooBig
        limits[.capture] = settings.capture
        limits[.l2tpUnknown] = settings.l2tpUnknown
        return limits
    }

    static func limits(_ settings: DataPlaneSettings.Reassembly) -> ReassemblyLimits {
        ReassemblyLimits(
            datagrams: settings.datagrams, fragments: settings.fragments,
            timeoutMilliseconds: settings.timeoutMilliseconds)
    }

    static func limits(_ settings: DataPlaneSettings.Reordering) -> ReorderLimits {
        ReorderLimits(window: settings.window, frames: settings.frames, timeout: settings.timeout)
    }

    /// Lets the group of the settings open the segment's file.
    static func giveToGroup(_ settings: DataPlaneSettings) throws {
        guard let name = settings.segmentGroup else { return }
        guard let group = getgrnam(name) else {
            throw DataPlaneError.environment("dataplane.segment-group: there is no group `\(name)`")
        }
        guard chown(settings.segment, uid_t.max, group.pointee.gr_gid) == 0 else {
            throw DataPlaneError.environment(
                "\(settings.segment) cannot be given to the group `\(name)`: \(DataPlaneError.text(errno))")
        }
    }
}
