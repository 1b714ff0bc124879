/// Why a bench cannot run.
enum BenchError: Error, CustomStringConvertible {
    case environment(String)
    case noMemory(String)
    case baseline(String)
    case table(String)
    case difference(String)
    case file(String)

    var description: String {
        switch self {
        case .environment(let what): "DPDK's environment does not start: \(what)"
        case .noMemory(let what): "no memory for \(what)"
        case .baseline(let what): "the gcc build of the baseline cannot be loaded: \(what)"
        case .table(let what): "the table cannot be filled: \(what)"
        case .difference(let what): "Swift and C disagree: \(what)"
        case .file(let what): "cannot write \(what)"
        }
    }
}
