import CDPDK

/// Lists of datagrams by age: doubly linked, in arrays of indexes. A datagram is in one list at a time; the oldest is at a
/// list's front. Lists are circular through an element of their own, so that nothing is a special case.
struct AgeLists {
    private struct Link {
        var previous: UInt32
        var next: UInt32
    }

    private let links: UnsafeMutablePointer<Link>
    private let elements: UInt32

    /// `lists` empty lists for elements whose indexes are below `elements`.
    init(lists: Int, elements: UInt32, socket: Int32) throws(AllocationError) {
        self.elements = elements
        links = try allocate(Int(elements) + lists, socket: socket)
        for index in 0..<lists {
            let own = elements + UInt32(index)
            links[Int(own)] = Link(previous: own, next: own)
        }
    }

    func deallocate() { culvert_free(links) }

    /// The oldest of a list; nil when the list is empty.
    @inline(__always)
    func oldest(_ list: Int) -> UInt32? {
        let first = links[Int(elements) &+ list].next
        return first < elements ? first : nil
    }

    /// Puts an element that is in no list at the end of one.
    @inline(__always)
    func append(_ element: UInt32, to list: Int) {
        let own = elements &+ UInt32(truncatingIfNeeded: list)
        let last = links[Int(own)].previous
        links[Int(element)] = Link(previous: last, next: own)
        links[Int(last)].next = element
        links[Int(own)].previous = element
    }

    /// Takes an element out of its list.
    @inline(__always)
    func remove(_ element: UInt32) {
        let link = links[Int(element)]
        links[Int(link.previous)].next = link.next
        links[Int(link.next)].previous = link.previous
    }
}
