import GRDB

/// What stands in the store's file: a group of tables for each purpose, each with its own migrations.
///
/// A later group is another migration, registered behind those that are here; one that is here is never changed. `version` is raised
/// only with a migration that makes the file unreadable for the programs before it.
enum StoreSchema {
    /// SQLite's `application_id`: "CLVT".
    static let applicationID: Int32 = 0x434c_5654
    /// SQLite's `user_version`.
    static let version: Int32 = 1

    /// What fails where a table is missing or is another than it should be.
    static let probes = ["SELECT id, server_group, event_time, payload FROM accounting_record LIMIT 0"]

    /// The same of what `control-state-1` has made.
    static let stateProbes =
        StateTables.names.map { "SELECT id, image FROM \($0) LIMIT 0" } + [
            "SELECT id, number FROM state_commit LIMIT 0"
        ]

    /// Brings any older file to what this program knows.
    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        // Accounting records on their way to RADIUS servers. The payload is the client's own affair.
        migrator.registerMigration("accounting-journal-1") { db in
            try db.execute(
                sql: """
                    CREATE TABLE accounting_record (
                        id INTEGER PRIMARY KEY,
                        server_group TEXT NOT NULL,
                        event_time INTEGER NOT NULL,
                        payload BLOB NOT NULL
                    ) STRICT;
                    PRAGMA user_version = 1;
                    """)
        }
        // What the control plane is at: images in their owner's form, and the number of the last commit.
        migrator.registerMigration("control-state-1") { db in
            for table in StateTables.names {
                try db.execute(sql: "CREATE TABLE \(table) (id INTEGER PRIMARY KEY, image BLOB NOT NULL) STRICT")
            }
            try db.execute(
                sql: "CREATE TABLE state_commit (id INTEGER PRIMARY KEY CHECK (id = 0), number INTEGER NOT NULL) STRICT"
            )
        }
        return migrator
    }
}
