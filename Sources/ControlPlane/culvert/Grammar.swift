import ArgumentParser

/// What the command line understands beyond what its commands declare: global options in front, abbreviations, and the word orders
/// that operators of other equipment are used to.
enum Grammar {
    /// A command as ArgumentParser knows it: its name, and what can follow.
    struct Node {
        var name: String
        var type: any ParsableCommand.Type

        /// The commands below it.
        var children: [Node] { type.configuration.subcommands.map { Node(name: Grammar.name(of: $0), type: $0) } }
    }

    /// All commands.
    static let root = Node(name: "culvert", type: Culvert.self)

    /// The name that a command is typed by: the one that it declares, or its type's in small letters.
    static func name(of type: any ParsableCommand.Type) -> String {
        type.configuration.commandName ?? String(describing: type).lowercased()
    }

    /// The arguments as the commands' own parsers want them.
    static func normalised(_ arguments: some Collection<String>) -> [String] {
        watchInterval(seedOrder(expanded(hoistingGlobalOptions(Array(arguments)[...]))))
    }

    /// Global options that have a value.
    private static let valued = ["--socket", "--connect", "--ca", "--certificate", "--private-key", "--server-name"]

    /// The options with a value that every command takes, wherever they stand.
    static func globalOptions(in words: [String]) -> [String] {
        var rest = words[...]
        var options: [String] = []
        while let first = rest.popFirst() {
            if valued.contains(first) {
                guard let value = rest.popFirst() else { break }
                options += [first, value]
            } else if valued.contains(where: { first.hasPrefix($0 + "=") }) {
                options.append(first)
            }
        }
        return options
    }

    /// Whether there is nothing but options that every command takes.
    static func isOnlyGlobalOptions(_ arguments: ArraySlice<String>) -> Bool {
        var rest = arguments
        while let first = rest.popFirst() {
            if valued.contains(first), rest.popFirst() != nil { continue }
            guard first == "--json" || valued.contains(where: { first.hasPrefix($0 + "=") }) else { return false }
        }
        return true
    }

    /// The options that every command takes may stand in front of the command as well; here they are put behind it, where the
    /// command's own parser finds them.
    static func hoistingGlobalOptions(_ arguments: ArraySlice<String>) -> [String] {
        var rest = arguments
        var hoisted: [String] = []
        while let first = rest.first {
            if valued.contains(first), rest.count > 1 {
                hoisted += rest.prefix(2)
                rest = rest.dropFirst(2)
            } else if first == "--json" || valued.contains(where: { first.hasPrefix($0 + "=") }) {
                hoisted.append(first)
                rest = rest.dropFirst()
            } else {
                break
            }
        }
        guard !rest.isEmpty else { return hoisted }
        // Behind `--` everything is an argument: the options belong in front of it.
        let end = rest.firstIndex(of: "--") ?? rest.endIndex
        return Array(rest[..<end]) + hoisted + Array(rest[end...])
    }

    /// Abbreviated commands in full, where only one can be meant; `no debug` and `undebug` as their command.
    static func expanded(_ arguments: [String]) -> [String] {
        var arguments = arguments
        if arguments.first == "no", arguments.count > 1, "debug".hasPrefix(arguments[1]), arguments[1].count > 1 {
            arguments = ["debug"] + arguments.dropFirst(2) + ["--no"]
        } else if arguments.first == "undebug" {
            arguments = ["debug"] + arguments.dropFirst() + ["--no"]
        }
        var node = root
        for index in arguments.indices {
            let children = node.children
            guard !arguments[index].hasPrefix("-"), let next = choice(arguments[index], among: children) else { break }
            arguments[index] = next.name
            node = next
        }
        return arguments
    }

    /// The command of this name, else the only one whose name begins so.
    static func choice(_ word: String, among nodes: [Node]) -> Node? {
        if let exact = nodes.first(where: { $0.name == word }) { return exact }
        let fitting = word.isEmpty ? [] : nodes.filter { $0.name.hasPrefix(word) }
        return fitting.count == 1 ? fitting[0] : nil
    }

    /// Why the arguments name no command, or more than one; nil: they name one, or the parser has to say.
    static func fault(_ arguments: [String]) -> String? {
        var node = root
        var path: [String] = []
        for word in arguments {
            let children = node.children
            guard !children.isEmpty, !word.hasPrefix("-"), word != "help" else { return nil }
            guard let next = choice(word, among: children) else {
                guard node.type.configuration.defaultSubcommand == nil else { return nil }
                let fitting = children.filter { $0.name.hasPrefix(word) }.map(\.name)
                let typed = (path + [word]).joined(separator: " ")
                return fitting.isEmpty
                    ? "there is no '\(typed)'; what there is: \(children.map(\.name).joined(separator: ", "))"
                    : "'\(typed)' may be \(fitting.joined(separator: ", "))"
            }
            path.append(next.name)
            node = next
        }
        return nil
    }

    /// `show pppoe-ac NAME connections` in the order of the commands: `show pppoe-ac connections NAME`.
    static func seedOrder(_ arguments: [String]) -> [String] {
        let below = ShowPPPoEAC.configuration.subcommands.map { Node(name: name(of: $0), type: $0) }
        guard arguments.count > 3, arguments[0] == "show", arguments[1] == "pppoe-ac",
            !below.contains(where: { $0.name == arguments[2] }), let command = choice(arguments[3], among: below)
        else { return arguments }
        return Array(arguments[..<2]) + [command.name, arguments[2]] + arguments[4...]
    }

    /// `--watch` without a number is `--watch 1`.
    static func watchInterval(_ arguments: [String]) -> [String] {
        guard let place = arguments.firstIndex(of: "--watch"), !arguments[..<place].contains("--") else {
            return arguments
        }
        let next = arguments.index(after: place)
        guard next == arguments.endIndex || Double(arguments[next]) == nil else { return arguments }
        return Array(arguments[...place]) + ["1"] + arguments[next...]
    }
}
