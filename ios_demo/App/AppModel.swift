import AnyIRApple
import AnyIRCore
import AnyIRState
import Foundation
import Observation

/// What the app works with; tests give others.
@MainActor
struct Services {
    let files: PhotoFiles
    let models: ModelStore
    let engines: [any EngineFactory]
    let settings: Settings
    let library: any PhotoSaving
    let background: any BackgroundTime

    /// For files that other apps are given, one at a time.
    let shared: URL

    /// Has VoiceOver say something.
    let announce: @MainActor (String) -> Void

    /// Where the share extension leaves photos; nil where the app group is not among the build's entitlements.
    var handover: Handover?
}

/// Holds the app's state, and does what its transitions ask for.
@MainActor
@Observable
final class AppModel {
    private(set) var state: AppState
    private(set) var images: PhotoImages?

    /// Whether the photo's picture could not be made.
    private(set) var cannotShow = false

    /// How much of the restoration is shown and saved, 0...1.
    var strength = 1.0

    /// A file that the user is asked what to do with.
    var offered: OfferedFile?

    /// Whether the user is asked if an unsaved result may be given up. The system sets it to false.
    var asksQuestion: Bool {
        get { state.question != nil }
        set { if !newValue, state.question != nil { send(.answer(giveUp: false)) } }
    }

    @ObservationIgnored let services: Services
    @ObservationIgnored private var requests: [String: PhotoRequest] = [:]
    @ObservationIgnored private var entries: [ModelEntry] = []
    @ObservationIgnored private var opening: Task<Void, Never>?
    @ObservationIgnored private var restoring: Task<Void, Never>?
    @ObservationIgnored private var shown: [String] = []
    @ObservationIgnored private var usesGPU = false

    /// Why a restoration was ended other than by the user.
    @ObservationIgnored private var endedBy: Notice?

    struct OfferedFile: Identifiable, Equatable {
        let url: URL
        var id: URL { url }
    }

    init(_ services: Services) {
        self.services = services
        state = AppState(work: Work(after: services.files.kept(), exists: services.files.exists))
        showImages()
    }

    // By the user

    func choose(_ request: PhotoRequest, thenRestore: Bool = false) {
        let name = UUID().uuidString
        requests[name] = request
        send(.choose(name, thenRestore: thenRestore))
    }

    func choose(_ pair: Pair) {
        services.settings.chosen = pair
        arrange()
    }

    func send(_ event: AppState.Event) {
        let before = state
        let effects = state.handle(event)
        if let news = Words.news(of: event, before, state) { services.announce(news) }
        for effect in effects { perform(effect) }
        showImages()
        switch event {
        case .saved, .close, .answer(giveUp: true): takeShared()
        default: break
        }
    }

    /// Looks the models up anew.
    func findModels() async {
        let store = services.models
        entries = await Task.detached { store.list() }.value
        arrange()
        // What runs may have its compiled model open.
        if state.screen == .running || state.isMeasuring { return }
        let models = entries.compactMap(\.model)
        for engine in services.engines { await (engine as? CoreMLFactory)?.keepCompiled(of: models) }
    }

    /// Opens what another app shared. It is left for later while a photo is opened or restored, and while a result is
    /// not saved, which is said.
    func takeShared() {
        guard let handover = services.handover, ![.opening, .running].contains(state.screen) else { return }
        if state.isUnsaved {
            if handover.isWaiting, state.question == nil { send(.say(.sharedWaits)) }
        } else if let photo = handover.take(into: FileManager.default.temporaryDirectory) {
            choose(.shared(photo))
        }
    }

    /// The user left the app: what needs the GPU cannot go on.
    func leaves() {
        guard usesGPU, case .running = state.work else { return }
        end(.verbatim(Words.gpuStays))
    }

    private func arrange() {
        let settings = services.settings
        send(
            .found(
                Catalogue(entries: entries, engines: services.engines, chosen: settings.chosen, speed: settings.speed)))
    }

    private func perform(_ effect: AppState.Effect) {
        switch effect {
        case .open(let name): open(name)
        case .cancelOpening: opening?.cancel()
        case .restore(let photo, let pair, let halfSize): restore(photo, pair, halfSize: halfSize)
        case .cancelRestoring: restoring?.cancel()
        case .keep(let kept):
            do {
                try services.files.keep(kept)
            } catch {
                // Nothing but a full disk is known to keep the app from its own folder.
                send(.say(kept?.result == nil ? .noSpaceToOpen : .noSpaceForResult))
            }
        case .save(let photo, let result, let strength): save(photo, result, strength)
        case .share(let photo, let result, let strength): share(photo, result, strength)
        }
    }

    private func open(_ name: String) {
        guard let request = requests[name] else { return send(.notOpened(.gone)) }
        requests = [:]
        let inbox = PhotoInbox(files: services.files)
        opening = Task {
            let event: AppState.Event
            do {
                event = .opened(try await inbox.open(request))
            } catch {
                event = .notOpened(notice(ofFile: error, noSpace: .noSpaceToOpen, other: .cannotDecode))
            }
            // Called off: another photo may be on its way.
            if !Task.isCancelled { send(event) }
        }
    }

    private func restore(_ photo: PhotoInfo, _ pair: Pair, halfSize: Bool) {
        let models = entries.compactMap(\.model)
        guard let choice = choices(models: models, engines: services.engines).first(where: { $0.pair == pair }) else {
            return send(.notRestored(.nothingRuns))
        }
        usesGPU = (choice.engine as? CoreMLFactory)?.units.takesGPU ?? false
        endedBy = nil
        strength = 1
        services.background.begin(title: Words.restoringName(photo.name)) { [weak self] in self?.end(.timeWasUp) }
        let restoration = Restoration(photo: photo, choice: choice, halfSize: halfSize, files: services.files)
        restoring = Task {
            do {
                let result = try await restoration.run { progress in
                    Task { @MainActor [weak self] in self?.progressed(progress) }
                }
                services.background.end(success: true)
                remember(result, choice)
                send(.restored(result))
                arrange()
            } catch {
                services.background.end(success: false)
                // What was ended may fail before it notices.
                send(.notRestored(endedBy ?? restoration.notice(of: error)))
            }
        }
    }

    private func progressed(_ progress: RestoreProgress) {
        services.background.report(progress)
        send(.progressed(progress))
    }

    private func end(_ notice: Notice) {
        endedBy = notice
        restoring?.cancel()
    }

    private func remember(_ result: RestoredPhoto, _ choice: Choice) {
        let tile = choice.model.manifest.tileSize
        let overlap = TilePlan.defaultOverlap(tile: tile)
        let tiles = TilePlan(width: result.width, height: result.height, tile: tile, overlap: overlap).count
        services.settings.remember(Speed(seconds: result.seconds / Double(tiles), benchmarked: false), of: choice)
    }

    private func save(_ photo: PhotoInfo, _ result: RestoredPhoto, _ strength: Double) {
        let library = services.library
        Task {
            do {
                // Not where shared files lie: sharing deletes those.
                let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
                defer { try? FileManager.default.removeItem(at: folder) }
                let encoded = try await encode(photo, result, strength, into: folder)
                try await library.save(encoded.url)
                send(.saved(file: result.file, notes: encoded.notes))
            } catch {
                let why = notice(ofFile: error, noSpace: .noSpaceToSave, other: .notTaken)
                send(.notSaved(file: result.file, why))
            }
        }
    }

    /// What was shared before is deleted.
    private func share(_ photo: PhotoInfo, _ result: RestoredPhoto, _ strength: Double) {
        let shared = services.shared
        Task {
            do {
                try? FileManager.default.removeItem(at: shared)
                let folder = shared.appendingPathComponent(UUID().uuidString)
                offered = OfferedFile(url: try await encode(photo, result, strength, into: folder).url)
                send(.shared)
            } catch {
                send(.notShared(notice(ofFile: error, noSpace: .noSpaceToSave, other: .notEncoded)))
            }
        }
    }

    /// Into a folder of its own, which is made.
    private func encode(
        _ photo: PhotoInfo, _ result: RestoredPhoto, _ strength: Double, into folder: URL
    ) async throws -> ResultEncoder.Encoded {
        let files = services.files
        return try await Task.detached {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            let encoder = ResultEncoder(
                photo: photo, photoURL: files.url(photo.file), result: result, resultURL: files.url(result.file))
            return try encoder.encode(strength: strength, into: folder)
        }.value
    }

    /// Decodes what the screen compares where that changed.
    private func showImages() {
        let (photo, result) = (state.work.photo, state.work.result)
        let wanted = [photo?.file, result?.file].compactMap(\.self)
        if wanted == shown { return }
        shown = wanted
        cannotShow = false
        guard let photo else { return images = nil }
        let files = services.files
        Task {
            let found = await Task.detached { try? PhotoImages(files, photo: photo, result: result) }.value
            guard shown == wanted else { return }
            images = found
            cannotShow = found == nil
        }
    }
}
