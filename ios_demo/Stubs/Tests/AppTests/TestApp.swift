import AnyIRCore
import AnyIRState
import Foundation
import ImageIO
import Testing

@testable import AnyIR
@testable import AnyIRApple

/// The app with a folder of its own, the stub runtime's engines and a library of the test's.
@MainActor
struct TestApp {
    let model: AppModel
    let folder: URL
    let library: TestLibrary
    let background = TestBackground()
    let voice = TestVoice()
    private let package: TestPackage?
    private let own: TestFolder

    /// - Parameters:
    ///   - package: nil for an app without models
    ///   - copy: takes photos in
    ///   - earlier: whose process ended, and whose folder this one finds
    init(
        _ package: TestPackage?, after earlier: TestApp? = nil, library: TestLibrary = TestLibrary(),
        copy: @escaping PhotoFiles.Copy = { try FileManager.default.copyItem(at: $0, to: $1) }
    ) async throws {
        self.package = package
        self.library = library
        own = try earlier?.own ?? TestFolder()
        folder = own.url
        let engines = package.map { package in [CoreMLUnits.cpu, .gpu].map(package.factory) } ?? []
        let defaults = try #require(UserDefaults(suiteName: "anyir-\(UUID().uuidString)"))
        model = AppModel(
            Services(
                files: try PhotoFiles(folder.appendingPathComponent("restore"), copy: copy),
                models: ModelStore(folders: [package?.folder].compactMap(\.self)), engines: engines,
                settings: Settings(defaults), library: library, background: background,
                shared: folder.appendingPathComponent("shared"), announce: voice.say,
                handover: Handover(container: folder)))
        await model.findModels()
    }

    /// Writes a photo's file, whose pixels are a pattern.
    func photo(_ photo: StubPhoto, name: String = "IMG_1.heic", bytes: Int? = nil) throws -> URL {
        let url = folder.appendingPathComponent(name)
        let file = try photo.file(Self.pixels(photo))
        try file.prefix(bytes ?? file.count).write(to: url)
        return url
    }

    static func pixels(_ photo: StubPhoto) -> [UInt8] {
        guard photo.decodes else { return [] }
        return (0..<photo.width * photo.height).flatMap { pixel -> [UInt8] in
            let value = UInt8(pixel * 31 % 97)
            return [value, value + 1, value + 2, 255]
        }
    }

    /// Waits until the app has come to something, for ten seconds at most.
    func wait(_ comment: Comment, until isDue: (AppState) -> Bool) async throws {
        for _ in 0..<2000 {
            if isDue(model.state) { return }
            try await Task.sleep(for: .milliseconds(5))
        }
        Issue.record(comment)
    }

    func open(_ url: URL) async throws {
        model.choose(.file(url))
        try await wait("not opened") { $0.screen != .opening }
    }

    func restore() async throws {
        model.send(.restore)
        try await wait("not restored") { $0.screen != .running }
    }

    func save(strength: Double = 1) async throws {
        model.send(.save(strength: strength))
        try await wait("not saved") { $0.saving != .now }
    }

    /// What was saved under this name.
    func saved(_ name: String) async throws -> (head: StubPhoto, pixels: [UInt8]) {
        let file = try #require(await library.saved[name])
        let read = try #require(StubPhoto.read(file))
        return (read.0, Array(read.1))
    }

    /// Names of the app's private files, but for what it writes down.
    var files: [String] {
        get throws {
            try FileManager.default.contentsOfDirectory(atPath: folder.appendingPathComponent("restore").path)
                .filter { $0 != "kept.json" }
        }
    }
}

/// What VoiceOver would say.
@MainActor
final class TestVoice {
    private(set) var said: [String] = []

    func say(_ text: String) { said.append(text) }
}

actor TestLibrary: PhotoSaving {
    private(set) var saved: [String: Data] = [:]
    private var fault: PhotoFault?
    private var isSlow = false
    private var waiting: CheckedContinuation<Void, Never>?

    func refuse(_ notice: Notice) { fault = PhotoFault(notice) }

    /// Lets the next photo wait until ``goOn()``.
    func slowDown() { isSlow = true }

    /// Whether a photo waits.
    var isWaiting: Bool { waiting != nil }

    func goOn() {
        waiting?.resume()
        waiting = nil
    }

    func save(_ file: URL) async throws {
        if let fault { throw fault }
        if isSlow {
            isSlow = false
            await withCheckedContinuation { waiting = $0 }
        }
        saved[file.lastPathComponent] = try Data(contentsOf: file)
    }
}

@MainActor
final class TestBackground: BackgroundTime {
    private(set) var steps = 0
    private(set) var ends: [Bool] = []
    private var expired: (@MainActor () -> Void)?

    func begin(title: String, expired: @escaping @MainActor () -> Void) { self.expired = expired }

    func report(_ progress: RestoreProgress) { steps += 1 }

    func end(success: Bool) { ends.append(success) }

    func expire() { expired?() }
}
