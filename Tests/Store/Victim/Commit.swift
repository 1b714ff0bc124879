import Store
import StoreFixture

/// Commits until it is killed: each commit has one row of a table, the same number of another one, and a record; now and then the row of
/// an earlier commit goes together with its record. Says `C number` before it gives a commit, and `W number` for what is written.
func commit(path: String, seed: UInt64) throws -> Never {
    var random = SystemRandomNumberGenerator()
    let (store, opening) = try Store.open(path: path) { event in
        if case .committed(let number) = event { say("W \(number)\n") }
    }
    if case .replaced = opening { fail("\(opening)") }
    var held: [(row: Int64, record: JournalRecordID)] = []
    let records = try store.accounting.records(limit: .max)
    for record in records { held.append((record.entry.eventTime, record.id)) }
    var number = Int64(bitPattern: seed << 32)
    while true {
        number += 1
        let image = entry(UInt64(bitPattern: number)).payload
        guard let id = store.accounting.stage(entry(UInt64(bitPattern: number))) else { fail("full") }
        var rows = [
            StateRow(table: "session", id: number, image: image), StateRow(table: "node", id: 0, image: image),
        ]
        if held.count > 200, let place = held.indices.randomElement(using: &random) {
            let gone = held.remove(at: place)
            rows.append(StateRow(table: "session", id: gone.row, image: nil))
            store.accounting.stageRemoval(of: [gone.record])
        }
        held.append((number, id))
        say("C \(number)\n")
        let commit = store.commit(rows)
        say("N \(commit) \(number)\n")
        // As fast as turns of a loop, not as fast as anything can be.
        while store.unwrittenCommits > 64 {}
    }
}
