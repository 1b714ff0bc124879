import Store
import StoreFixture

/// Appends and removes until it is killed. Says `A id number` for what was taken, `D id` for what is durable, and `R id` before it
/// removes something.
func churn(path: String, seed: UInt64) throws -> Never {
    var random = SystemRandomNumberGenerator()
    let (store, opening) = try Store.open(path: path) { event in
        switch event {
        case .journalled(let ids):
            // A pipe takes 4,096 octets at once or none.
            for start in stride(from: 0, to: ids.count, by: 100) {
                say(ids[start..<min(start + 100, ids.count)].map { "D \($0)\n" }.joined())
            }
        case .committed: break
        case .failing(let error): fail("\(error)")
        case .recovered: fail("recovered from nothing")
        }
    }
    guard case .replaced = opening else {
        var held = try store.accounting.records(limit: .max).map(\.id)
        var number = seed << 32
        while true {
            let entries = (0..<Int.random(in: 1...40, using: &random)).map { _ -> JournalEntry in
                number += 1
                return entry(number)
            }
            let ids = store.accounting.append(entries)
            var said = ""
            for (id, entry) in zip(ids, entries) {
                guard let id else { fail("full") }
                held.append(id)
                said += "A \(id) \(entry.eventTime)\n"
            }
            say(said)
            // About as many go as come, once there are some.
            let going = held.count > 500 ? Int.random(in: 1...40, using: &random) : 0
            var removed: [JournalRecordID] = []
            for _ in 0..<min(going, held.count) {
                removed.append(held.remove(at: Int.random(in: 0..<held.count, using: &random)))
            }
            if !removed.isEmpty { say(removed.map { "R \($0)\n" }.joined()) }
            store.accounting.remove(removed)
        }
    }
    fail("\(opening)")
}
