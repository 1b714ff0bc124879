import CDPDK

/// There is no memory left on a NUMA node.
public struct AllocationError: Error, CustomStringConvertible {
    /// Octets that were asked for.
    public let size: Int
    /// The NUMA node.
    public let socket: Int32

    /// What was asked for, and where.
    public var description: String { "no \(size) bytes of memory left on NUMA node \(socket)" }
}

/// Zeroed memory for `count` elements on the NUMA node, in cache lines of its own. Freed with `culvert_free`.
func allocate<Element>(_ count: Int, socket: Int32) throws(AllocationError) -> UnsafeMutablePointer<Element> {
    let size = count * MemoryLayout<Element>.stride
    guard let memory = culvert_allocate(size, socket) else { throw AllocationError(size: size, socket: socket) }
    return memory.bindMemory(to: Element.self, capacity: count)
}
