/// How sessions are spread over a number of tunnels: the users of two domains, whose profiles allow one session more or less in a
/// tunnel, and whose LNSs share them.
struct TunnelPlan {
    let sessions: Int
    let tunnels: Int

    /// Sessions in a tunnel of the second domain; one more in one of the first.
    var small: Int { sessions / tunnels }
    /// Users of the first domain, who come first.
    var large: Int { (sessions - small * tunnels) * (small + 1) }

    static let domains = ["large.example.net", "small.example.net"]

    func userName(_ number: Int) -> String { "user\(number)@\(Self.domains[number < large ? 0 : 1])" }
}
