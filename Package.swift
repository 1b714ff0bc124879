// swift-tools-version: 6.1
import Foundation
import PackageDescription

// Debian's libdpdk.pc cannot be read by SwiftPM (its multi-line description stops the parser), so DPDK's include
// folders, processor level and libraries are named here. Everything else about the build is ordinary SwiftPM.
#if arch(x86_64)
    let dpdkFlags = ["-I/usr/include/dpdk", "-I/usr/include/x86_64-linux-gnu/dpdk", "-march=x86-64-v3"]
#else
    let dpdkFlags = ["-I/usr/include/dpdk", "-I/usr/include/aarch64-linux-gnu/dpdk", "-march=armv8-a+crc"]
#endif
let dpdkLibraries: [LinkerSetting] = [
    "rte_eal", "rte_ethdev", "rte_mbuf", "rte_mempool", "rte_ring", "rte_rcu", "rte_meter", "rte_telemetry",
    "rte_net_ring", "rte_kvargs", "numa",
].map { .linkedLibrary($0) }

let cDPDK: [CSetting] = [.unsafeFlags(dpdkFlags + ["-O3", "-Wall", "-Wextra", "-Wno-unused-parameter"])]
/// For every Swift target that sees DPDK's headers, directly or through another module.
let swiftDPDK: [SwiftSetting] = [.unsafeFlags(dpdkFlags.flatMap { ["-Xcc", $0] })]

let package = Package(
    name: "culvert",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "culvert-dataplane", targets: ["culvert-dataplane"]),
        .executable(name: "culvertd", targets: ["culvertd"]),
        .executable(name: "culvert", targets: ["culvert"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
        .package(url: "https://github.com/apple/swift-certificates", from: "1.21.1"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
        .package(url: "https://github.com/grpc/grpc-swift-2", from: "2.4.3"),
        .package(url: "https://github.com/grpc/grpc-swift-nio-transport", from: "2.9.2"),
        .package(url: "https://github.com/grpc/grpc-swift-protobuf", from: "2.4.1"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    ],
    targets: [
        // C shims: the shared layout, and static inline wrappers over DPDK.
        .target(name: "CSegment", path: "Sources/CShims/Segment", cSettings: cDPDK),
        .target(name: "CDPDK", dependencies: ["CSegment"], path: "Sources/CShims/DPDK", cSettings: cDPDK),
        .systemLibrary(
            name: "CAres", path: "Sources/CShims/CAres", pkgConfig: "libcares", providers: [.apt(["libc-ares-dev"])]),

        // A line editor for the shell of `culvert`: libedit.
        .target(name: "CEdit", path: "Sources/CShims/Edit", linkerSettings: [.linkedLibrary("edit")]),

        // Data plane: Wire <- Segment <- Forwarding <- Worker <- program.
        .target(name: "Wire", path: "Sources/DataPlane/Wire"),
        .target(name: "Settings", dependencies: ["Wire", "Yams"], path: "Sources/DataPlane/Settings"),
        .target(
            name: "LogLines", dependencies: [.product(name: "Logging", package: "swift-log")],
            path: "Sources/DataPlane/LogLines"),
        .target(
            name: "Segment", dependencies: ["CSegment", "CDPDK", "Wire"], path: "Sources/DataPlane/Segment",
            swiftSettings: swiftDPDK),
        .target(
            name: "Forwarding", dependencies: ["CSegment", "CDPDK", "Wire", "Segment"],
            path: "Sources/DataPlane/Forwarding", swiftSettings: swiftDPDK),
        .target(
            name: "Worker", dependencies: ["CSegment", "CDPDK", "Wire", "Segment", "Forwarding", "Settings"],
            path: "Sources/DataPlane/Worker", swiftSettings: swiftDPDK, linkerSettings: dpdkLibraries),
        .executableTarget(
            name: "culvert-dataplane",
            dependencies: [
                "Worker", "Settings", "LogLines",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ],
            path: "Sources/DataPlane/culvert-dataplane", swiftSettings: swiftDPDK),

        // Control plane: protocols are values that know bytes and time; roles join them; host, RPC and programs do I/O.
        .target(name: "Timing", path: "Sources/ControlPlane/Protocols/Timing"),
        .target(
            name: "PPPoE", dependencies: ["Wire", "Timing", .product(name: "Crypto", package: "swift-crypto")],
            path: "Sources/ControlPlane/Protocols/PPPoE"),
        .target(
            name: "PPP", dependencies: ["Wire", "Timing"], path: "Sources/ControlPlane/Protocols/PPP"),
        .target(
            name: "L2TP",
            dependencies: [
                "Wire", "Timing", .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "DequeModule", package: "swift-collections"),
            ],
            path: "Sources/ControlPlane/Protocols/L2TP"),
        .target(
            name: "Names",
            dependencies: ["Wire", "Timing", .product(name: "DequeModule", package: "swift-collections")],
            path: "Sources/ControlPlane/Protocols/Names"),
        .target(
            name: "RADIUS",
            dependencies: [
                "Wire", "Timing", .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "HeapModule", package: "swift-collections"),
                .product(name: "DequeModule", package: "swift-collections"),
            ],
            path: "Sources/ControlPlane/Protocols/RADIUS"),
        .target(
            name: "Resolver",
            dependencies: [
                "CAres", "Names", "Wire", "Timing", .product(name: "DequeModule", package: "swift-collections"),
            ],
            path: "Sources/ControlPlane/Resolver"),
        .target(
            name: "Store",
            dependencies: [
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "DequeModule", package: "swift-collections"),
            ],
            path: "Sources/ControlPlane/Store"),
        .target(
            name: "Configuration", dependencies: ["Wire", "Names", "Settings", "Observability", "Yams"],
            path: "Sources/ControlPlane/Configuration"),
        .target(name: "Host", dependencies: ["Wire", "Timing"], path: "Sources/ControlPlane/Host"),
        .target(name: "Observability", dependencies: ["Wire"], path: "Sources/ControlPlane/Observability"),
        .target(
            name: "Roles",
            dependencies: [
                "Wire", "Timing", "PPPoE", "PPP", "L2TP", "Names", "RADIUS", "Host", "Segment", "Configuration",
                "Observability",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "HeapModule", package: "swift-collections"),
                .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ],
            path: "Sources/ControlPlane/Roles", exclude: ["State/Proto"], swiftSettings: swiftDPDK),
        .target(
            name: "Listening",
            dependencies: ["Wire", .product(name: "NIOCore", package: "swift-nio")],
            path: "Sources/ControlPlane/Listening"),
        .target(
            name: "Metrics",
            dependencies: [
                "Observability", "Wire", "Listening",
                .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ],
            path: "Sources/ControlPlane/Metrics"),
        .target(
            name: "RPC",
            dependencies: [
                "Observability", "Wire", "Listening",
                .product(name: "GRPCCore", package: "grpc-swift-2"),
                .product(name: "GRPCProtobuf", package: "grpc-swift-protobuf"),
                .product(name: "GRPCNIOTransportHTTP2", package: "grpc-swift-nio-transport"),
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
                .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOTLS", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "NIOCertificateReloading", package: "swift-nio-extras"),
                .product(name: "X509", package: "swift-certificates"),
                .product(name: "Logging", package: "swift-log"),
            ],
            path: "Sources/ControlPlane/RPC", exclude: ["Proto"]),
        .executableTarget(
            name: "culvertd",
            dependencies: [
                "CSegment", "Roles", "RPC", "Metrics", "LogLines", "Configuration", "Segment", "Observability",
                "Settings", "Timing", "Host", "PPPoE", "Wire", "Names", "Resolver", "Store",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            path: "Sources/ControlPlane/culvertd", swiftSettings: swiftDPDK),
        .executableTarget(
            name: "culvert",
            dependencies: [
                "CEdit", "RPC", "Configuration", "Settings", "Observability", "Wire",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Sources/ControlPlane/culvert"),

        // Benchmarks, and the honest C that they compare with.
        .target(
            name: "CBaseline", dependencies: ["CSegment"], path: "Bench/Baseline", exclude: ["build-gcc.sh"],
            cSettings: cDPDK),
        .target(name: "BenchPlot", path: "Bench/Plot"),
        .executableTarget(
            name: "bench-forwarding",
            dependencies: [
                "BenchPlot", "CBaseline", "CSegment", "CDPDK", "Wire", "Segment", "Forwarding", "Worker",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Bench/Forwarding", swiftSettings: swiftDPDK, linkerSettings: dpdkLibraries),

        .executableTarget(
            name: "bench-table",
            dependencies: [
                "CBaseline", "CSegment", "CDPDK", "Wire", "Segment", "Forwarding",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Bench/Table", swiftSettings: swiftDPDK, linkerSettings: dpdkLibraries),
        .executableTarget(
            name: "bench-feed",
            dependencies: [
                "CDPDK", "Wire", "Segment", "RPC", "Observability",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Bench/Control", swiftSettings: swiftDPDK, linkerSettings: dpdkLibraries),

        // Clients and LNSs around a real Culvert.
        .executableTarget(
            name: "bench-setup",
            dependencies: [
                "BenchPlot", "CSegment", "CDPDK", "Wire", "Timing", "PPPoE", "PPP", "L2TP", "Host", "RPC",
                "Observability",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "HeapModule", package: "swift-collections"),
                .product(name: "DequeModule", package: "swift-collections"),
            ],
            path: "Bench/SetUp", swiftSettings: swiftDPDK, linkerSettings: dpdkLibraries),
        .executableTarget(
            name: "bench-journal",
            dependencies: ["Store", .product(name: "ArgumentParser", package: "swift-argument-parser")],
            path: "Bench/Journal"),

        // The real worker behind rings, for the model test: Tests/Model/run.py speaks to it.
        .target(name: "CHarness", path: "Tests/Model/CHarness", cSettings: cDPDK),
        .executableTarget(
            name: "model-harness",
            dependencies: ["CHarness", "CSegment", "CDPDK", "Wire", "Segment", "Forwarding", "Worker"],
            path: "Tests/Model/Harness", swiftSettings: swiftDPDK, linkerSettings: dpdkLibraries),

        // Tests, one folder a module.
        .testTarget(name: "WireTests", dependencies: ["Wire"]),
        .testTarget(name: "SettingsTests", dependencies: ["Settings"]),
        .testTarget(
            name: "ForwardingTests", dependencies: ["CSegment", "CDPDK", "Wire", "Segment", "Forwarding", "Worker"],
            swiftSettings: swiftDPDK),
        .testTarget(
            name: "SegmentTests", dependencies: ["CSegment", "CDPDK", "Wire", "Segment"], swiftSettings: swiftDPDK,
            linkerSettings: dpdkLibraries),
        .target(
            name: "TableFixture", dependencies: ["Segment", "CSegment", "CDPDK", "Wire"], path: "Tests/Table/Fixture",
            swiftSettings: swiftDPDK),
        .executableTarget(
            name: "table-writer-victim", dependencies: ["Segment", "CSegment", "Wire", "TableFixture"],
            path: "Tests/Table/Victim", swiftSettings: swiftDPDK),
        .testTarget(
            name: "TableTests",
            dependencies: ["Segment", "CSegment", "CDPDK", "Wire", "TableFixture", "table-writer-victim"],
            path: "Tests/Table/TableTests", swiftSettings: swiftDPDK, linkerSettings: dpdkLibraries),
        .testTarget(name: "PPPoETests", dependencies: ["PPPoE", "Wire", "Timing"]),
        .testTarget(name: "PPPTests", dependencies: ["PPP", "Wire", "Timing"]),
        .testTarget(name: "L2TPTests", dependencies: ["L2TP", "Wire", "Timing"]),
        .testTarget(name: "RADIUSTests", dependencies: ["RADIUS", "Wire", "Timing"]),
        .testTarget(name: "NamesTests", dependencies: ["Names", "Wire", "Timing"]),
        .testTarget(name: "ResolverTests", dependencies: ["Resolver", "Names", "Wire", "Timing"]),
        .target(name: "StoreFixture", dependencies: ["Store"], path: "Tests/Store/Fixture"),
        .executableTarget(
            name: "store-victim", dependencies: ["Store", "StoreFixture"], path: "Tests/Store/Victim"),
        .testTarget(
            name: "StoreTests",
            dependencies: ["Store", "StoreFixture", "store-victim", .product(name: "GRDB", package: "GRDB.swift")],
            path: "Tests/Store/StoreTests"),
        .testTarget(name: "HostTests", dependencies: ["Host", "Wire", "Timing"]),
        // Clients, LNSs and servers that tests play with, and whole lives of them drawn from a number.
        .target(
            name: "SimulationSupport",
            dependencies: [
                "Roles", "Segment", "Wire", "Timing", "PPPoE", "L2TP", "Names", "RADIUS", "Host", "Configuration",
                "Observability",
                .product(name: "HeapModule", package: "swift-collections"),
                .product(name: "Crypto", package: "swift-crypto"), .product(name: "Logging", package: "swift-log"),
            ],
            path: "Tests/Simulation/Support", swiftSettings: swiftDPDK),
        .executableTarget(
            name: "simulate",
            dependencies: [
                "SimulationSupport", .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Tests/Simulation/Runner", swiftSettings: swiftDPDK, linkerSettings: dpdkLibraries),
        .testTarget(
            name: "RolesTests",
            dependencies: [
                "SimulationSupport", "CDPDK", "Roles", "Segment", "Wire", "Timing", "PPPoE", "L2TP", "Names", "RADIUS",
                "Configuration", "Observability",
                .product(name: "Crypto", package: "swift-crypto"), .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: swiftDPDK, linkerSettings: dpdkLibraries),
        .testTarget(name: "ObservabilityTests", dependencies: ["Observability", "Wire"]),
        .testTarget(
            name: "RPCTests", dependencies: ["RPC", "Observability", "Wire", "Listening", "culvert"],
            exclude: ["shell.py"]),
        .testTarget(
            name: "MetricsTests",
            dependencies: [
                "Metrics", "Observability", "Wire", "Segment", "Host", .product(name: "NIOCore", package: "swift-nio"),
            ],
            exclude: ["prometheus-rules-test.yaml"], swiftSettings: swiftDPDK),
        .testTarget(
            name: "LogLinesTests", dependencies: ["LogLines", .product(name: "Logging", package: "swift-log")]),
        .testTarget(name: "ConfigurationTests", dependencies: ["Configuration", "Settings", "Wire"]),
    ],
    swiftLanguageModes: [.v6]
)
