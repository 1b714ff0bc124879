import Store

/// What the record of a number looks like: the victim appends it, the test knows it again.
public func entry(_ number: UInt64) -> JournalEntry {
    var state = number &* 0x9e37_79b9_7f4a_7c15 | 1
    let payload = (0..<Int(20 + number % 400)).map { _ -> UInt8 in
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return UInt8(truncatingIfNeeded: state)
    }
    return JournalEntry(group: "group\(number % 3)", eventTime: Int64(number), payload: payload)
}
