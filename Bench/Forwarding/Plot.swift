import Glibc

/// A plot of cycles a packet, as SVG.
struct Plot {
    /// A line: its name, its points, and how it is drawn.
    struct Series {
        var name: String
        var colour: String
        var isDashed: Bool
        var points: [(x: Double, y: Double)]
    }

    /// What stands above it.
    var title: String
    /// What the horizontal axis is.
    var axis: String
    /// Whether that axis is logarithmic.
    var isLogarithmic: Bool
    /// The lines.
    var series: [Series]

    private static let (width, height) = (720.0, 440.0)
    private static let (left, right, top, bottom) = (64.0, 700.0, 48.0, 380.0)

    private var positions: [Double] { Set(series.flatMap { $0.points.map(\.x) }).sorted() }
    private var ceiling: Double {
        let highest = series.flatMap { $0.points.map(\.y) }.max() ?? 1
        return ((highest * 1.1 / 20).rounded(.up) * 20)
    }

    private func x(_ value: Double) -> Double {
        let place = { (value: Double) in isLogarithmic ? log10(value) : value }
        let (low, high) = (place(positions.first ?? 1), place(positions.last ?? 1))
        return Self.left + 24 + (Self.right - Self.left - 48) * (high > low ? (place(value) - low) / (high - low) : 0.5)
    }

    private func y(_ value: Double) -> Double { Self.bottom - (Self.bottom - Self.top) * value / ceiling }

    /// The document.
    var svg: String {
        var lines = [
            #"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \#(number(Self.width)) \#(number(Self.height))" "#
                + #"font-family="sans-serif" font-size="12">"#,
            #"<rect width="100%" height="100%" fill="white"/>"#,
            text(title, at: (Self.left, 28), size: 15),
        ]
        for step in stride(from: 0.0, through: ceiling, by: ceiling > 120 ? 20 : 10) {
            lines.append(line((Self.left, y(step)), (Self.right, y(step)), step == 0 ? "#444" : "#ddd"))
            lines.append(text("\(Int(step))", at: (Self.left - 8, y(step) + 4), anchor: "end"))
        }
        for position in positions {
            lines.append(text("\(Int(position))", at: (x(position), Self.bottom + 18), anchor: "middle"))
        }
        lines.append(text(axis, at: ((Self.left + Self.right) / 2, Self.bottom + 36), anchor: "middle"))
        lines.append(text("cycles a packet", at: (Self.left - 52, Self.top - 8)))
        for (index, series) in series.enumerated() {
            let path = series.points.sorted { $0.x < $1.x }.map { "\(number(x($0.x))),\(number(y($0.y)))" }
            let dash = series.isDashed ? #" stroke-dasharray="6 4""# : ""
            lines.append(
                #"<polyline points="\#(path.joined(separator: " "))" fill="none" stroke="\#(series.colour)" "#
                    + #"stroke-width="2"\#(dash)/>"#)
            lines += series.points.map {
                #"<circle cx="\#(number(x($0.x)))" cy="\#(number(y($0.y)))" r="3" fill="\#(series.colour)"/>"#
            }
            let place = (x: Self.left + 20 + Double(index) * 155, y: Self.height - 10)
            lines.append(
                #"<line x1="\#(number(place.x))" y1="\#(number(place.y - 4))" x2="\#(number(place.x + 24))" "#
                    + #"y2="\#(number(place.y - 4))" stroke="\#(series.colour)" stroke-width="2"\#(dash)/>"#)
            lines.append(text(series.name, at: (place.x + 30, place.y)))
        }
        return lines.joined(separator: "\n") + "\n</svg>\n"
    }

    private func number(_ value: Double) -> String { fixed(value, 1) }

    private func line(_ from: (Double, Double), _ to: (Double, Double), _ colour: String) -> String {
        #"<line x1="\#(number(from.0))" y1="\#(number(from.1))" x2="\#(number(to.0))" y2="\#(number(to.1))" "#
            + #"stroke="\#(colour)"/>"#
    }

    private func text(_ text: String, at place: (Double, Double), size: Int = 12, anchor: String = "start") -> String {
        #"<text x="\#(number(place.0))" y="\#(number(place.1))" font-size="\#(size)" text-anchor="\#(anchor)">\#(text)</text>"#
    }
}

extension Plot {
    /// The plots of these figures, by the name of their files: only those for which there are two points to join.
    static func all(of figures: [Figure], text: String) -> [(name: String, plot: Plot)] {
        let common = Case(sessions: 0)
        let bySessions = figures.filter { $0.subject.bytes == common.bytes && $0.subject.tags == common.tags }
        var plots = [32, 8].map { burst in
            (
                name: "cycles-by-sessions-burst-\(burst)",
                plot: Plot(
                    title: "64 octets, bursts of \(burst); \(text)", axis: "sessions", isLogarithmic: true,
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
                        title: "\(sessions) sessions, bursts of \(common.burst); \(text)",
                        axis: "octets of the inner IP packet", isLogarithmic: false, series: series)
                ))
        }
        return plots.filter { $0.plot.positions.count > 1 }
    }

    private static func series(of figures: [Figure], by x: (Case) -> Double) -> [Series] {
        Direction.allCases.flatMap { direction in
            let colour = direction == .encapsulate ? "#1565c0" : "#c62828"
            let own = figures.filter { $0.direction == direction }
            return [
                Series(
                    name: "\(direction.rawValue), Swift", colour: colour, isDashed: false,
                    points: own.map { (x($0.subject), $0.swift.best) }),
                Series(
                    name: "\(direction.rawValue), C", colour: colour, isDashed: true,
                    points: own.map { (x($0.subject), $0.baseline?.samples.best ?? 0) }),
            ]
        }
    }
}
