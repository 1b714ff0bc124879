/// A rate of frames with a burst, as the generic cell rate algorithm (ITU-T I.371) keeps it: what is remembered of a sender is
/// one point in time, that at which its next frame would be due if its frames came at exactly the rate. A frame may come early
/// by the burst's length.
struct PuntRate {
    /// Cycles between two frames at the rate; 0: none may pass.
    let interval: UInt64
    /// Cycles that a frame may come early.
    let tolerance: UInt64

    /// `rate` frames a second, with bursts of what the rate allows in `burst` cycles. At least eight frames may come early: ARP
    /// and discovery come in small groups however slow the class is.
    init(rate: UInt32, cyclesPerSecond: UInt64, burst: UInt64) {
        interval = rate == 0 ? 0 : max(cyclesPerSecond / UInt64(rate), 1)
        tolerance = max(interval &* 8, burst)
    }

    /// Takes a token at `now`, in cycles, of the sender whose next frame is due at `due`; false when there is none.
    /// - Parameter bursts: how many bursts it may be early by.
    func take(_ due: inout UInt64, now: UInt64, bursts: UInt64 = 1) -> Bool {
        guard interval != 0, due <= now &+ tolerance &* bursts else { return false }
        due = max(due, now) &+ interval
        return true
    }
}
