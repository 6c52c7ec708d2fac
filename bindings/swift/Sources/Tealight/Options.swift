import Foundation
import TealightGenerated

/// How a model is opened. What is nil suits the machine.
public struct ModelOptions: Sendable, Hashable {
    /// Threads that compute; as few as are fastest, at most eight, if nil.
    public var threads: Int?
    /// Tokens that chats have room for; the model's context, at most 4096, if nil.
    public var context: Int?
    /// How chats keep keys and values; half precision if nil.
    public var kv: KvType?
    /// Most tokens of a prompt that are computed together; 64 if nil. Cancelling waits for the end
    /// of such a step.
    public var step: Int?
    /// Folder for compiled models; the user's cache folder if nil. An app for iOS gives its own:
    /// `URL.cachesDirectory`.
    public var cache: URL?

    /// Options, of which any may be left out.
    public init(
        threads: Int? = nil,
        context: Int? = nil,
        kv: KvType? = nil,
        step: Int? = nil,
        cache: URL? = nil
    ) {
        self.threads = threads
        self.context = context
        self.kv = kv
        self.step = step
        self.cache = cache
    }

    func native() throws -> TealightGenerated.ModelOptions {
        TealightGenerated.ModelOptions(
            threads: try count(threads, "threads", least: 1),
            context: try count(context, "context", least: 1),
            kv: kv?.native,
            step: try count(step, "step", least: 1),
            cache: cache?.path
        )
    }
}

/// How chats keep keys and values.
public enum KvType: Sendable, Hashable, CaseIterable {
    /// Half precision.
    case f16
    /// Single precision: twice the memory.
    case f32
    /// int8 with scales: 0.63 of the memory of half precision.
    case int8

    var native: TealightGenerated.KvType {
        switch self {
        case .f16: .f16
        case .f32: .f32
        case .int8: .int8
        }
    }
}

/// How a chat begins.
public struct ChatOptions: Sendable, Equatable {
    /// Instructions for the whole conversation; the template's own if nil.
    public var system: String?
    /// Tokens that there is room for; what the model was opened with if nil.
    public var context: Int?
    /// Whether models that can think before they answer should; the template's default if nil.
    public var thinking: Bool?

    /// Options, of which any may be left out.
    public init(system: String? = nil, context: Int? = nil, thinking: Bool? = nil) {
        self.system = system
        self.context = context
        self.thinking = thinking
    }

    func native() throws -> TealightGenerated.ChatOptions {
        TealightGenerated.ChatOptions(
            system: system,
            context: try count(context, "context", least: 1),
            thinking: thinking
        )
    }
}

/// How an answer is generated. What is nil is the model's own default.
public struct GenerateOptions: Sendable, Equatable {
    /// Most tokens that the model says; as many as the context has room for if nil.
    public var maxTokens: Int?
    /// Divides the logits; 0 always takes the likeliest token.
    public var temperature: Float?
    /// Keeps this many of the likeliest tokens.
    public var topK: Int?
    /// Keeps the likeliest tokens up to this probability together.
    public var topP: Float?
    /// Keeps tokens of at least this share of the likeliest one's probability.
    public var minP: Float?
    /// Divides the positive logits of tokens that were there before.
    public var repetitionPenalty: Float?
    /// The same seed gives the same text; a new one each time if nil.
    public var seed: UInt64?
    /// The answer ends before the first of these.
    public var stop: [String]

    /// Options, of which any may be left out.
    public init(
        maxTokens: Int? = nil,
        temperature: Float? = nil,
        topK: Int? = nil,
        topP: Float? = nil,
        minP: Float? = nil,
        repetitionPenalty: Float? = nil,
        seed: UInt64? = nil,
        stop: [String] = []
    ) {
        self.maxTokens = maxTokens
        self.temperature = temperature
        self.topK = topK
        self.topP = topP
        self.minP = minP
        self.repetitionPenalty = repetitionPenalty
        self.seed = seed
        self.stop = stop
    }

    func native() throws -> TealightGenerated.GenerateOptions {
        TealightGenerated.GenerateOptions(
            maxTokens: try count(maxTokens, "maxTokens", least: 0),
            temperature: temperature,
            topK: try count(topK, "topK", least: 0),
            topP: topP,
            minP: minP,
            repetitionPenalty: repetitionPenalty,
            seed: seed,
            stop: stop
        )
    }
}

private func count(_ number: Int?, _ what: String, least: Int) throws -> UInt32? {
    guard let number else { return nil }
    guard number >= least, let native = UInt32(exactly: number) else {
        throw TealightError.invalidInput(
            "\(what) is \(number), but at least \(least) and at most \(UInt32.max)"
        )
    }
    return native
}
