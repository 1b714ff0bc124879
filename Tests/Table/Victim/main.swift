// The writer that the kill test kills: takes the tables over, balances the books, says so, then changes things at random
// until the end. It links none of DPDK's libraries, as culvertd does not.
//
//     table-writer-victim churn SEGMENT SEED     writes one byte to its standard output when it has taken over
//     table-writer-victim memory SEGMENT         fills 1,000,000 sessions and prints the kilobytes that took
import Glibc
import Segment
import TableFixture

func fail(_ text: String) -> Never {
    let line = Array("table-writer-victim: \(text)\n".utf8)
    _ = write(STDERR_FILENO, line, line.count)
    exit(3)
}

let arguments = CommandLine.arguments
do {
    switch (arguments.dropFirst().first, arguments.count) {
    case ("churn", 4):
        var churn = try Churn(path: arguments[2], seed: UInt64(arguments[3]) ?? 0)
        try churn.run()
    case ("memory", 3): try measureMemory(path: arguments[2])
    default: fail("usage: table-writer-victim churn SEGMENT SEED | memory SEGMENT")
    }
} catch {
    fail("\(error)")
}
