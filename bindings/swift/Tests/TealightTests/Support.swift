import Foundation
import Tealight

let question = "turn off the lights in the kitchen"
let answer = #"{"device":"light","room":"kitchen","action":"off","value":null}"#

/// A chat with the model that the library carries.
func embeddedChat() async throws -> Chat {
    try await Model.embedded().chat()
}

/// The embedded model's export, which the repository holds above this file.
func export() throws -> URL {
    var folder = URL(fileURLWithPath: #filePath)
    while folder.path != "/" {
        folder.deleteLastPathComponent()
        let export = folder.appendingPathComponent("models/home/onnx")
        if FileManager.default.fileExists(atPath: export.path) { return export }
    }
    throw CocoaError(.fileNoSuchFile)
}

/// A real model below one of the folders of `TEALIGHT_TEST_MODELS`; none, with a notice, where
/// there is none.
func realModel(_ name: String) -> URL? {
    let folders = ProcessInfo.processInfo.environment["TEALIGHT_TEST_MODELS"] ?? ""
    let places = folders.split(separator: ":").map {
        URL(fileURLWithPath: String($0)).appendingPathComponent(name)
    }
    let found = places.first { FileManager.default.fileExists(atPath: $0.path) }
    if found == nil { print("skipped: set TEALIGHT_TEST_MODELS to a folder that holds \(name)") }
    return found
}

/// A folder that is gone after the test.
func withFolder(_ test: (URL) async throws -> Void) async throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try await test(folder)
}

/// Counts from any thread.
final class Counter: @unchecked Sendable {
    private let lock = NSLock()
    private var number = 0

    var count: Int { lock.withLock { number } }

    func add() { lock.withLock { number += 1 } }
}

#if os(Linux)
    /// Memory that the process holds, in bytes.
    func residentBytes() throws -> Int {
        let numbers = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8).split(separator: " ")
        return Int(numbers[1])! * sysconf(Int32(_SC_PAGESIZE))
    }
#endif
