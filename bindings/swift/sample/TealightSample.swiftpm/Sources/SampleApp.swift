import SwiftUI

@main
struct SampleApp: App {
    @State private var conversation = Conversation()

    var body: some Scene {
        WindowGroup { ChatView(conversation: conversation) }
    }
}
