import ArgumentParser

/// The VLAN tags of access frames.
enum Tags: String, CaseIterable, ExpressibleByArgument {
    /// None. Where the sessions are more than one circuit's ids suffice for, one.
    case untagged
    /// One, a C-TAG.
    case vlan
    /// An S-TAG and a C-TAG.
    case qinq
}
