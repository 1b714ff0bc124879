import Glibc

/// A plot of what something costs over how much of it there is, as SVG.
public struct Plot {
    /// A line: its name, its points, and how it is drawn.
    public struct Series {
        /// What the legend calls it.
        public var name: String
        /// Its colour, as CSS writes it.
        public var colour: String
        /// Whether it is a broken line.
        public var isDashed: Bool
        /// Its points, in any order.
        public var points: [(x: Double, y: Double)]

        /// A line through `points`.
        public init(name: String, colour: String, isDashed: Bool = false, points: [(x: Double, y: Double)]) {
            self.name = name
            self.colour = colour
            self.isDashed = isDashed
            self.points = points
        }
    }

    /// What stands above it.
    public var title: String
    /// What the vertical axis is.
    public var unit: String
    /// What the horizontal axis is.
    public var axis: String
    /// Whether that axis is logarithmic.
    public var isLogarithmic: Bool
    /// The lines.
    public var series: [Series]

    /// A plot of these lines.
    public init(title: String, unit: String, axis: String, isLogarithmic: Bool, series: [Series]) {
        self.title = title
        self.unit = unit
        self.axis = axis
        self.isLogarithmic = isLogarithmic
        self.series = series
    }

    private static let (width, height) = (720.0, 440.0)
    private static let (left, right, top, bottom) = (64.0, 700.0, 48.0, 380.0)

    /// Where the lines have points, on the horizontal axis.
    public var positions: [Double] { Set(series.flatMap { $0.points.map(\.x) }).sorted() }
    /// Between two lines of the grid: 1, 2 or 5 times a power of ten, such that there are five to twelve of them.
    private var step: Double {
        let highest = max(series.flatMap { $0.points.map(\.y) }.max() ?? 1, 1)
        let rough = highest * 1.1 / 10
        let power = pow(10, log10(rough).rounded(.down))
        return power * ([1, 2, 5].first { power * $0 >= rough } ?? 10)
    }

    private var ceiling: Double {
        let highest = max(series.flatMap { $0.points.map(\.y) }.max() ?? 1, 1)
        return (highest * 1.1 / step).rounded(.up) * step
    }

    private func x(_ value: Double) -> Double {
        let place = { (value: Double) in isLogarithmic ? log10(value) : value }
        let (low, high) = (place(positions.first ?? 1), place(positions.last ?? 1))
        return Self.left + 24 + (Self.right - Self.left - 48) * (high > low ? (place(value) - low) / (high - low) : 0.5)
    }

    private func y(_ value: Double) -> Double { Self.bottom - (Self.bottom - Self.top) * value / ceiling }

    /// The document.
    public var svg: String {
        var lines = [
            #"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \#(number(Self.width)) \#(number(Self.height))" "#
                + #"font-family="sans-serif" font-size="12">"#,
            #"<rect width="100%" height="100%" fill="white"/>"#,
            text(title, at: (Self.left, 28), size: 15),
        ]
        for level in stride(from: 0.0, through: ceiling, by: step) {
            lines.append(line((Self.left, y(level)), (Self.right, y(level)), level == 0 ? "#444" : "#ddd"))
            lines.append(
                text(
                    level == level.rounded() ? "\(Int(level))" : number(level), at: (Self.left - 8, y(level) + 4),
                    anchor: "end"))
        }
        for position in positions {
            lines.append(text("\(Int(position))", at: (x(position), Self.bottom + 18), anchor: "middle"))
        }
        lines.append(text(axis, at: ((Self.left + Self.right) / 2, Self.bottom + 36), anchor: "middle"))
        lines.append(text(unit, at: (Self.left - 52, Self.top - 8)))
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

    private func number(_ value: Double) -> String {
        let tenths = Int((value * 10).rounded())
        return "\(tenths / 10).\(abs(tenths % 10))"
    }

    private func line(_ from: (Double, Double), _ to: (Double, Double), _ colour: String) -> String {
        #"<line x1="\#(number(from.0))" y1="\#(number(from.1))" x2="\#(number(to.0))" y2="\#(number(to.1))" "#
            + #"stroke="\#(colour)"/>"#
    }

    private func text(_ text: String, at place: (Double, Double), size: Int = 12, anchor: String = "start") -> String {
        #"<text x="\#(number(place.0))" y="\#(number(place.1))" font-size="\#(size)" text-anchor="\#(anchor)">\#(text)</text>"#
    }
}
