import Dispatch
import TealightGenerated

/// A conversation with a model. It may be used from any task, gives one answer at a time, and may
/// be closed twice or during an answer.
///
/// A turn is whole or was never there: when an answer is cancelled, left or fails, the conversation
/// is as it was before the question.
public final class Chat: Sendable {
    private let native: TealightGenerated.Chat

    init(_ native: TealightGenerated.Chat) {
        self.native = native
    }

    /// Says something to the model and gives its answer while it is computed.
    ///
    /// Leaving the loop, or cancelling its task, stops the native work within one token and undoes
    /// the turn, unless the answer's end was computed before. The next question works at once.
    /// What the stream throws is a ``TealightError``.
    public func stream(
        _ text: String,
        options: GenerateOptions = GenerateOptions()
    ) -> AsyncThrowingStream<ChatEvent, any Error> {
        let ending = Ending()
        return AsyncThrowingStream { continuation in
            continuation.onTermination = { why in
                if case .cancelled = why { ending.cancel() }
            }
            // It waits for tokens, which no thread that tasks share may do.
            DispatchQueue.global(qos: .userInitiated).async { [native] in
                let answered = Result {
                    try translated {
                        let own = try options.native()
                        let answering = try native.send(text: text, options: own)
                        ending.take(answering)
                        while let event = try answering.nextEvent() {
                            continuation.yield(ChatEvent(event))
                        }
                    }
                }
                switch answered {
                case .success: continuation.finish()
                case .failure(let error): continuation.finish(throwing: error)
                }
            }
        }
    }

    /// Says something to the model and waits for the whole answer. Cancelling the task undoes the
    /// turn and throws `CancellationError`.
    public func ask(
        _ text: String,
        options: GenerateOptions = GenerateOptions()
    ) async throws -> String {
        var answer = ""
        for try await event in stream(text, options: options) {
            if case .text(let more) = event { answer += more }
        }
        try Task.checkCancellation()
        return answer
    }

    /// The conversation so far, in whole turns, with the system prompt if there is one.
    public var messages: [Message] {
        get throws { try translated { try native.messages().map { Message($0) } } }
    }

    /// Tokens that there is room for after the conversation so far.
    public var contextLeft: Int {
        get throws { try translated { Int(clamping: try native.contextLeft()) } }
    }

    /// Replaces the conversation, for example by one that was saved.
    public func restore(_ messages: [Message]) async throws {
        try await elsewhere { [native] in
            try native.restore(messages: messages.map(\.native))
        }
    }

    /// Forgets all turns but the system prompt.
    public func clear() async throws {
        try await elsewhere { [native] in try native.clear() }
    }

    /// How many tokens the conversation would have with this message.
    public func count(with text: String) async throws -> Int {
        try await elsewhere { [native] in Int(clamping: try native.countWith(text: text)) }
    }

    /// Stops the answer that is being given, if there is one: its stream ends with
    /// ``ChatEvent/done(_:)``, which says that it was cancelled.
    public func cancel() {
        native.cancel()
    }

    /// Ends the chat and frees its memory, during an answer within one token.
    public func close() {
        native.release()
    }
}

/// Stops an answer that may not have begun yet.
private final class Ending: Sendable {
    private enum State {
        case waiting
        case answering(Answering)
        case cancelled
    }

    private let state = Locked(State.waiting)

    func take(_ answering: Answering) {
        let cancelled = state.with { state in
            if case .cancelled = state { return true }
            state = .answering(answering)
            return false
        }
        if cancelled { answering.cancel() }
    }

    func cancel() {
        let answering: Answering? = state.with { state in
            defer { state = .cancelled }
            if case .answering(let answering) = state { return answering }
            return nil
        }
        answering?.cancel()
    }
}
