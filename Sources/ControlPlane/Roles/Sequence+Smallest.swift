import HeapModule

extension Sequence where Element: FixedWidthInteger {
    /// The `limit` smallest elements that are `start` or more, in ascending order.
    ///
    /// One pass with a heap of `limit`: so a page of a long list costs a look at every id, and sorts none but its own.
    package func smallest(_ limit: Int, from start: Element) -> [Element] {
        guard limit > 0 else { return [] }
        var heap = Heap<Element>()
        heap.reserveCapacity(limit)
        var largest = Element.max
        for element in self where element >= start {
            if heap.count < limit {
                heap.insert(element)
                if heap.count == limit { largest = heap.max ?? .max }
            } else if element < largest {
                heap.replaceMax(with: element)
                largest = heap.max ?? .max
            }
        }
        return heap.unordered.sorted()
    }
}
