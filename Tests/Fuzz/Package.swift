// swift-tools-version: 6.1
import Foundation
import PackageDescription

// The fuzz targets, built by build.sh. A folder beside this file that holds a Swift file and `corpus/` is a target; there
// is nothing to add here unless it uses a module that `modules` does not name yet. `Modules` links to the sources of
// the modules under test, since SwiftPM takes no sources from outside of a package's folder.
let fuzzed: [SwiftSetting] = [.unsafeFlags(["-sanitize=fuzzer,address", "-parse-as-library"])]

/// Name of a module under test, the modules and products that it depends on.
let modules: [(name: String, dependencies: [Target.Dependency])] = [
    ("Wire", []),
    ("Timing", []),
    ("PPPoE", ["Wire", "Timing", .product(name: "Crypto", package: "swift-crypto")]),
    ("PPP", ["Wire", "Timing"]),
    (
        "L2TP",
        [
            "Wire", "Timing", .product(name: "Crypto", package: "swift-crypto"),
            .product(name: "DequeModule", package: "swift-collections"),
        ]
    ),
]

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
        + targets.map {
            .target(
                name: "Fuzz\($0)", dependencies: modules.map { .byName(name: $0.name) }, path: $0,
                exclude: ["corpus"], swiftSettings: fuzzed)
        },
    swiftLanguageModes: [.v6]
)
