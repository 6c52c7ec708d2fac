// swift-tools-version: 6.0
// An app that Xcode and Swift Playgrounds open as it is.

import AppleProductTypes
import PackageDescription

let package = Package(
    name: "TealightSample",
    platforms: [.iOS("17.0")],
    products: [
        .iOSApplication(
            name: "TealightSample",
            targets: ["TealightSample"],
            bundleIdentifier: "dev.tealight.sample",
            displayVersion: "0.1.0",
            bundleVersion: "1",
            appIcon: .placeholder(icon: .chatMessage),
            accentColor: .presetColor(.orange),
            supportedDeviceFamilies: [.phone, .pad],
            supportedInterfaceOrientations: [.portrait, .landscapeLeft, .landscapeRight]
        )
    ],
    // Made by `cargo xtask package ios`.
    dependencies: [.package(path: "../../../../target/package/swift")],
    targets: [
        .executableTarget(
            name: "TealightSample",
            dependencies: [.product(name: "Tealight", package: "swift")],
            path: "Sources"
        )
    ],
    // The system's name of this process, in `Memory.swift`, is a variable to Swift 6.
    swiftLanguageModes: [.v5]
)
