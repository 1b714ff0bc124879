import Foundation
import Glibc
import Store
import StoreFixture
import Testing

/// A process that appends and removes is killed at any moment, again and again, and disks fail under another.
@Suite(.timeLimit(.minutes(5))) struct KillTests {
    private let folder: Folder

    init() throws { folder = try Folder() }

    /// Everything that was durable, and whose removal was not asked for, is there, and everything that is there was appended as it is.
    @Test func losesNothingWhenKilled() throws {
        var expected: [Int64: UInt64] = [:]
        var (durable, kept, largest) = (0, 0, 0)
        // Forty times, and more if the moments have been such that there was little to lose.
        func isEnough() -> Bool { durable > 10_000 && kept > 1_000 && largest > 100 }
        for round in 1...400 as ClosedRange<UInt64> where round <= 40 || !isEnough() {
            let victim = try Victim(["churn", folder.path(), "\(round)"])
            let enough = Int.random(in: 1...80_000)
            let first = victim.read { $0 >= enough }
            // And now and then between two words of its.
            usleep(UInt32.random(in: 0...3_000))
            let (rest, wasKilled) = victim.kill()
            #expect(wasKilled)
            var appended: [Int64: UInt64] = [:]
            var going: Set<Int64> = []
            // What was said is said in whole lines: a write of a few thousand octets to a pipe is not torn.
            for line in String(decoding: first + rest, as: UTF8.self).split(separator: "\n") {
                let words = line.split(separator: " ")
                let id = try #require(Int64(String(words[1])))
                switch words[0] {
                case "A":
                    let number = try #require(UInt64(String(words[2])))
                    appended[id] = number
                case "D":
                    durable += 1
                    // What was told to be durable before it was told to be taken.
                    expected[id] = expected[id] ?? 0
                case "R": going.insert(id)
                default: Issue.record("\(line)")
                }
            }
            let (store, opening) = try Store.open(path: folder.path()) { _ in }
            if round > 1, opening != .opened(path: folder.path()) { Issue.record("\(opening)") }
            let records = try store.accounting.records(limit: .max)
            try store.close()
            var found: [Int64: UInt64] = [:]
            for record in records {
                let number = UInt64(record.entry.eventTime)
                found[record.id.rawValue] = number
                #expect(record.entry == entry(number))
                if let known = appended[record.id.rawValue] { #expect(known == number) }
            }
            for (id, number) in expected where !going.contains(id) {
                #expect(found[id] != nil, "record \(id) is lost in round \(round)")
                if number != 0 { #expect(found[id] == number) }
                kept += 1
            }
            expected = found
            largest = max(largest, found.count)
        }
        #expect(isEnough())
    }

    /// What the victim says at its end: how the disk failed, and which records there are.
    private func check(_ victim: Victim, failure: String) throws {
        let (status, said, errors) = victim.wait()
        #expect(status == 0, "\(errors)")
        let lines = said.split(separator: "\n")
        try #require(lines.count == 2, "\(said)")
        #expect(lines[0].contains(failure), "\(lines[0])")
        let store = try Store.open(path: folder.path()) { _ in }.store
        let records = try store.accounting.records(limit: .max)
        #expect(records.map(\.id.description) == lines[1].split(separator: " ").map(String.init))
        #expect(records.count > 1_000)
        for record in records { #expect(record.entry == entry(UInt64(record.entry.eventTime))) }
        try store.close()
    }

    @Test func outlivesADiskThatFails() throws {
        try check(Victim(["limited", folder.path(), "150000"]), failure: "disk I/O error")
    }

    @Test(
        .enabled("it takes root to mount a disk of its own") {
            let canMount = geteuid() == 0 && FileManager.default.isExecutableFile(atPath: "/usr/bin/unshare")
            if !canMount { print("skipped: the store on a full disk: it takes root to mount one") }
            return canMount
        })
    func outlivesADiskThatIsFull() throws {
        // The disk is seen by the victim alone: what is left on it is copied out of there.
        let disk = folder.path("disk")
        try FileManager.default.createDirectory(atPath: disk, withIntermediateDirectories: false)
        let shell = """
            mount -t tmpfs -o size=4m tmpfs '\(disk)'
            "$@"
            cp '\(disk)/store.sqlite' '\(folder.path())'
            """
        try check(
            Victim(["full", disk + "/store.sqlite", disk + "/ballast"], shell: shell),
            failure: "database or disk is full")
    }
}
