import CDPDK
import Wire

/// A port as the forwarding loop knows it. It is this process's own copy: what the segment says of a port's name, address
/// and MTU is for others to read.
@frozen
public struct ForwardingPort: Sendable {
    /// The port's Ethernet address.
    public var mac: MACAddress
    /// Largest Ethernet payload that the port sends, in octets; tags not counted.
    public var mtu: UInt16

    /// A port with this address and MTU.
    public init(mac: MACAddress, mtu: UInt16) {
        self.mac = mac
        self.mtu = mtu
    }
}

/// Frames that wait to be sent, by port. A burst of at most `burst` frames adds at most `burst` to a port, so a buffer that is
/// emptied when it holds `burst` or more never overflows.
@frozen
public struct TransmitBuffers: @unchecked Sendable {
    /// Frames that a port's buffer holds.
    public static let capacity = 64
    /// Frames at which a buffer is to be emptied before the next burst.
    public static let threshold = capacity - Forwarder.burst

    /// Number of ports.
    public let portCount: UInt32
    @usableFromInline let counts: UnsafeMutablePointer<UInt32>
    @usableFromInline let slots: UnsafeMutablePointer<OpaquePointer?>

    init(portCount: UInt32, socket: Int32) throws(AllocationError) {
        self.portCount = portCount
        counts = try allocate(Int(portCount), socket: socket)
        slots = try allocate(Int(portCount) * Self.capacity, socket: socket)
    }

    func deallocate() {
        culvert_free(counts)
        culvert_free(slots)
    }

    /// Frames that wait on `port`, which is below `portCount`.
    @inlinable @inline(__always)
    public func count(port: UInt32) -> Int { Int(truncatingIfNeeded: counts[Int(truncatingIfNeeded: port)]) }

    /// The frames that wait on `port`, which is below `portCount`: the first `count(port:)` pointers.
    @inlinable @inline(__always)
    public func frames(port: UInt32) -> UnsafeMutablePointer<OpaquePointer?> {
        slots + Int(truncatingIfNeeded: port) &* Self.capacity
    }

    /// Forgets the frames that wait on `port`: they were sent, or are the caller's.
    @inlinable @inline(__always)
    public func removeAll(port: UInt32) { counts[Int(truncatingIfNeeded: port)] = 0 }

    /// Adds a frame; false when `port` does not exist, and the frame stays the caller's.
    @inlinable @inline(__always)
    func append(_ frame: PacketBuffer, port: UInt32) -> Bool {
        guard port < portCount else { return false }
        let port = Int(truncatingIfNeeded: port)
        let count = counts[port]
        // The mask holds even if a caller has forgotten to empty the buffer: a frame is lost, memory is not.
        slots[port &* Self.capacity &+ Int(truncatingIfNeeded: count & UInt32(Self.capacity &- 1))] = frame.mbuf
        counts[port] = count &+ 1
        return true
    }
}
