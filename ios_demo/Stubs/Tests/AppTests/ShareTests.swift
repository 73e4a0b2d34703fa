import AnyIRState
import Foundation
import ImageIO
import Testing
import UIKit

@testable import AnyIR
@testable import AnyIRShare

/// A photo's way from another app's share sheet into this one.
@MainActor
@Suite struct ShareTests {
    @Test func aSharedPhotoIsOpenedWhenTheAppIsNext() async throws {
        let app = try await TestApp(TestPackage())
        let url = try app.photo(StubPhoto(type: "public.heic", width: 8, height: 8), name: "IMG_7.heic")
        let handover = try #require(app.model.services.handover)
        #expect(await ShareController.hand([item(url)], to: handover) == .left)
        app.model.takeShared()
        try await app.wait("not opened") { $0.screen == .ready }
        #expect(app.model.state.work.photo?.name == "IMG_7.heic")
        #expect(FileManager.default.fileExists(atPath: url.path), "the other app's file stays")
        app.model.takeShared()
        #expect(app.model.state.screen == .ready, "it is taken once")
    }

    @Test func whileAPhotoIsRestoredItWaits() async throws {
        let app = try await TestApp(TestPackage { $0.functions["restore"]?.milliseconds = 20 })
        let url = try app.photo(StubPhoto(type: "public.png", width: 100, height: 20), name: "a.png")
        try await app.open(url)
        app.model.send(.restore)
        #expect(await ShareController.hand([item(url)], to: app.model.services.handover) == .left)
        app.model.takeShared()
        #expect(app.model.state.screen == .running && app.model.state.notice == nil)
        app.model.send(.cancel)
        try await app.wait("not cancelled") { $0.screen != .running }
        app.model.takeShared()
        try await app.wait("not opened") { _ in app.model.state.work.photo?.name == "a.png" }
    }

    @Test func whileAResultIsNotSavedItWaits() async throws {
        let app = try await TestApp(TestPackage())
        try await app.open(app.photo(StubPhoto(type: "public.png", width: 8, height: 8), name: "a.png"))
        try await app.restore()
        let (model, handover) = (app.model, try #require(app.model.services.handover))
        let next = try app.photo(StubPhoto(type: "public.png", width: 4, height: 4), name: "next.png")
        #expect(await ShareController.hand([item(next)], to: handover) == .left)
        model.takeShared()
        #expect(model.state.screen == .done && model.state.notice == .sharedWaits && !model.asksQuestion)
        // Kept: it waits on.
        model.send(.close)
        model.send(.answer(giveUp: false))
        #expect(model.state.screen == .done && handover.isWaiting)
        try await app.save()
        try await app.wait("not opened") { _ in model.state.work.photo?.name == "next.png" }
        // Closed without saving.
        try await app.restore()
        #expect(await ShareController.hand([item(next)], to: handover) == .left)
        model.send(.close)
        model.send(.answer(giveUp: true))
        try await app.wait("not opened") { $0.screen == .ready }
        #expect(!handover.isWaiting)
    }

    @Test func whatIsNoPhotoIsNotTaken() async throws {
        let app = try await TestApp(nil)
        let url = try app.photo(StubPhoto(type: "public.png", width: 4, height: 4))
        let handover = app.model.services.handover
        let gone = app.folder.appendingPathComponent("gone")
        for items in [[], [item(url, type: "public.text")], [item(nil)], [item(gone)]] {
            #expect(await ShareController.hand(items, to: handover) == .notTaken)
        }
        #expect(await ShareController.hand([item(url)], to: nil) == .notTaken, "without the app group")
        app.model.takeShared()
        #expect(app.model.state.screen == .start)
    }

    @Test func aFullDiskIsSaid() async throws {
        let app = try await TestApp(nil)
        let url = try app.photo(StubPhoto(type: "public.png", width: 4, height: 4))
        let full = Handover(container: app.folder) { _, _ in throw CocoaError(.fileWriteOutOfSpace) }
        #expect(await ShareController.hand([item(url)], to: full) == .noSpace)
        #expect(ShareController.Outcome.noSpace.words == Notice.noSpaceToOpen.sentence)
        app.model.takeShared()
        #expect(app.model.state.screen == .start, "nothing is left")
    }

    private func item(_ file: URL?, type: String = "public.image") -> NSExtensionItem {
        let (item, provider) = (NSExtensionItem(), NSItemProvider())
        provider.stubType = type
        provider.stubFile = file
        item.attachments = [provider]
        return item
    }
}
