// The process that the store's tests kill, and that works on disks which are too small.
//
//     store-victim churn FILE SEED      appends and removes records without end; tells on its standard output what it does
//     store-victim commit FILE SEED     commits rows with the records that belong to them, without end; tells likewise
//     store-victim limited FILE OCTETS  works with files that may not grow beyond OCTETS, then with files that may
//     store-victim full FILE BALLAST    works on a disk that BALLAST fills to the last octet, then removes that
import Glibc

func fail(_ text: String) -> Never {
    say("store-victim: \(text)\n", to: STDERR_FILENO)
    exit(3)
}

/// One write(2): what is said at once is not torn by a kill, nor mixed with what another thread says.
func say(_ text: String, to file: Int32 = STDOUT_FILENO) {
    var text = text
    let written = text.withUTF8 { write(file, $0.baseAddress, $0.count) }
    guard written == text.utf8.count else { exit(4) }
}

let arguments = CommandLine.arguments
do {
    switch (arguments.dropFirst().first, arguments.count) {
    case ("churn", 4): try churn(path: arguments[2], seed: UInt64(arguments[3]) ?? 0)
    case ("commit", 4): try commit(path: arguments[2], seed: UInt64(arguments[3]) ?? 0)
    case ("limited", 4): try workWithLimitedFiles(path: arguments[2], octets: UInt(arguments[3]) ?? 0)
    case ("full", 4): try workOnAFullDisk(path: arguments[2], ballast: arguments[3])
    default: fail("usage: store-victim churn FILE SEED | limited FILE OCTETS | full FILE BALLAST")
    }
} catch {
    fail("\(error)")
}
