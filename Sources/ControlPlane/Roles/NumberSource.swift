/// Numbers that are given once, by this process and by all that come after it. They begin with 1 and come round.
///
/// The store is told how far they may have been given, in steps, so that it need not be told of each.
struct NumberSource<Number: FixedWidthInteger & UnsignedInteger> {
    /// The one that was given last.
    private var last: Number = 0
    /// How far they may be given before the store has to be told again: the next process begins behind it.
    private(set) var limit: Number = 0

    /// Numbers from 1 on.
    init() {}

    /// Numbers behind those that an earlier process may have given.
    init(after limit: Number) {
        last = limit
        self.limit = limit
    }

    /// Goes past a number that somebody has.
    mutating func pass(_ number: Number) {
        last = max(last, number)
        limit = max(limit, last)
    }

    /// The next number, and whether the store has to be told of the limit.
    mutating func next() -> (number: Number, isLimitMoved: Bool) {
        if last == .max { (last, limit) = (0, 0) }
        let isAtLimit = last >= limit
        if isAtLimit { limit = last > .max - Self.step ? .max : last + Self.step }
        last += 1
        return (last, isAtLimit)
    }

    private static var step: Number { 16_384 }
}
