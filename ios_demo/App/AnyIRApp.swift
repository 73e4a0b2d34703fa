import AnyIRCore
import SwiftUI

@main
struct AnyIRApp: App {
    @Environment(\.scenePhase) private var phase
    @State private var start = Start()

    var body: some Scene {
        WindowGroup {
            switch start {
            case .app(let model):
                MainView(model: model)
                    .onOpenURL { model.choose(.file($0)) }
                    .onChange(of: phase) { _, phase in
                        if phase == .background { model.leaves() }
                    }
            case .failed(let sentence):
                Text(sentence).padding()
            }
        }
    }
}

/// What a launch comes to.
@MainActor
enum Start {
    case app(AppModel)

    /// With one sentence.
    case failed(String)

    init() {
        do {
            self = .app(AppModel(try Services.ofTheSystem()))
        } catch {
            self = .failed(sentence(of: error))
        }
    }
}

extension Services {
    /// - Throws: the app's folders cannot be made, as on a full disk
    static func ofTheSystem() throws -> Services {
        let manager = FileManager.default
        let support = try manager.url(
            for: .applicationSupportDirectory, in: .userDomainMask, appropriateFor: nil, create: true)
        let caches = try manager.url(for: .cachesDirectory, in: .userDomainMask, appropriateFor: nil, create: true)
        return Services(
            files: try PhotoFiles(support.appendingPathComponent("restore")),
            models: ModelStore(folders: try folders("models")),
            engines: Engines(caches: caches).all, settings: Settings(), library: PhotoLibrary(),
            background: SystemBackgroundTime(), shared: manager.temporaryDirectory.appendingPathComponent("shared"))
    }

    /// Where models or reference tiles lie: what the user copied stands for the app's own.
    static func folders(_ name: String) throws -> [URL] {
        let manager = FileManager.default
        let documents = try manager.url(for: .documentDirectory, in: .userDomainMask, appropriateFor: nil, create: true)
        let own = documents.appendingPathComponent(name)
        try manager.createDirectory(at: own, withIntermediateDirectories: true)
        let staged = Bundle.main.resourceURL?.appendingPathComponent("Staged").appendingPathComponent(name)
        return [own] + [staged].compactMap(\.self)
    }
}
