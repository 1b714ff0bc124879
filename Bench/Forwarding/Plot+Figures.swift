import BenchPlot

extension Plot {
    /// The plots of these figures, by the name of their files: only those for which there are two points to join.
    static func all(of figures: [Figure], text: String) -> [(name: String, plot: Plot)] {
        let common = Case(sessions: 0)
        let bySessions = figures.filter { $0.subject.bytes == common.bytes && $0.subject.tags == common.tags }
        var plots = [32, 8].map { burst in
            (
                name: "cycles-by-sessions-burst-\(burst)",
                plot: Plot(
                    title: "64 octets, bursts of \(burst); \(text)", unit: "cycles a packet", axis: "sessions",
                    isLogarithmic: true,
                    series: series(of: bySessions.filter { $0.subject.burst == burst }) { Double($0.sessions) })
            )
        }
        let sized = figures.filter { $0.subject.burst == common.burst && $0.subject.tags == common.tags }
        for sessions in Set(sized.map(\.subject.sessions)).sorted() {
            let series = series(of: sized.filter { $0.subject.sessions == sessions }) { Double($0.bytes) }
            plots.append(
                (
                    name: "cycles-by-size-\(sessions)-sessions",
                    plot: Plot(
                        title: "\(sessions) sessions, bursts of \(common.burst); \(text)", unit: "cycles a packet",
                        axis: "octets of the inner IP packet", isLogarithmic: false, series: series)
                ))
        }
        return plots.filter { $0.plot.positions.count > 1 }
    }

    private static func series(of figures: [Figure], by x: (Case) -> Double) -> [Plot.Series] {
        Direction.allCases.flatMap { direction in
            let colour = direction == .encapsulate ? "#1565c0" : "#c62828"
            let own = figures.filter { $0.direction == direction }
            return [
                Plot.Series(
                    name: "\(direction.rawValue), Swift", colour: colour, isDashed: false,
                    points: own.map { (x($0.subject), $0.swift.best) }),
                Plot.Series(
                    name: "\(direction.rawValue), C", colour: colour, isDashed: true,
                    points: own.map { (x($0.subject), $0.baseline?.samples.best ?? 0) }),
            ]
        }
    }
}
