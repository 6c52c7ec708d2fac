import Foundation
import Observation
import Tealight

/// A model that can be picked.
struct Choice: Identifiable, Hashable {
    let name: String
    /// Nil for the one in the library.
    let url: URL?

    var id: String { url?.path ?? "" }
}

/// Something that was said.
struct Line: Identifiable {
    let id = UUID()
    let role: Role
    var text: String
}

/// Loads a model, and talks with it: all that the screen shows.
@MainActor @Observable
final class Conversation {
    private(set) var choices: [Choice] = []
    private(set) var choice: Choice?
    private(set) var loading = false
    private(set) var lines: [Line] = []
    private(set) var answering = false
    private(set) var tokensPerSecond: Double?
    /// What the app holds, in bytes.
    private(set) var memory: Int?
    private(set) var problem: String?

    private var chat: Chat?
    private var work: Task<Void, Never>?

    /// Where the app keeps models, which is also what the Files app shows of it.
    private let folder = URL.documentsDirectory

    init() {
        list()
        open(choices[0])
    }

    private func list() {
        let files = try? FileManager.default.contentsOfDirectory(
            at: folder, includingPropertiesForKeys: nil)
        let own = (files ?? []).filter { $0.pathExtension == "tea" }.map {
            Choice(name: $0.deletingPathExtension().lastPathComponent, url: $0)
        }
        choices = [Choice(name: "Household (built in)", url: nil)] + own.sorted { $0.name < $1.name }
    }

    /// Puts another model in the place of the one before.
    func open(_ choice: Choice) {
        work?.cancel()
        chat?.close()
        chat = nil
        lines = []
        answering = false
        tokensPerSecond = nil
        self.choice = choice
        loading = true
        attempt {
            let options = ModelOptions(cache: .cachesDirectory)
            let model =
                if let url = choice.url {
                    try await Model.load(url, options: options)
                } else {
                    try await Model.embedded(options: options)
                }
            self.chat = try await model.chat()
            self.loading = false
            self.memory = footprint()
        }
    }

    /// Copies a compiled model to the app's own folder.
    func add(_ source: URL) {
        attempt {
            let file = self.folder.appendingPathComponent(source.lastPathComponent)
            let allowed = source.startAccessingSecurityScopedResource()
            defer { if allowed { source.stopAccessingSecurityScopedResource() } }
            if !FileManager.default.fileExists(atPath: file.path) {
                try FileManager.default.copyItem(at: source, to: file)
            }
            self.list()
            if let added = self.choices.first(where: { $0.url?.lastPathComponent == file.lastPathComponent }) {
                self.open(added)
            }
        }
    }

    /// Asks, and shows the answer as it comes.
    func say(_ text: String) {
        guard let chat, !answering, !text.isEmpty else { return }
        lines += [Line(role: .user, text: text), Line(role: .assistant, text: "")]
        answering = true
        attempt {
            for try await event in chat.stream(text) {
                switch event {
                case .text(let more): self.lines[self.lines.count - 1].text += more
                case .done(let summary): self.done(summary)
                }
            }
        }
    }

    private func done(_ summary: Summary) {
        answering = false
        tokensPerSecond = summary.decodeTokensPerSecond
        memory = footprint()
        // The chat forgets a turn that was cancelled, and so does the screen.
        if summary.reason == .cancelled { lines.removeLast(2) }
    }

    /// Stops the answer within one token.
    func stop() {
        chat?.cancel()
    }

    private func attempt(_ steps: @escaping @MainActor () async throws -> Void) {
        problem = nil
        work = Task {
            do {
                try await steps()
            } catch {
                // Another model was opened meanwhile.
                guard !Task.isCancelled else { return }
                problem = error.localizedDescription
                if answering { lines.removeLast(2) }
                answering = false
                loading = false
            }
        }
    }
}
