import Foundation
import Tealight
import Testing

@Test func anAnswerStreamsAndEndsWithWhatItTook() async throws {
    let chat = try await embeddedChat()
    var texts: [String] = []
    var summary: Summary?
    for try await event in chat.stream(question) {
        switch event {
        case .text(let text): texts.append(text)
        case .done(let done): summary = done
        }
    }
    #expect(texts.count > 1, "the first part is not kept back")
    #expect(texts.joined() == answer)
    #expect(summary?.reason == .endOfText)
    #expect((summary?.generatedTokens ?? 0) > 1)
    let expected = [
        Message(role: .user, content: question), Message(role: .assistant, content: answer),
    ]
    #expect(try chat.messages == expected)
}

@Test func leavingTheLoopUndoesTheTurnAndTheNextWorks() async throws {
    let chat = try await embeddedChat()
    // Many questions, since an answer's end may be computed before its first part is heard.
    for _ in 0..<20 {
        let before = try chat.messages
        for try await _ in chat.stream(question) { break }
        let after = try chat.messages
        #expect(after == before || after.count == before.count + 2, "whole turns")
        try await chat.clear()
    }
    #expect(try await chat.ask(question) == answer)
}

@Test func cancellingTheTaskStopsTheAnswerAndUndoesTheTurn() async throws {
    guard let path = realModel("smollm2-135m-instruct-int4") else { return }
    let chat = try await Model.load(path).chat()
    let left = try chat.contextLeft
    let (heard, hear) = AsyncStream<Void>.makeStream()
    let task = Task {
        for try await _ in chat.stream("Tell a very long story.") { hear.yield() }
    }
    for await _ in heard { break }
    task.cancel()
    try await task.value
    // The next turn waits for the token that was being computed.
    let options = GenerateOptions(maxTokens: 3, temperature: 0)
    #expect(try await chat.ask("Hello", options: options).isEmpty == false)
    #expect(try chat.messages.count == 2 || chat.messages.count == 3, "one turn")
    #expect(try chat.contextLeft < left)
}

@Test func askingIsCancelledWithItsTask() async throws {
    let chat = try await embeddedChat()
    let task = Task {
        withUnsafeCurrentTask { $0?.cancel() }
        return try await chat.ask(question)
    }
    await #expect(throws: CancellationError.self) { try await task.value }
}

@Test func cancellingTheChatEndsTheStream() async throws {
    let chat = try await embeddedChat()
    var last: ChatEvent?
    let stream = chat.stream(question)
    for try await event in stream {
        chat.cancel()
        last = event
    }
    guard case .done(let summary) = last else {
        Issue.record("the last event is \(String(describing: last))")
        return
    }
    // The end may have been computed before.
    #expect(summary.reason == .cancelled || summary.reason == .endOfText)
    let turns = try chat.messages.count
    #expect(turns == (summary.reason == .cancelled ? 0 : 2))
}

@Test func closingDuringAnAnswerEndsItAndClosingTwiceIsClosing() async throws {
    let chat = try await embeddedChat()
    do {
        for try await _ in chat.stream(question) { chat.close() }
    } catch TealightError.closed(_) {
        // Unless all of it had been computed.
    }
    chat.close()
    #expect(throws: TealightError.self) { try chat.messages }
}

@Test func twoChatsAnswerAtTheSameTime() async throws {
    let model = try await Model.embedded()
    try await withThrowingTaskGroup(of: String.self) { group in
        for _ in 0..<4 {
            group.addTask {
                let chat = try await model.chat()
                var last = ""
                for _ in 0..<5 {
                    try await chat.clear()
                    last = try await chat.ask(question)
                }
                return last
            }
        }
        for try await said in group { #expect(said == answer) }
    }
}

@Test func aSecondQuestionIsRefusedWhileOneIsAnswered() async throws {
    guard let path = realModel("smollm2-135m-instruct-int4") else { return }
    let chat = try await Model.load(path).chat()
    let first = chat.stream("Tell a very long story.")
    var iterator = first.makeAsyncIterator()
    _ = try await iterator.next()
    do {
        _ = try await chat.ask("Hello")
        Issue.record("it was answered")
    } catch TealightError.busy(_) {
        // As it should be.
    }
}

@Test func conversationsAreRestoredAndCleared() async throws {
    let chat = try await Model.embedded().chat()
    let empty = try chat.messages
    #expect(empty.isEmpty)
    _ = try await chat.ask(question)
    let saved = try chat.messages
    try await chat.clear()
    #expect(try chat.messages == empty)
    try await chat.restore(saved)
    #expect(try chat.messages == saved)
    #expect(try await chat.count(with: question) > 0)
}

@Test func charactersThatTokensSplitComeWhole() async throws {
    let chat = try await embeddedChat()
    let text = "关掉厨房的灯 💡👩‍👩‍👧‍👦"
    try await chat.restore([
        Message(role: .user, content: text), Message(role: .assistant, content: text),
    ])
    #expect(try chat.messages.map(\.content) == [text, text])
    for try await event in chat.stream(text, options: GenerateOptions(maxTokens: 20)) {
        if case .text(let part) = event { #expect(!part.contains("\u{FFFD}")) }
    }
}

@Test func optionsThatMeanNothingAreRefused() async throws {
    let chat = try await embeddedChat()
    await #expect(throws: TealightError.self) {
        try await chat.ask(question, options: GenerateOptions(maxTokens: -1))
    }
    await #expect(throws: TealightError.self) {
        try await Model.embedded(options: ModelOptions(threads: 0))
    }
    #expect(try await chat.ask(question) == answer)
}
