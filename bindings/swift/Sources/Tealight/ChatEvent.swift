import TealightGenerated

/// What comes of a question. More kinds may come, such as thinking and calls of tools: a `switch`
/// over events should have a `default`.
public enum ChatEvent: Sendable, Equatable {
    /// More text, in whole characters. Short texts are gathered for some 20 ms.
    case text(String)

    /// The last event: how the answer ended and what it took.
    case done(Summary)

    init(_ native: Event) {
        switch native {
        case .text(let text): self = .text(text)
        case .done(let summary): self = .done(Summary(summary))
        }
    }
}

/// How an answer ended and what it took.
public struct Summary: Sendable, Equatable {
    /// Why it ended.
    public let reason: FinishReason
    /// Tokens of the prompt, earlier turns included.
    public let promptTokens: Int
    /// How many of them were still in the KV cache and cost nothing.
    public let reusedTokens: Int
    /// Tokens that the model said.
    public let generatedTokens: Int
    /// Speed through the rest of the prompt, in tokens/s.
    public let prefillTokensPerSecond: Double
    /// Speed after the first token, in tokens/s; 0 with fewer than two tokens.
    public let decodeTokensPerSecond: Double
    /// From the question to the first token, in seconds; nil if there was none.
    public let secondsToFirstToken: Double?

    init(_ native: TealightGenerated.Summary) {
        reason = FinishReason(native.reason)
        promptTokens = Int(clamping: native.promptTokens)
        reusedTokens = Int(clamping: native.reusedTokens)
        generatedTokens = Int(clamping: native.generatedTokens)
        prefillTokensPerSecond = native.prefillTokensPerSecond
        decodeTokensPerSecond = native.decodeTokensPerSecond
        secondsToFirstToken = native.secondsToFirstToken
    }
}

/// Why an answer ended.
public enum FinishReason: Sendable, Equatable {
    /// The model said a token that ends the text.
    case endOfText
    /// The text reached one of the caller's stop strings, which is not part of it.
    case stopString
    /// The token budget was spent, or the context is full.
    case length
    /// The caller cancelled; the turn was undone.
    case cancelled

    init(_ native: TealightGenerated.FinishReason) {
        switch native {
        case .endOfText: self = .endOfText
        case .stopString: self = .stopString
        case .length: self = .length
        case .cancelled: self = .cancelled
        }
    }
}

/// Who says a message.
public enum Role: String, Sendable, Equatable, Codable {
    /// Instructions for the whole conversation.
    case system
    /// The person.
    case user
    /// The model.
    case assistant
}

/// One message of a conversation.
public struct Message: Sendable, Equatable, Codable {
    /// Who says it.
    public let role: Role
    /// What is said.
    public let content: String

    /// What somebody says.
    public init(role: Role, content: String) {
        self.role = role
        self.content = content
    }

    init(_ native: TealightGenerated.Message) {
        content = native.content
        switch native.role {
        case .system: role = .system
        case .user: role = .user
        case .assistant: role = .assistant
        }
    }

    var native: TealightGenerated.Message {
        switch role {
        case .system: TealightGenerated.Message(role: .system, content: content)
        case .user: TealightGenerated.Message(role: .user, content: content)
        case .assistant: TealightGenerated.Message(role: .assistant, content: content)
        }
    }
}
