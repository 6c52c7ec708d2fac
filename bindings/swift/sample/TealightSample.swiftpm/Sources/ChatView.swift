import SwiftUI
import Tealight
import UniformTypeIdentifiers

struct ChatView: View {
    let conversation: Conversation

    @State private var text = ""
    @State private var adding = false

    var body: some View {
        NavigationStack {
            VStack(spacing: 0) {
                figures
                lines
                question
            }
            .navigationBarTitleDisplayMode(.inline)
            .toolbar { ToolbarItem(placement: .principal) { picker } }
            .fileImporter(isPresented: $adding, allowedContentTypes: [.data]) { picked in
                if case .success(let url) = picked { conversation.add(url) }
            }
        }
    }

    private var picker: some View {
        Menu(conversation.choice?.name ?? "Choose a model") {
            ForEach(conversation.choices) { choice in
                Button(choice.name) { conversation.open(choice) }
            }
            Divider()
            Button("Add a .tea file…") { adding = true }
        }
    }

    /// What the last answer took, or what went wrong.
    private var figures: some View {
        HStack {
            if conversation.loading {
                ProgressView().controlSize(.small)
            }
            if let problem = conversation.problem {
                Text(problem).foregroundStyle(.red)
            } else {
                if let speed = conversation.tokensPerSecond {
                    Text("\(speed, format: .number.precision(.fractionLength(1))) tokens/s")
                }
                if let memory = conversation.memory {
                    Text(Int64(memory), format: .byteCount(style: .memory))
                }
            }
        }
        .font(.caption)
        .foregroundStyle(.secondary)
        .padding(8)
    }

    private var lines: some View {
        ScrollViewReader { scroll in
            ScrollView {
                LazyVStack(spacing: 8) {
                    ForEach(conversation.lines) { Bubble(line: $0) }
                }
                .padding()
            }
            .onChange(of: conversation.lines.last?.text) {
                if let last = conversation.lines.last { scroll.scrollTo(last.id, anchor: .bottom) }
            }
        }
    }

    private var question: some View {
        HStack {
            TextField("turn off the lights in the kitchen", text: $text, axis: .vertical)
                .textFieldStyle(.roundedBorder)
                .onSubmit(send)
            if conversation.answering {
                Button("Stop", systemImage: "stop.fill", action: conversation.stop)
            } else {
                Button("Send", systemImage: "arrow.up", action: send)
                    .disabled(text.isEmpty || conversation.loading)
            }
        }
        .labelStyle(.iconOnly)
        .buttonStyle(.borderedProminent)
        .padding()
        .background(.bar)
    }

    private func send() {
        conversation.say(text)
        text = ""
    }
}

private struct Bubble: View {
    let line: Line

    var body: some View {
        let mine = line.role == .user
        Text(line.text.isEmpty ? "…" : line.text)
            .padding(12)
            .background(mine ? Color.accentColor.opacity(0.25) : Color(.secondarySystemBackground))
            .clipShape(RoundedRectangle(cornerRadius: 16))
            .frame(maxWidth: .infinity, alignment: mine ? .trailing : .leading)
    }
}
