/// Why the simulator cannot go on.
struct SetUpError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
