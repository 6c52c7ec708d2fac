import Foundation
import Tealight
import Testing

@Test func aMissingModelIsNotFound() async throws {
    do {
        _ = try await Model.load(URL(fileURLWithPath: "/nowhere/model.tea"))
        Issue.record("it was loaded")
    } catch TealightError.notFound(let reason) {
        #expect(reason.contains("nowhere"))
    }
}

@Test func anExportIsCompiledWithProgressAndItsFileIsChecked() async throws {
    try await withFolder { folder in
        let options = ModelOptions(cache: folder)
        let told = Counter()
        let model = try await Model.load(try export(), options: options) { _ in told.add() }
        #expect(told.count > 0)
        #expect(try await model.chat().ask(question) == answer)
        #expect(try await Model.info(of: try export(), options: options) == model.info)

        let plans = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        let plan = try #require(plans.first { $0.hasSuffix(".tea") })
        var bytes = try Data(contentsOf: folder.appendingPathComponent(plan))
        let file = folder.appendingPathComponent("model.tea")
        try bytes.prefix(bytes.count / 2).write(to: file)
        do {
            _ = try await Model.load(file)
            Issue.record("half a model was loaded")
        } catch TealightError.damaged(_) {
            // As it should be.
        }
        // The format's version comes after eight bytes of magic.
        bytes[8] += 1
        try bytes.write(to: file)
        do {
            _ = try await Model.load(file)
            Issue.record("another format was loaded")
        } catch TealightError.unsupported(_) {
            // As it should be.
        }
    }
}

@Test func aPlanThatCannotBeKeptIsAQuestionOfStorage() async throws {
    try await withFolder { folder in
        let copy = folder.appendingPathComponent("copy")
        try FileManager.default.copyItem(at: try export(), to: copy)
        // A file lies where the folder beside the model should be, and where the cache should.
        try Data().write(to: copy.appendingPathComponent(".tealight"))
        let cache = folder.appendingPathComponent("cache")
        try Data().write(to: cache)
        do {
            _ = try await Model.load(copy, options: ModelOptions(cache: cache))
            Issue.record("it was loaded")
        } catch TealightError.storage(_) {
            // As it should be.
        }
    }
}

@Test func aModelIsKnownBeforeItIsLoaded() async throws {
    guard let path = realModel("smollm2-135m-instruct-int4") else { return }
    let info = try await Model.info(of: path)
    #expect(info.hasTokenizer && info.hasChatTemplate)
    let small = try await Model.info(of: path, options: ModelOptions(context: 256, kv: .int8))
    #expect(small.chatContext == 256 && small.bytesPerToken < info.bytesPerToken)
    #expect(small.memoryEstimate < info.memoryEstimate)
    let model = try await Model.load(path)
    #expect(model.info == info)
}

@Test func chatsGoOnWhenTheirModelIsClosed() async throws {
    let model = try await Model.embedded()
    let chat = try await model.chat()
    model.close()
    model.close()
    #expect(try await chat.ask(question) == answer)
    do {
        _ = try await model.chat()
        Issue.record("there was a chat")
    } catch TealightError.closed(_) {
        // As it should be.
    }
}

@Test(arguments: KvType.allCases)
func keysAndValuesMayBeKeptInEachWay(kv: KvType) async throws {
    let model = try await Model.embedded(options: ModelOptions(kv: kv))
    #expect(try await model.chat().ask(question) == answer)
}

@Test func aPromptThatIsTooLongIsRefused() async throws {
    let chat = try await Model.embedded().chat(ChatOptions(context: 48))
    do {
        _ = try await chat.ask(String(repeating: "kitchen ", count: 200))
        Issue.record("it was answered")
    } catch TealightError.contextFull(_) {
        // As it should be.
    }
}

#if os(Linux)
    @Test(.serialized, arguments: [1_000])
    func memoryDoesNotGrow(cycles: Int) async throws {
        func cycle() async throws {
            let chat = try await embeddedChat()
            _ = try await chat.ask(question, options: GenerateOptions(maxTokens: 1))
        }
        for _ in 0..<(cycles / 10) { try await cycle() }
        let before = try residentBytes()
        for _ in 0..<cycles { try await cycle() }
        let grown = try residentBytes() - before
        #expect(grown < 16 << 20, "\(grown) bytes more after \(cycles) models")
    }
#endif
