import ArgumentParser
import Observability

/// What can come next in a line that is being typed.
struct Suggestions {
    /// Something that can be typed next, with what it means.
    struct Candidate: Equatable {
        var text: String
        var meaning: String
    }

    /// What is typed as it stands: commands, keywords, options.
    var words: [Candidate] = []
    /// What stands for a value: `NAME`, with what it is.
    var values: [Candidate] = []
    /// Names that culvertd is asked for.
    var kinds: [NameKind] = []
    /// Whether the line can end here.
    var isComplete = false

    /// What the shell itself understands.
    static let builtIn = [
        Candidate(text: "exit", meaning: "End the shell."),
        Candidate(text: "help", meaning: "Describe a command."),
    ]

    /// What can come behind `words`.
    init(after words: [String]) {
        guard var info = CommandInfo.root else { return }
        var node = Grammar.root
        var rest = Self.inCommandOrder(words)[...]
        while let word = rest.first, !word.hasPrefix("-"), let next = Grammar.choice(word, among: node.children),
            let below = info.children.first(where: { $0.commandName == next.name })
        {
            rest = rest.dropFirst()
            node = next
            info = below
        }
        if !info.children.isEmpty {
            guard rest.isEmpty else { return }
            self.words = info.children.map { Candidate(text: $0.commandName, meaning: $0.abstract ?? "") }
            if node.name == "culvert" { self.words += Self.builtIn }
            isComplete = node.type.configuration.defaultSubcommand != nil
            return
        }
        addArguments(of: info, node.type.configuration.usage, behind: Array(rest))
    }

    /// `no debug` and `undebug` are what they stand for; seed order is the commands' order.
    private static func inCommandOrder(_ words: [String]) -> [String] {
        var words = words
        if words.first == "no" { words.removeFirst() }
        if words.first == "undebug" { words[0] = "debug" }
        return Grammar.seedOrder(Grammar.expanded(words))
    }

    private mutating func addArguments(of info: CommandInfo, _ usage: String?, behind typed: [String]) {
        let arguments = info.arguments ?? []
        let options = arguments.filter { $0.kind != "positional" }
        let positionals = arguments.filter { $0.kind == "positional" }
        // The value of an option?
        if let last = typed.last, let option = options.first(where: { $0.longNames.contains(last) }),
            option.kind == "option"
        {
            let name = option.longNames.contains("--tunnel") ? "tunnel" : option.valueName ?? "value"
            values = [Candidate(text: name.uppercased(), meaning: option.abstract ?? "")]
            kinds = Completion.kind(ofValue: name).map { [$0] } ?? []
            return
        }
        let keywords = Self.keywords(of: usage, info.commandName)
        let open = Self.positionals(in: typed, options: options)
        if let last = open.last, keywords.contains(last), let kind = NameKind(keyword: last) {
            values = [Candidate(text: kind.rawValue.uppercased(), meaning: "Which \(last).")]
            kinds = [kind]
            return
        }
        let unnamed = open.filter { !keywords.contains($0) }
        for (index, argument) in positionals.enumerated() where argument.isRepeating || index >= open.count {
            if let choices = argument.allValues, !choices.isEmpty {
                words += choices.map { Candidate(text: $0, meaning: argument.abstract ?? "") }
            } else if unnamed.isEmpty || !argument.isRepeating {
                let name = argument.valueName ?? "value"
                if usage == nil || Completion.kind(ofValue: name) != nil {
                    values.append(Candidate(text: name.uppercased(), meaning: argument.abstract ?? ""))
                    kinds += Completion.kind(ofValue: name).map { [$0] } ?? []
                }
            }
            if !argument.isRepeating { break }
        }
        words += keywords.filter { !open.contains($0) && !words.map(\.text).contains($0) }.map {
            Candidate(text: $0, meaning: "")
        }
        words += options.filter { Set($0.longNames).isDisjoint(with: typed) }.flatMap { option in
            option.longNames.filter { $0 != "--help" && $0 != "--version" }.map {
                Candidate(text: $0, meaning: option.abstract ?? "")
            }
        }
        isComplete = positionals.prefix { !$0.isOptional }.count <= open.count
    }

    /// Words that a usage line has in small letters behind the command's name: keywords.
    static func keywords(of usage: String?, _ command: String) -> [String] {
        var keywords: [String] = []
        for line in (usage ?? "").split(separator: "\n") {
            let words = line.split { " []|".contains($0) }.map(String.init)
            guard let start = words.firstIndex(of: command) else { continue }
            for word in words[(start + 1)...]
            where word == word.lowercased() && word.first?.isLetter == true && !keywords.contains(word) {
                keywords.append(word)
            }
        }
        return keywords
    }

    /// The words that are no options and no options' values.
    private static func positionals(in words: [String], options: [CommandInfo.Argument]) -> [String] {
        var open: [String] = []
        var isValue = false
        for word in words {
            if isValue {
                isValue = false
            } else if word.hasPrefix("--") {
                isValue = options.contains { $0.kind == "option" && $0.longNames.contains(word) }
            } else {
                open.append(word)
            }
        }
        return open
    }
}

extension NameKind {
    /// The names that follow a keyword.
    init?(keyword: String) {
        switch keyword {
        case "tunnel": self = .tunnel
        case "session": self = .session
        case "destination": self = .destination
        case "pppoe-ac": self = .instance
        case "interface": self = .interface
        default: return nil
        }
    }
}
