import Foundation
import Glibc
import GRDB
import Store
import StoreFixture
import Testing

/// What the control plane is at, kept over the death of its process.
@Suite(.timeLimit(.minutes(5))) struct StateTests {
    private let folder: Folder

    init() throws { folder = try Folder() }

    private func open(commit: UInt64 = 0) throws -> (store: Store, opening: StoreOpening, events: Events) {
        let events = Events()
        let (store, opening) = try Store.open(path: folder.path(), commit: commit) { events.take($0) }
        return (store, opening, events)
    }

    private func rows(_ store: Store) -> Set<StateRow> { Set(store.state) }

    @Test func keepsTheLastImages() throws {
        var (store, opening, events) = try open()
        #expect(store.state.isEmpty)
        #expect(
            store.commit([
                StateRow(table: "tunnel", id: 7, image: [1]), StateRow(table: "session", id: 7, image: [2]),
                StateRow(table: "session", id: 8, image: [3]),
            ]) == 1)
        #expect(store.commit([StateRow(table: "session", id: 7, image: [4])]) == 2)
        #expect(
            store.commit([StateRow(table: "session", id: 8, image: nil), StateRow(table: "node", id: 0, image: [])])
                == 3)
        #expect(store.commit([]) == 4)
        try store.flush()
        #expect(store.unwrittenCommits == 0)
        #expect(events.others.last == .committed(4))
        try store.close()
        (store, opening, events) = try open(commit: 4)
        #expect(opening == .opened(path: folder.path()))
        #expect(
            rows(store) == [
                StateRow(table: "tunnel", id: 7, image: [1]), StateRow(table: "session", id: 7, image: [4]),
                StateRow(table: "node", id: 0, image: []),
            ])
        // Numbers go on.
        #expect(store.commit([StateRow(table: "tunnel", id: 7, image: nil)]) == 5)
        try store.close()
        #expect(events.others == [.committed(5)])
    }

    /// A record that was staged is in the journal at once, and on the disk with its commit.
    @Test func recordsGoWithTheirCommit() throws {
        let (store, _, events) = try open()
        let id = try #require(store.accounting.stage(entry(1)))
        #expect(store.accounting.isStaging)
        try store.flush()
        #expect(events.durable.isEmpty)
        _ = store.commit([])
        #expect(!store.accounting.isStaging)
        try store.flush()
        #expect(events.durable == [id])
        store.accounting.stageRemoval(of: [id])
        #expect(store.accounting.statistics.records == 1)
        _ = store.commit([])
        #expect(store.accounting.statistics.records == 0)
        try store.close()
    }

    /// A copy from before: set aside, and its records are not lost.
    @Test func anOlderCopyIsRefused() throws {
        var (store, opening, _) = try open()
        _ = store.commit([StateRow(table: "session", id: 1, image: [1])])
        #expect(store.accounting.append((1...5).map(entry)).count == 5)
        try store.close()
        (store, opening, _) = try open(commit: 2)
        guard case .replaced(_, .older(commit: 1, expected: 2), let aside) = opening else {
            Issue.record("\(opening)")
            return
        }
        #expect(
            opening.description.contains(
                "it is older than the sessions that are up (it ends with commit 1, they are at 2)"))
        #expect(FileManager.default.fileExists(atPath: aside))
        #expect(store.state.isEmpty)
        #expect(try store.accounting.records(limit: .max).map(\.entry) == (1...5).map(entry))
        // Numbers go on behind what peers have seen.
        #expect(store.commit([]) == 3)
        try store.close()
    }

    /// A store of the program before, which had records alone.
    @Test func takesTheFormBefore() throws {
        let database = try DatabaseQueue(path: folder.path())
        try database.writeWithoutTransaction { db in
            try db.execute(
                sql: """
                    PRAGMA journal_mode = WAL;
                    PRAGMA application_id = \(0x434c_5654);
                    CREATE TABLE grdb_migrations (identifier TEXT NOT NULL PRIMARY KEY);
                    INSERT INTO grdb_migrations VALUES ('accounting-journal-1');
                    CREATE TABLE accounting_record (
                        id INTEGER PRIMARY KEY, server_group TEXT NOT NULL, event_time INTEGER NOT NULL, payload BLOB NOT NULL
                    ) STRICT;
                    PRAGMA user_version = 1;
                    INSERT INTO accounting_record VALUES (3, 'isps', 1, x'00');
                    """)
        }
        try database.close()
        let (store, opening, _) = try open()
        #expect(opening == .opened(path: folder.path()))
        #expect(store.state.isEmpty)
        #expect(store.accounting.statistics.found == 1)
        #expect(store.commit([StateRow(table: "node", id: 0, image: [1])]) == 1)
        try store.close()
    }

    /// Killed at any moment: of rows and records neither is there without the other, and all that was told to be written is.
    @Test func commitsAreWhole() throws {
        var least: UInt64 = 0
        var commits = 0
        for round in 1...30 as ClosedRange<UInt64> {
            let victim = try Victim(["commit", folder.path(), "\(round)"])
            let enough = Int.random(in: 1...40_000)
            let first = victim.read { $0 >= enough }
            usleep(UInt32.random(in: 0...3_000))
            let (rest, wasKilled) = victim.kill()
            #expect(wasKilled)
            var written: UInt64 = 0
            var rowOf: [UInt64: Int64] = [:]
            for line in String(decoding: first + rest, as: UTF8.self).split(separator: "\n") {
                let words = line.split(separator: " ")
                if words[0] == "W" { written = max(written, UInt64(words[1]) ?? 0) }
                if words[0] == "N", words.count == 3 { rowOf[UInt64(words[1]) ?? 0] = Int64(words[2]) }
            }
            least = max(least, written)
            let (store, opening, _) = try open(commit: least)
            if case .replaced = opening { Issue.record("round \(round): \(opening)") }
            let sessions = store.state.filter { $0.table == "session" }
            let records = try store.accounting.records(limit: .max)
            try store.close()
            #expect(Set(sessions.map(\.id)) == Set(records.map(\.entry.eventTime)), "round \(round)")
            for row in sessions { #expect(row.image == entry(UInt64(bitPattern: row.id)).payload) }
            // The node's row is of the last commit, and that is no earlier than what was told.
            let last = store.state.first { $0.table == "node" }?.image
            if written > 0, let row = rowOf[written] {
                let newest = sessions.map(\.id).max() ?? 0
                #expect(newest >= row, "round \(round)")
                #expect(last == entry(UInt64(bitPattern: newest)).payload, "round \(round)")
            }
            commits += rowOf.count
        }
        #expect(commits > 1_000)
    }
}
