import AnyIRState
import Foundation
import ImageIO
import Testing

@testable import AnyIR

/// A result's way to another app.
@MainActor
@Suite struct SharingTests {
    @Test func sharingOffersAFile() async throws {
        let app = try await TestApp(TestPackage())
        try await app.open(app.photo(StubPhoto(type: "public.heic", width: 8, height: 8)))
        try await app.restore()
        app.model.send(.share(strength: 0.5))
        try await app.wait("nothing to share") { _ in app.model.offered != nil }
        #expect(app.model.offered?.url.lastPathComponent == "IMG_1-restored.heic")
        #expect(app.model.state.isUnsaved && !app.model.state.isSharing)
    }

    @Test func aSecondTapOnShareLeavesTheFirstOnesFile() async throws {
        let app = try await TestApp(TestPackage())
        try await app.open(app.photo(StubPhoto(type: "public.heic", width: 8, height: 8)))
        try await app.restore()
        for _ in 1...2 { app.model.send(.share(strength: 0.5)) }
        #expect(app.model.state.isSharing)
        try await app.wait("not shared") { !$0.isSharing }
        let offered = try #require(app.model.offered)
        try await Task.sleep(for: .milliseconds(50))
        #expect(app.model.offered == offered)
        #expect(FileManager.default.fileExists(atPath: offered.url.path))
    }

    @Test func aResultThatCannotBeEncodedIsNotTheLibrarysFault() async throws {
        let app = try await TestApp(TestPackage())
        try await app.open(app.photo(StubPhoto(type: "public.heic", width: 8, height: 8)))
        try await app.restore()
        guard case .done(let photo, let result) = app.model.state.work else {
            Issue.record("\(app.model.state.work)")
            return
        }
        let files = app.model.services.files
        let encoder = ResultEncoder(
            photo: photo, photoURL: files.url(photo.file), result: result, resultURL: files.url(result.file))
        let gone = app.folder.appendingPathComponent("gone")
        #expect(throws: PhotoFault(.notEncoded)) { try encoder.encode(strength: 1, into: gone) }
    }

    @Test func sharingWhileAPhotoIsSavedLeavesItsFile() async throws {
        let app = try await TestApp(TestPackage())
        try await app.open(app.photo(StubPhoto(type: "public.png", width: 8, height: 8), name: "a.png"))
        try await app.restore()
        await app.library.slowDown()
        app.model.send(.save(strength: 1))
        while await !app.library.isWaiting { try await Task.sleep(for: .milliseconds(1)) }
        app.model.send(.share(strength: 0.5))
        try await app.wait("nothing to share") { _ in app.model.offered != nil }
        await app.library.goOn()
        try await app.wait("not saved") { $0.saving != .now }
        #expect(app.model.state.saving == .done(notes: []))
        #expect(try await app.saved("a-restored.png").head.width == 8)
        #expect(FileManager.default.fileExists(atPath: try #require(app.model.offered).url.path))
    }
}
