// swift-tools-version: 6.0
// The package as `cargo xtask package` lays it out in target/package/swift: these sources, the code
// that UniFFI generates, and the native library.

import PackageDescription

#if os(Linux)
    // This machine's library: `cargo xtask package swift`.
    let native = Target.systemLibrary(name: "TealightFFI", path: "TealightFFI")
    let folder = "\(Context.packageDirectory)/TealightFFI"
    let linking: [LinkerSetting] = [
        .unsafeFlags(["-L\(folder)", "-Xlinker", "-rpath", "-Xlinker", folder])
    ]
#else
    // Libraries for devices and the simulator: `cargo xtask package ios`.
    let native = Target.binaryTarget(name: "TealightFFI", path: "TealightFFI.xcframework")
    let linking: [LinkerSetting] = []
#endif

let package = Package(
    name: "Tealight",
    platforms: [.iOS(.v15)],
    products: [.library(name: "Tealight", targets: ["Tealight"])],
    targets: [
        native,
        // Generated code is not ours to mend.
        .target(
            name: "TealightGenerated",
            dependencies: ["TealightFFI"],
            swiftSettings: [.swiftLanguageMode(.v5)]
        ),
        .target(
            name: "Tealight",
            dependencies: ["TealightGenerated"],
            linkerSettings: linking
        ),
        .testTarget(name: "TealightTests", dependencies: ["Tealight"]),
    ],
    swiftLanguageModes: [.v6]
)
