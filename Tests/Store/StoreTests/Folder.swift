import Foundation
import Store
import Synchronization

/// A folder of its own for a test, gone with it.
final class Folder: Sendable {
    let url = FileManager.default.temporaryDirectory.appending(path: "culvert-store-\(UUID().uuidString)")

    init() throws { try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true) }

    deinit { try? FileManager.default.removeItem(at: url) }

    /// Path of a file in it.
    func path(_ name: String = "store.sqlite") -> String { url.appending(path: name).path }

    /// Names of the files in it, in order.
    var names: [String] { ((try? FileManager.default.contentsOfDirectory(atPath: url.path)) ?? []).sorted() }
}

/// What a store has told.
final class Events: Sendable {
    private let events = Mutex<[StoreEvent]>([])

    func take(_ event: StoreEvent) { events.withLock { $0.append(event) } }

    /// Ids that are durable, in the order in which they were told.
    var durable: [JournalRecordID] {
        events.withLock { events in
            events.flatMap { event -> [JournalRecordID] in
                guard case .journalled(let ids) = event else { return [] }
                return ids
            }
        }
    }

    /// What else was told.
    var others: [StoreEvent] {
        events.withLock { events in
            events.filter { event in
                guard case .journalled = event else { return true }
                return false
            }
        }
    }
}
