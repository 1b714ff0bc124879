import ArgumentParser

/// Which way the frames go.
enum Direction: String, CaseIterable, ExpressibleByArgument {
    /// Access to core: PPPoE in, L2TP out.
    case encapsulate
    /// Core to access: L2TP in, PPPoE out.
    case decapsulate
}
