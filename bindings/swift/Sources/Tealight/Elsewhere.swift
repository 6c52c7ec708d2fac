import Dispatch
import Foundation

/// Does native work that takes a while on a thread that may wait, which those that tasks share may
/// not. What it throws is a ``TealightError``, or `CancellationError` where the task was cancelled.
func elsewhere<T: Sendable>(_ work: @escaping @Sendable () throws -> T) async throws -> T {
    do {
        return try await withCheckedThrowingContinuation { continuation in
            DispatchQueue.global(qos: .userInitiated).async {
                continuation.resume(with: Result { try translated(work) })
            }
        }
    } catch TealightError.cancelled(_) where Task.isCancelled {
        throw CancellationError()
    }
}

/// Errors of the generated code become this layer's.
func translated<T>(_ work: () throws -> T) throws -> T {
    do {
        return try work()
    } catch {
        throw TealightError(error)
    }
}

/// A value that one thread at a time may touch.
final class Locked<Value>: @unchecked Sendable {
    private let lock = NSLock()
    private var value: Value

    init(_ value: Value) {
        self.value = value
    }

    func with<T>(_ work: (inout Value) throws -> T) rethrows -> T {
        lock.lock()
        defer { lock.unlock() }
        return try work(&value)
    }
}
