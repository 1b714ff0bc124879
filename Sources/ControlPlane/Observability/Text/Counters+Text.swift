extension ACStatistics {
    /// The view of `show pppoe-ac statistics`.
    public static func text(of counters: [NamedCounter]) -> String {
        let column = 48
        return "PPPoE Access Concentrator Statistics\n" + "Name".padded(to: column) + "Value\n" + TextLayout.rule(61)
            + counters.map { $0.name.padded(to: column) + String($0.value) + "\n" }.joined()
    }
}

extension DataPlaneCounters {
    /// The view of `show counters`: what has been counted at all, unless `zeros` says otherwise; each worker's part is a
    /// column of its own.
    public func text(zeros: Bool = false) -> String {
        let rows = total.enumerated().filter { zeros || $0.element.value != 0 }.map { index, counter in
            [counter.name, String(counter.value)]
                + workers.map { index < $0.counters.count ? String($0.counters[index].value) : "" } + [counter.text]
        }
        let header = ["Name", workers.isEmpty ? "Value" : "Total"] + workers.map { "Worker \($0.index)" } + ["Text"]
        let workerText =
            workers.isEmpty
            ? ""
            : TextLayout.table(
                ["Worker", "Core", "NUMA node", "State", "Loops", "Busy loops", "Heartbeat"],
                workers.map {
                    [
                        String($0.index), String($0.lcore), String($0.numaNode), $0.running ? "running" : "stopped",
                        String($0.loops), String($0.busyLoops), "\($0.heartbeatAgeMilliseconds) ms ago",
                    ]
                }, rightAligned: [4, 5]) + "\n"
        return "Data Plane Counters\n" + TextLayout.rule(68) + workerText
            + TextLayout.table(header, rows, rightAligned: Set(1...(1 + workers.count)))
    }
}
