import Accessibility
import AnyIRCore
import AnyIRState
import SwiftUI

@main
struct AnyIRApp: App {
    @Environment(\.scenePhase) private var phase
    @State private var start = Start()

    var body: some Scene {
        WindowGroup {
            switch start {
            case .app(let model, let benchmark):
                MainView(model: model, benchmark: benchmark)
                    .onOpenURL { model.choose(.file($0)) }
                    .onChange(of: phase) { earlier, phase in start.changes(from: earlier, to: phase) }
                    .task {
                        let arguments = ProcessInfo.processInfo.arguments
                        if let code = await Headless.run(arguments: arguments, benchmark, app: model) { exit(code) }
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
    case app(AppModel, BenchmarkModel)

    /// With one sentence.
    case failed(String)

    init() {
        do {
            let services = try Services.ofTheSystem()
            let benchmark = BenchmarkModel(
                services, device: ThisDevice(), references: try Services.folders("reference"),
                results: try Services.folder("results"))
            self = .app(AppModel(services), benchmark)
        } catch {
            self = .failed(sentence(of: error))
        }
    }

    /// The app comes to the front, or leaves it.
    func changes(from earlier: ScenePhase, to phase: ScenePhase) {
        guard case .app(let model, let benchmark) = self else { return }
        if phase == .background { model.leaves() }
        if phase == .active { model.takeShared() }
        // Not while the app starts, as a benchmark by launch arguments runs by then.
        if earlier == .active { benchmark.leaves() }
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
            engines: AnyIR.engines(caches: caches), settings: Settings(), library: PhotoLibrary(),
            background: SystemBackgroundTime(), shared: manager.temporaryDirectory.appendingPathComponent("shared"),
            announce: { AccessibilityNotification.Announcement($0).post() },
            handover: manager.containerURL(forSecurityApplicationGroupIdentifier: Handover.group)
                .map { Handover(container: $0) })
    }

    /// Where models or reference tiles lie: what the user copied stands for the app's own.
    static func folders(_ name: String) throws -> [URL] {
        let staged = Bundle.main.resourceURL?.appendingPathComponent("Staged").appendingPathComponent(name)
        return [try folder(name)] + [staged].compactMap(\.self)
    }

    /// A folder that the Files app and a computer see.
    static func folder(_ name: String) throws -> URL {
        let manager = FileManager.default
        let documents = try manager.url(for: .documentDirectory, in: .userDomainMask, appropriateFor: nil, create: true)
        let folder = documents.appendingPathComponent(name)
        try manager.createDirectory(at: folder, withIntermediateDirectories: true)
        return folder
    }
}
