import Roles
import Timing

// The end of the node's process, and the next one.
extension Simulation {
    /// The process is killed between two of its entry points.
    func restart() {}

    /// The process is killed after so many more of its writes to the table.
    func restartMidway(after operations: Int) {}
}
