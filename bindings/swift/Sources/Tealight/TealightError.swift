import Foundation
import TealightGenerated

/// Why something could not be done, by what can be done about it. The text names the model and the
/// fault.
public enum TealightError: Error, Sendable, Equatable {
    /// There is no such file or folder, or it cannot be read: choose another.
    case notFound(String)
    /// This version cannot run the model, or not in this way: choose another.
    case unsupported(String)
    /// The model's bytes are not what they should be: copy or compile it again.
    case damaged(String)
    /// There is not enough memory: choose a smaller context or model.
    case outOfMemory(String)
    /// The conversation does not fit the context: shorten it, or begin a new one.
    case contextFull(String)
    /// An argument cannot be used: mend the call.
    case invalidInput(String)
    /// The compiled model cannot be kept: make room, or name another folder.
    case storage(String)
    /// The chat is answering: wait, or cancel.
    case busy(String)
    /// What was called was closed before.
    case closed(String)
    /// The caller gave up before there was a result.
    case cancelled(String)
    /// Tealight has a fault: report it.
    case `internal`(String)

    /// In words, for people.
    public var reason: String {
        switch self {
        case .notFound(let reason), .unsupported(let reason), .damaged(let reason),
            .outOfMemory(let reason), .contextFull(let reason), .invalidInput(let reason),
            .storage(let reason), .busy(let reason), .closed(let reason),
            .cancelled(let reason), .internal(let reason):
            reason
        }
    }

    /// Errors of the generated code, its panics among them.
    init(_ error: any Error) {
        guard let native = error as? TealightGenerated.TealightError else {
            self = (error as? TealightError) ?? .internal(error.localizedDescription)
            return
        }
        switch native {
        case .NotFound(let reason): self = .notFound(reason)
        case .Unsupported(let reason): self = .unsupported(reason)
        case .Damaged(let reason): self = .damaged(reason)
        case .OutOfMemory(let reason): self = .outOfMemory(reason)
        case .ContextFull(let reason): self = .contextFull(reason)
        case .InvalidInput(let reason): self = .invalidInput(reason)
        case .Storage(let reason): self = .storage(reason)
        case .Busy(let reason): self = .busy(reason)
        case .Closed(let reason): self = .closed(reason)
        case .Cancelled(let reason): self = .cancelled(reason)
        case .Internal(let reason): self = .internal(reason)
        }
    }
}

extension TealightError: LocalizedError {
    /// The reason.
    public var errorDescription: String? { reason }
}
