// swift-tools-version: 6.1
import Foundation
import PackageDescription

// The fuzz targets, built by build.sh. A folder beside this file that holds a Swift file and `corpus/` is a target; there
// is nothing to add here unless it uses a module that `modules` does not name yet. `Modules` links to the sources of
// the modules under test, since SwiftPM takes no sources from outside of a package's folder.
let fuzzed: [SwiftSetting] = [.unsafeFlags(["-sanitize=fuzzer,address", "-parse-as-library"])]

// The data plane's modules need DPDK's headers, as in the package's own Package.swift, and nothing else of it: Modules/CDPDK
// has the shims as they are, but packet buffers and memory come from malloc.
#if arch(x86_64)
    let dpdkFlags = ["-I/usr/include/dpdk", "-I/usr/include/x86_64-linux-gnu/dpdk", "-march=x86-64-v3"]
#else
    let dpdkFlags = ["-I/usr/include/dpdk", "-I/usr/include/aarch64-linux-gnu/dpdk", "-march=armv8-a+crc"]
#endif
let cFuzzed: [CSetting] = [.unsafeFlags(dpdkFlags + ["-fsanitize=fuzzer-no-link,address"])]
let dataPlaneHeaders: SwiftSetting = .unsafeFlags(dpdkFlags.flatMap { ["-Xcc", $0] })
let dataPlaneFuzzed: [SwiftSetting] = fuzzed + [dataPlaneHeaders]
/// For what drives them: whether its lines were reached is of no interest.
let dataPlaneDriving: [SwiftSetting] = [.unsafeFlags(["-sanitize=address", "-parse-as-library"]), dataPlaneHeaders]

/// Name of a module under test, the modules and products that it depends on.
let modules: [(name: String, dependencies: [Target.Dependency])] = [
    ("Wire", []),
    ("Timing", []),
    ("PPPoE", ["Wire", "Timing", .product(name: "Crypto", package: "swift-crypto")]),
    ("PPP", ["Wire", "Timing"]),
    ("Host", ["Wire", "Timing"]),
    ("Names", ["Wire", "Timing", .product(name: "DequeModule", package: "swift-collections")]),
    (
        "L2TP",
        [
            "Wire", "Timing", .product(name: "Crypto", package: "swift-crypto"),
            .product(name: "DequeModule", package: "swift-collections"),
        ]
    ),
    (
        "RADIUS",
        [
            "Wire", "Timing", .product(name: "Crypto", package: "swift-crypto"),
            .product(name: "DequeModule", package: "swift-collections"),
            .product(name: "HeapModule", package: "swift-collections"),
        ]
    ),
]

/// The same of the data plane's, with the targets that use them.
let dataPlaneModules: [(name: String, dependencies: [Target.Dependency])] = [
    ("Segment", ["CSegment", "CDPDK", "Wire"]),
    ("Forwarding", ["CSegment", "CDPDK", "Wire", "Segment"]),
]
let dataPlaneTargets: Set = ["Reassembly", "ReceivePath"]

let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
let targets = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted().filter {
    FileManager.default.fileExists(atPath: folder.appendingPathComponent($0).appendingPathComponent("corpus").path)
}

let package = Package(
    name: "culvert-fuzz",
    platforms: [.macOS(.v15)],
    products: targets.map { .library(name: "Fuzz\($0)", type: .static, targets: ["Fuzz\($0)"]) },
    dependencies: [
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
    ],
    targets: modules.map {
        .target(name: $0.name, dependencies: $0.dependencies, path: "Modules/\($0.name)", swiftSettings: fuzzed)
    }
        + dataPlaneModules.map {
            .target(
                name: $0.name, dependencies: $0.dependencies, path: "Modules/\($0.name)",
                swiftSettings: dataPlaneFuzzed)
        }
        + [
            .target(name: "CSegment", path: "Modules/CSegment", cSettings: cFuzzed),
            .target(name: "CDPDK", dependencies: ["CSegment"], path: "Modules/CDPDK", cSettings: cFuzzed),
            .target(
                name: "Fixture", dependencies: ["CSegment", "CDPDK", "Wire", "Segment", "Forwarding"], path: "Fixture",
                swiftSettings: dataPlaneDriving),
        ]
        + targets.map {
            dataPlaneTargets.contains($0)
                ? .target(
                    name: "Fuzz\($0)",
                    dependencies: ["Fixture", "CSegment", "CDPDK", "Wire", "Segment", "Forwarding"], path: $0,
                    exclude: ["corpus"], swiftSettings: dataPlaneDriving)
                : .target(
                    name: "Fuzz\($0)", dependencies: modules.map { .byName(name: $0.name) }, path: $0,
                    exclude: ["corpus"], swiftSettings: fuzzed)
        },
    swiftLanguageModes: [.v6]
)
