import Foundation
import RPC
import Testing

/// `culvert` without a command: a shell on a terminal, commands from a file elsewhere.
@Suite(.serialized, .timeLimit(.minutes(4)))
struct ShellTests {
    /// The cases of shell.py, each a shell on a pseudo-terminal.
    @Test(arguments: ["commands", "completion", "interrupt", "pages"])
    func onATerminal(name: String) async throws {
        let program = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent().appending(path: "culvert")
        let script = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "shell.py")
        try await serving(FakeControlPlane()) { path in
            try await withTemporaryFolder { folder in
                let outcome = try await Child.run(
                    URL(filePath: "/usr/bin/python3"), [script.path(), program.path(), path, folder.path(), name])
                #expect(outcome.status == 0, "\(outcome.output)\(outcome.errors)")
            }
        }
    }

    @Test func fromAFile() async throws {
        try await serving(FakeControlPlane()) { path in
            let outcome = try await CommandLineTests.culvert(
                ["--socket", path],
                input: """
                    # a remark
                    show debugging dns

                    show l2tp tunnel nobody
                    sh run pppoe-ac | include - name
                    """)
            #expect(outcome.output == "DNS debugging:          disabled\n  - name: ac1\n")
            #expect(outcome.errors == "culvert: there is no tunnel named 'nobody'\n")
            #expect(outcome.status == 0)
            // The last command's status is the program's; nothing behind exit is done.
            for (input, status) in [
                ("show version\nshow l2tp tunnel nobody\n", Int32(1)), ("show nothing\n", 64), ("show 'open\n", 64),
                ("exit\nshow nothing\n", 0), ("", 0),
            ] {
                #expect(try await CommandLineTests.culvert(["--socket", path], input: input).status == status)
            }
            #expect(try await CommandLineTests.culvert(["--socket", "/nonexistent"], input: "show status").status == 2)
        }
    }

    /// What the shell completes, other shells do by the script that culvert makes.
    @Test func completionScripts() async throws {
        try await serving(FakeControlPlane()) { path in
            let names = try await CommandLineTests.culvert([
                "---completion", "clear", "l2tp", "tunnel", "--", "positional@0", "6", "3", "culvert", "clear", "l2tp",
                "tunnel", "--socket", path, "tun",
            ])
            #expect(names.output == "tunnel1\ntunnel2\n")
            for shell in ["bash", "zsh", "fish"] {
                let script = try await CommandLineTests.culvert(["--generate-completion-script", shell])
                #expect(script.status == 0)
                #expect(script.output.contains("config-check"))
            }
        }
    }
}
