import CDPDK
import Glibc

/// Two ports of this program, an access and a core side, whose other ends are the ports of what is measured: shared-memory
/// interfaces (memif) over one socket.
struct MemifLink {
    /// DPDK's numbers of this end's ports.
    let devices: [UInt16]
    private let path: String

    /// The listening end. `name` tells it from others.
    init(_ name: String, folder: String, pool: OpaquePointer) throws(BenchError) {
        path = Self.path(name, in: folder)
        devices = try Self.ports("\(name)_near", role: "server", path: path, pool: pool)
    }

    /// Its socket.
    static func path(_ name: String, in folder: String) -> String { "\(folder)/\(name).sock" }

    /// The other end within this same program, which DPDK takes for another socket when its path is spelt otherwise.
    func farEnd(_ name: String, pool: OpaquePointer) throws(BenchError) -> [UInt16] {
        guard let slash = path.lastIndex(of: "/") else { throw .file(path) }
        let other = path[..<slash] + "/./" + path[path.index(after: slash)...]
        return try Self.ports("\(name)_far", role: "client", path: String(other), pool: pool)
    }

    /// The other end as arguments of another DPDK program.
    var farArguments: [String] {
        (0..<2).map { "--vdev=net_memif\($0),role=client,id=\($0),socket=\(path),socket-abstract=no" }
    }

    /// Waits until both ports' other ends are there; false when that takes longer than `seconds`.
    func isConnected(within seconds: Int) -> Bool {
        for _ in 0..<seconds * 100 {
            let areUp = devices.allSatisfy { device in
                var (speed, up): (UInt32, UInt8) = (0, 0)
                return culvert_port_link(device, &speed, &up) == 0 && up != 0
            }
            if areUp { return true }
            culvert_sleep_ns(10_000_000)
        }
        return false
    }

    private static func ports(
        _ name: String, role: String, path: String, pool: OpaquePointer
    ) throws(BenchError) -> [UInt16] {
        var devices: [UInt16] = []
        for id in 0..<2 {
            let device = "net_memif_\(name)\(id)"
            var number: UInt16 = 0
            guard culvert_device_probe("\(device),role=\(role),id=\(id),socket=\(path),socket-abstract=no") == 0,
                culvert_port_by_name(device, &number) == 0
            else { throw .environment("no port \(device)") }
            try startPort(number, pool: pool)
            devices.append(number)
        }
        return devices
    }
}
