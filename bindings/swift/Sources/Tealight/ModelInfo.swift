import TealightGenerated

/// What a model says about itself, and the memory that it takes with the options it was asked with.
public struct ModelInfo: Sendable, Equatable {
    /// The folder's name that the model was compiled from, or what it was opened as.
    public let name: String
    /// The architecture's name, such as `Qwen2ForCausalLM`.
    public let architecture: String?
    /// Numbers that were trained.
    public let parameters: Int?
    /// How most of the weights are stored, such as `int4`.
    public let quantization: String?
    /// The licence as the author names it.
    public let licence: String?
    /// Number of token ids.
    public let vocab: Int
    /// Most tokens that the model can attend over.
    public let context: Int
    /// Size of the compiled model in bytes.
    public let fileBytes: Int
    /// Whether it takes and gives text.
    public let hasTokenizer: Bool
    /// Whether it can chat.
    public let hasChatTemplate: Bool
    /// Tokens that a chat has room for, with the options.
    public let chatContext: Int
    /// Bytes that a token's keys and values take, with the options. Where attention has windows,
    /// some of that is kept of the last tokens only.
    public let bytesPerToken: Int
    /// About how many bytes of memory the model takes with one chat, with the options: the file
    /// (which the system can drop and read again), keys and values, working memory, the tokenizer.
    public let memoryEstimate: Int

    init(_ native: TealightGenerated.ModelInfo) {
        name = native.name
        architecture = native.architecture
        parameters = native.parameters.map { Int(clamping: $0) }
        quantization = native.quantization
        licence = native.licence
        vocab = Int(clamping: native.vocab)
        context = Int(clamping: native.context)
        fileBytes = Int(clamping: native.fileBytes)
        hasTokenizer = native.hasTokenizer
        hasChatTemplate = native.hasChatTemplate
        chatContext = Int(clamping: native.chatContext)
        bytesPerToken = Int(clamping: native.bytesPerToken)
        memoryEstimate = Int(clamping: native.memoryEstimate)
    }
}

/// How far the loading of a model has come.
public struct LoadProgress: Sendable, Equatable {
    /// The stages of loading, in their order. A compiled model has none.
    public enum Stage: Sendable, Equatable {
        /// Looking whether the model was compiled before.
        case looking
        /// Waiting for another process that compiles the same model.
        case waiting
        /// Recognising the graph's operators.
        case recognising
        /// Packing the weights.
        case packing
    }

    /// What is being done.
    public let stage: Stage
    /// Bytes behind.
    public let done: Int
    /// Bytes altogether; 0 where nobody can tell.
    public let total: Int

    init(_ native: TealightGenerated.LoadProgress) {
        done = Int(clamping: native.done)
        total = Int(clamping: native.total)
        switch native.stage {
        case .looking: stage = .looking
        case .waiting: stage = .waiting
        case .recognising: stage = .recognising
        case .packing: stage = .packing
        }
    }
}
