import Testing
import Worker

@Suite struct EnvironmentTests {
    private func arguments(hugePages: Bool = true, devices: [String] = []) -> [String] {
        Environment.Arguments(
            mainCore: 4, cores: [1, 7], hugePages: hugePages, megabytes: 99, devices: devices, prefix: "p"
        ).list
    }

    @Test func pinsThreadsToTheirCores() {
        #expect(arguments().starts(with: ["--lcores", "0@4,1@1,2@7", "--main-lcore", "0"]))
    }

    @Test func takesMemoryFromWhereItIsTold() {
        #expect(!arguments(hugePages: true).contains("--no-huge"))
        #expect(arguments(hugePages: false).contains("--no-huge"))
        #expect(arguments(hugePages: false).contains("99"))
    }

    @Test func touchesNoOtherPCIDevice() {
        #expect(arguments(devices: ["net_null0"]).contains("--no-pci"))
        let list = arguments(devices: ["0000:03:00.0", "net_null0", "04:00.1,key=value"])
        #expect(!list.contains("--no-pci"))
        #expect(list.suffix(4) == ["-a", "0000:03:00.0", "-a", "04:00.1,key=value"])
    }

    @Test(arguments: [
        ("0000:03:00.0", true), ("03:00.0", true), ("03:00.0,x=y", true), ("net_null0", false), ("03:00", false),
        ("net_tap0,iface=a:b.c", false), ("", false), ("zz:00.0", false),
    ])
    func knowsPCIAddresses(device: String, isPCI: Bool) { #expect(Environment.isPCIAddress(device) == isPCI) }
}
