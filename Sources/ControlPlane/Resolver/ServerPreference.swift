import Timing

/// Which of several name servers is asked first: the first of the list, but for a while another after that one has been silent.
///
/// With a dead server in front, every look-up would first take its time-out.
package struct ServerPreference {
    /// Look-ups in a row that had to turn to another server before the first is passed over.
    package static let strikesAllowed = 3
    /// How long a silent server is passed over.
    package static let hold: Duration = .seconds(60)

    private let count: Int
    private var preferred = 0
    private var strikes = 0
    private var end = Instant.distantFuture

    /// For `count` servers, at least one.
    package init(count: Int) { self.count = max(1, count) }

    /// Index of the server to ask first.
    package mutating func first(at now: Instant) -> Int {
        if end <= now {
            preferred = 0
            strikes = 0
            end = .distantFuture
        }
        return preferred
    }

    /// A look-up whose first server was `first` was answered, by that one or, `late`, by another after it was silent. Answers the
    /// server's index where it is passed over from now on.
    package mutating func answered(first: Int, late: Bool, at now: Instant) -> Int? {
        // Look-ups that began before the last change tell nothing new.
        guard count > 1, first == preferred else { return nil }
        guard late else {
            strikes = 0
            return nil
        }
        strikes += 1
        guard strikes >= Self.strikesAllowed else { return nil }
        strikes = 0
        preferred = (preferred + 1) % count
        end = preferred == 0 ? .distantFuture : now + Self.hold
        return first
    }
}
