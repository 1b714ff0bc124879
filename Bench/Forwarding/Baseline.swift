import CBaseline
import CSegment
import Forwarding
import Glibc
import Segment

/// One build of the C baseline with a worker state of its own over the scenario's segment.
final class Baseline {
    /// The compiler that built it.
    let compiler: String
    private let worker: UnsafeMutablePointer<culvert_baseline>
    private let functions: culvert_baseline_functions

    /// The build that is linked into this program, or the shared object at `path`.
    init(path: String?, view: SegmentView, ports: [ForwardingPort]) throws(BenchError) {
        typealias Entry = @convention(c) () -> UnsafePointer<culvert_baseline_functions>?
        var entry: Entry = culvert_baseline_entry
        if let path {
            guard let library = dlopen(path, RTLD_NOW | RTLD_LOCAL),
                let symbol = dlsym(library, "culvert_baseline_entry")
            else { throw .baseline(dlerror().map { String(cString: $0) } ?? path) }
            entry = unsafeBitCast(symbol, to: Entry.self)
        }
        guard let table = entry() else { throw .baseline("it has no functions") }
        functions = table.pointee
        compiler = String(cString: functions.compiler)
        worker = .allocate(capacity: 1)
        worker.initialize(to: culvert_baseline())
        worker.pointee.ports = UnsafePointer(view.ports)
        worker.pointee.vlan_entries = UnsafePointer(view.vlanEntries)
        worker.pointee.circuits = UnsafePointer(view.circuits)
        worker.pointee.tunnels = UnsafePointer(view.tunnels)
        worker.pointee.templates = UnsafePointer(view.templates)
        worker.pointee.upstream = view.upstream
        worker.pointee.downstream = view.downstream
        worker.pointee.session_mask = view.sessionMask
        worker.pointee.tunnel_mask = view.tunnelMask
        worker.pointee.circuit_mask = view.circuitMask
        worker.pointee.vlan_block_count = view.vlanBlockCount
        worker.pointee.port_count = view.portCount
        worker.pointee.plain_session = (UInt32(view.header.pointee.dataplane_epoch % 255) + 1) << 24
        worker.pointee.ip_identification_step = 1
        withUnsafeMutableBytes(of: &worker.pointee.mtu) { bytes in
            let mtus = bytes.bindMemory(to: UInt16.self)
            for (index, port) in ports.enumerated() { mtus[index] = port.mtu }
        }
    }

    deinit { worker.deallocate() }

    /// IP identification of the next packet that is encapsulated.
    var identification: UInt32 {
        get { worker.pointee.ip_identification }
        set { worker.pointee.ip_identification = newValue }
    }

    /// Frames that were forwarded in either direction.
    var forwarded: UInt64 { worker.pointee.packets.0 + worker.pointee.packets.1 }

    /// Forwards `bursts` bursts of `burst` frames each and forgets where they went.
    func run(_ direction: Direction, _ frames: UnsafeMutablePointer<OpaquePointer?>, burst: Int, bursts: Int) {
        let encapsulates = direction == .encapsulate
        let port = UInt32(encapsulates ? Scenario.accessPort : Scenario.corePort)
        let egress = UInt32(encapsulates ? Scenario.corePort : Scenario.accessPort)
        for index in 0..<bursts {
            functions.receive?(worker, frames + index * burst, UInt32(burst), port)
            culvert_baseline_discard(worker, egress)
        }
    }
}
