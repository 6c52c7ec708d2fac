import Foundation
import TealightGenerated

/// A language model, ready for any number of chats. It may be used from any task; chats go on when
/// their model is closed or forgotten.
///
/// ```swift
/// let model = try await Model.load(url)
/// let chat = try await model.chat()
/// for try await event in chat.stream("What is the capital of France?") {
///     if case .text(let text) = event { print(text, terminator: "") }
/// }
/// ```
public final class Model: Sendable {
    private let native: TealightGenerated.Model

    /// What is known about the model; also after it was closed.
    public let info: ModelInfo

    private init(_ native: TealightGenerated.Model) {
        self.native = native
        info = ModelInfo(native.info())
    }

    /// Opens a `.tea` file, an `.onnx` file or a folder with one. An ONNX model is compiled the
    /// first time; `progress` is told, on some thread, how far that has come. Cancelling the task
    /// gives up.
    public static func load(
        _ url: URL,
        options: ModelOptions = ModelOptions(),
        progress: @escaping @Sendable (LoadProgress) -> Void = { _ in }
    ) async throws -> Model {
        try await load(.path(path: url.path), options, progress)
    }

    /// Opens the model that the library carries: household requests in, compact JSON out.
    public static func embedded(options: ModelOptions = ModelOptions()) async throws -> Model {
        try await load(.embedded, options) { _ in }
    }

    /// What a model says about itself, without loading it. An ONNX model is compiled first if need
    /// be.
    public static func info(
        of url: URL,
        options: ModelOptions = ModelOptions()
    ) async throws -> ModelInfo {
        let native = try options.native()
        return try await elsewhere {
            ModelInfo(try modelInfo(source: .path(path: url.path), options: native))
        }
    }

    private static func load(
        _ source: ModelSource,
        _ options: ModelOptions,
        _ progress: @escaping @Sendable (LoadProgress) -> Void
    ) async throws -> Model {
        let native = try options.native()
        let loading = try translated {
            try TealightGenerated.load(source: source, options: native)
        }
        return try await withTaskCancellationHandler {
            try await elsewhere {
                while let news = loading.nextProgress() {
                    progress(LoadProgress(news))
                }
                return Model(try loading.finish())
            }
        } onCancel: {
            loading.cancel()
        }
    }

    /// A chat.
    public func chat(_ options: ChatOptions = ChatOptions()) async throws -> Chat {
        let own = try options.native()
        return try await elsewhere { [native] in Chat(try native.chat(options: own)) }
    }

    /// A chat with instructions for the whole conversation.
    public func chat(instructions: String) async throws -> Chat {
        try await chat(ChatOptions(system: instructions))
    }

    /// Gives the model up, as forgetting it does. Its memory is freed when the last of its chats
    /// is closed or forgotten.
    public func close() {
        native.release()
    }
}
