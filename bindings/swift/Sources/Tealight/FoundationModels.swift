// Apple's frameworks have this protocol since iOS 27, whose SDK comes with Swift 6.4.
#if canImport(FoundationModels) && compiler(>=6.4)
    import Foundation
    import FoundationModels

    /// A model for Apple's `LanguageModelSession`: text in, text out.
    ///
    /// ```swift
    /// let session = LanguageModelSession(model: TealightLanguageModel(url))
    /// let response = try await session.respond(to: "What is the capital of France?")
    /// ```
    @available(iOS 27.0, macOS 27.0, visionOS 27.0, *)
    public struct TealightLanguageModel: LanguageModel {
        public typealias Executor = TealightExecutor

        public let executorConfiguration: TealightExecutor.Configuration

        /// A `.tea` file, an `.onnx` file or a folder with one; without, the model that the
        /// library carries. It is loaded with the first request.
        public init(_ url: URL? = nil, options: ModelOptions = ModelOptions()) {
            executorConfiguration = TealightExecutor.Configuration(url: url, options: options)
        }

        /// Neither tools nor schemas nor images: the framework refuses them.
        public var capabilities: LanguageModelCapabilities { LanguageModelCapabilities([]) }
    }

    /// Answers the requests of sessions with a ``TealightLanguageModel``.
    @available(iOS 27.0, macOS 27.0, visionOS 27.0, *)
    public struct TealightExecutor: LanguageModelExecutor {
        public typealias Model = TealightLanguageModel

        /// What is opened.
        public struct Configuration: Hashable, Sendable {
            let url: URL?
            let options: ModelOptions
        }

        private let chats: Chats

        public init(configuration: Configuration) throws {
            chats = Chats(configuration)
        }

        public nonisolated(nonsending) func respond(
            to request: LanguageModelExecutorGenerationRequest,
            model: TealightLanguageModel,
            streamingInto channel: LanguageModelExecutorGenerationChannel
        ) async throws {
            var conversation = try messages(of: request.transcript)
            guard let question = conversation.popLast(), question.role == .user else {
                throw TealightError.invalidInput("the transcript does not end with a prompt")
            }
            let chat = try await chats.take()
            // What a chat has computed of the same conversation before, it does not compute again.
            try await chat.restore(conversation)
            let entry = UUID().uuidString
            let chosen = options(of: request.generationOptions)
            for try await event in chat.stream(question.content, options: chosen) {
                switch event {
                case .text(let text):
                    // Tokens are counted at the end.
                    let action = Response.Action.appendText(text, tokenCount: 0)
                    await channel.send(.response(entryID: entry, action: action))
                case .done(let summary):
                    let action = Response.Action.updateUsage(
                        input: .init(
                            totalTokenCount: summary.promptTokens,
                            cachedTokenCount: summary.reusedTokens
                        ),
                        output: .init(
                            totalTokenCount: summary.generatedTokens,
                            reasoningTokenCount: 0
                        )
                    )
                    await channel.send(.response(entryID: entry, action: action))
                }
            }
            await chats.give(back: chat)
            try Task.checkCancellation()
        }

        private typealias Response = LanguageModelExecutorGenerationChannel.Response

        private func options(of own: GenerationOptions) -> GenerateOptions {
            let greedy = own.samplingMode == .greedy
            return GenerateOptions(
                maxTokens: own.maximumResponseTokens,
                temperature: greedy ? 0 : own.temperature.map { Float($0) }
            )
        }

        /// What was said so far. What a model without tools has no words for is an error.
        private func messages(of transcript: Transcript) throws -> [Message] {
            try transcript.map { entry in
                switch entry {
                case .instructions(let own):
                    Message(role: .system, content: try text(own.segments))
                case .prompt(let own):
                    Message(role: .user, content: try text(own.segments))
                case .response(let own):
                    Message(role: .assistant, content: try text(own.segments))
                default:
                    throw TealightError.unsupported("the transcript has more than text")
                }
            }
        }

        private func text(_ segments: [Transcript.Segment]) throws -> String {
            try segments.map { segment in
                guard case .text(let own) = segment else {
                    throw TealightError.unsupported("the transcript has more than text")
                }
                return own.content
            }.joined()
        }
    }

    /// The model, and the chats with it that nobody is answered in.
    @available(iOS 27.0, macOS 27.0, visionOS 27.0, *)
    private actor Chats {
        private let configuration: TealightExecutor.Configuration
        private var loading: Task<Model, any Error>?
        private var idle: [Chat] = []

        init(_ configuration: TealightExecutor.Configuration) {
            self.configuration = configuration
        }

        func take() async throws -> Chat {
            if let chat = idle.popLast() { return chat }
            let begun = loading ?? begin()
            do {
                return try await begun.value.chat()
            } catch {
                // The next request tries again.
                loading = nil
                throw error
            }
        }

        private func begin() -> Task<Model, any Error> {
            let begun = Task { [configuration] in
                guard let url = configuration.url else {
                    return try await Model.embedded(options: configuration.options)
                }
                return try await Model.load(url, options: configuration.options)
            }
            loading = begun
            return begun
        }

        func give(back chat: Chat) {
            idle.append(chat)
        }
    }
#endif
