import AnyIRApple
import AnyIRCore
import AnyIRState
import Foundation
import ImageIO
import Testing

@testable import AnyIR

/// A photo's whole way through the app, but for what draws it.
@MainActor
@Suite struct AppModelTests {
    @Test(arguments: 1...8) func aRestoredPhotoIsSavedUprightWithWhatItsFileSaid(orientation: Int) async throws {
        let package = try TestPackage()
        let app = try await TestApp(package)
        var photo = StubPhoto(type: "public.heic", width: 37, height: 22)
        photo.orientation = orientation
        photo.space = "kCGColorSpaceDisplayP3"
        photo.camera = "Camera 1"
        try await app.open(app.photo(photo))
        try await app.restore()
        try await app.save()
        #expect(app.model.state.saving == .done(notes: []))
        let (saved, pixels) = try await app.saved("IMG_1-restored.heic")
        let upright = MemoryPhoto(width: 37, height: 22, pixels: TestApp.pixels(photo)).upright(exif: orientation)
        #expect(saved.width == upright.width && saved.height == upright.height && saved.orientation == 1)
        #expect(saved.camera == "Camera 1" && saved.space == "kCGColorSpaceDisplayP3")
        let due = MemorySink(width: upright.width, height: upright.height)
        try await PhotoRestorer(package.model, with: package.factory()).restore(upright, into: due)
        #expect(pixels == due.photo?.pixels)
        // Its sheet is restored to half of what it was, and a little more.
        let need = try #require(app.model.state.work.result?.need)
        #expect(need.isNeeded && need.brightness != 0)
        #expect(try app.files.count == 2)
    }

    @Test func theStrengthIsMixedWithThePhotoAsItWas() async throws {
        let app = try await TestApp(TestPackage())
        let photo = StubPhoto(type: "public.png", width: 20, height: 20)
        try await app.open(app.photo(photo, name: "a.png"))
        try await app.restore()
        try await app.save(strength: 0)
        let saved = try await app.saved("a-restored.png")
        #expect(saved.pixels == TestApp.pixels(photo))
    }

    @Test func whatTheSystemCannotWriteBecomesAnotherFormatAndIsSaid() async throws {
        let app = try await TestApp(TestPackage())
        try await app.open(app.photo(StubPhoto(type: "org.webmproject.webp", width: 8, height: 8), name: "a.webp"))
        try await app.restore()
        try await app.save()
        #expect(
            app.model.state.saving == .done(notes: ["The result is saved as png: this system cannot write webp."]))
        #expect(await app.library.saved.keys.sorted() == ["a-restored.png"])
    }

    @Test func alphaPassesThrough() async throws {
        let app = try await TestApp(TestPackage())
        var photo = StubPhoto(type: "public.png", width: 4, height: 4)
        photo.alpha = true
        var pixels = TestApp.pixels(photo)
        for i in 0..<16 { pixels[4 * i + 3] = UInt8(i * 17) }
        let url = app.folder.appendingPathComponent("a.png")
        try photo.file(pixels).write(to: url)
        try await app.open(url)
        try await app.restore()
        try await app.save()
        let saved = try await app.saved("a-restored.png")
        #expect(saved.head.alpha)
        #expect(
            saved.pixels.enumerated().filter { $0.offset % 4 == 3 }.map(\.element) == (0..<16).map { UInt8($0 * 17) })
    }

    @Test(arguments: [(true, "png"), (false, "jpg")])
    func whatCannotBeWrittenBecomesAPNGWhereItIsTransparent(isTransparent: Bool, suffix: String) async throws {
        let app = try await TestApp(TestPackage())
        var photo = StubPhoto(type: "public.avif", width: 4, height: 4)
        photo.alpha = true
        var pixels = TestApp.pixels(photo)
        if isTransparent { pixels[3] = 17 }
        let url = app.folder.appendingPathComponent("a.avif")
        try photo.file(pixels).write(to: url)
        try await app.open(url)
        try await app.restore()
        try await app.save()
        #expect(
            app.model.state.saving
                == .done(notes: ["The result is saved as \(suffix): this system cannot write avif."]))
        #expect(try await app.saved("a-restored.\(suffix)").pixels[3] == pixels[3])
    }

    @Test func aPhotoWithoutColourIsKnown() async throws {
        let app = try await TestApp(TestPackage())
        for model in ["Gray", "RGB"] {
            var photo = StubPhoto(type: "public.png", width: 2, height: 1)
            photo.model = model
            for (pixels, isGrey) in [([9, 9, 9, 255, 4, 4, 4, 255], true), ([9, 9, 9, 255, 4, 4, 5, 255], false)] {
                let url = app.folder.appendingPathComponent("a.png")
                try photo.file(pixels.map { UInt8($0) }).write(to: url)
                try await app.open(url)
                let info = try #require(app.model.state.work.photo)
                #expect(info.notes == [])
                #expect(try DecodedPhoto(url, info: info, halfSize: false).isGrey == isGrey)
            }
        }
    }

    @Test func whatIsWrongWithAPhotoIsOneSentence() async throws {
        let app = try await TestApp(TestPackage())
        let text = app.folder.appendingPathComponent("text.jpg")
        try Data("This is no photo.".utf8).write(to: text)
        var moving = StubPhoto(type: "com.compuserve.gif", width: 4, height: 4)
        moving.frames = 2
        var pages = StubPhoto(type: "public.tiff", width: 4, height: 4)
        pages.frames = 3
        var huge = StubPhoto(type: "public.jpeg", width: 20_000, height: 10_001)
        huge.decodes = false
        let whole = StubPhoto(type: "public.heic", width: 20, height: 20)
        let cases: [(PhotoRequest, Notice)] = [
            (.file(text), .notAPhoto), (.file(try app.photo(moving, name: "b.gif")), .animated),
            (.file(try app.photo(pages, name: "e.tiff")), .severalPages),
            (.file(try app.photo(whole, name: "c.heic", bytes: 900)), .cutOff),
            (.file(app.folder.appendingPathComponent("gone.jpg")), .gone),
            (.file(try app.photo(huge, name: "d.jpg")), .tooLarge(megapixels: 201)),
            (.picked(.init(stub: nil)), .notDelivered), (.picked(.init(stub: text)), .notAPhoto),
        ]
        for (request, notice) in cases {
            app.model.choose(request)
            try await app.wait("not refused") { $0.screen != .opening }
            #expect(app.model.state.work == .failed(nil, notice))
        }
        #expect(try app.files.isEmpty)
        for (name, sentence) in [
            ("b.gif", "b.gif is an animation; only still photos can be restored."),
            ("e.tiff", "e.tiff has several pages; only single photos can be restored."),
        ] {  // what the command for macOS says of them
            let url = app.folder.appendingPathComponent(name)
            #expect(throws: PhotoFileError(sentence)) { try PhotoFile(url) }
        }
    }

    @Test func aLargePhotoIsOfferedAtHalfSize() async throws {
        let app = try await TestApp(TestPackage())
        var photo = StubPhoto(type: "public.jpeg", width: 10_000, height: 6000)
        photo.decodes = false
        try await app.open(app.photo(photo))
        #expect(app.model.state.work.photo?.onlyHalfSize == true)
        try await app.restore()
        guard case .failed(let info, .cannotDecode) = app.model.state.work else {
            Issue.record("\(app.model.state.work)")
            return
        }
        #expect(info?.name == "IMG_1.heic")
    }

    @Test(arguments: [[1, 1], [300, 1], [1, 40]]) func thinPhotosAreRestored(size: [Int]) async throws {
        let app = try await TestApp(TestPackage())
        try await app.open(app.photo(StubPhoto(type: "public.png", width: size[0], height: size[1])))
        try await app.restore()
        #expect(app.model.state.work.result?.width == size[0])
        try await app.wait("no picture") { _ in app.model.images?.after != nil }
    }

    @Test func refusedSavingLosesNothing() async throws {
        let app = try await TestApp(TestPackage())
        try await app.open(app.photo(StubPhoto(type: "public.png", width: 8, height: 8)))
        try await app.restore()
        await app.library.refuse(.saveRefused)
        try await app.save()
        #expect(app.model.state.saving == .failed(.saveRefused))
        #expect(app.model.state.isUnsaved)
        app.model.send(.close)
        #expect(app.model.asksQuestion)
        app.model.asksQuestion = false
        #expect(app.model.state.screen == .done)
    }

    @Test func anEngineThatFailsLeavesThePhoto() async throws {
        let package = try TestPackage { $0.functions["restore"]?.givesNaN = true }
        let app = try await TestApp(package)
        try await app.open(app.photo(StubPhoto(type: "public.png", width: 8, height: 8)))
        try await app.restore()
        guard case .failed(let photo, let notice) = app.model.state.work else {
            Issue.record("\(app.model.state.work)")
            return
        }
        #expect(photo != nil && notice == .model(RestoreError.notFinite.sentence))
        #expect(try app.files.count == 1)
        #expect(app.background.ends == [false])
    }

    @Test func cancellingEndsWithTheTileAndLeavesNoFile() async throws {
        let app = try await TestApp(slow())
        try await app.open(app.photo(StubPhoto(type: "public.png", width: 200, height: 20)))
        app.model.send(.restore)
        try await app.wait("no progress") { if case .running(_, .some, _) = $0.work { true } else { false } }
        app.model.send(.choose("second"))
        #expect(app.model.state.notice == .busyRestoring)
        app.model.send(.cancel)
        try await app.wait("not cancelled") { $0.screen != .running }
        #expect(app.model.state.screen == .ready && app.model.state.notice == nil)
        #expect(try app.files.count == 1)
    }

    @Test func timeThatRunsOutInTheBackgroundIsSaid() async throws {
        let app = try await TestApp(slow())
        try await app.open(app.photo(StubPhoto(type: "public.png", width: 200, height: 20)))
        app.model.send(.restore)
        try await app.wait("no progress") { _ in app.background.steps > 0 }
        app.background.expire()
        try await app.wait("not ended") { $0.screen != .running }
        #expect(app.model.state.work == .failed(app.model.state.work.photo, .timeWasUp))
    }

    @Test func onlyWhatUsesTheGPUEndsWhenTheAppIsLeft() async throws {
        let app = try await TestApp(slow())
        try await app.open(app.photo(StubPhoto(type: "public.png", width: 60, height: 20)))
        app.model.send(.restore)
        app.model.leaves()
        try await app.wait("not restored") { $0.screen != .running }
        #expect(app.model.state.screen == .done)
        app.model.choose(Pair(model: "tiny", engine: "coreml-gpu"))
        #expect(app.model.state.again == Pair(model: "tiny", engine: "coreml-gpu"))
        app.model.send(.restore)
        app.model.leaves()
        try await app.wait("not ended") { $0.screen != .running }
        // The earlier result stays, and a sentence says why there is no other.
        #expect(app.model.state.screen == .done)
        #expect(app.model.state.notice == .verbatim(Words.gpuStays))
    }

    @Test func whyItWasEndedIsSaidAlsoWhereTheEngineFailsFirst() async throws {
        let app = try await TestApp(TestPackage { $0.refuses[CoreMLUnits.gpu.units.rawValue] = "no such unit" })
        try await app.open(app.photo(StubPhoto(type: "public.png", width: 60, height: 20)))
        app.model.choose(Pair(model: "tiny", engine: "coreml-gpu"))
        app.model.send(.restore)
        app.model.leaves()
        try await app.wait("not ended") { $0.screen != .running }
        #expect(app.model.state.work == .failed(app.model.state.work.photo, .verbatim(Words.gpuStays)))
    }

    @Test func voiceOverIsToldWhatBecameOfAPhoto() async throws {
        let app = try await TestApp(TestPackage())
        let text = app.folder.appendingPathComponent("text.jpg")
        try Data("This is no photo.".utf8).write(to: text)
        try await app.open(text)
        try await app.open(app.photo(StubPhoto(type: "public.png", width: 8, height: 8)))
        app.model.send(.save(strength: 1))
        try await app.restore()
        await app.library.refuse(.saveRefused)
        try await app.save()
        let due = [
            Notice.notAPhoto.sentence, Notice.nothingToSave.sentence, "Restored", Notice.saveRefused.sentence,
        ]
        #expect(app.voice.said == due)
    }

    @Test func whatWasCompiledOfAModelThatIsGoneIsDropped() async throws {
        let package = try TestPackage()
        let app = try await TestApp(package)
        try await app.open(app.photo(StubPhoto(type: "public.png", width: 8, height: 8)))
        try await app.restore()
        func compiled() throws -> Int { try FileManager.default.contentsOfDirectory(atPath: package.cache.path).count }
        await app.model.findModels()
        #expect(try compiled() == 1)
        try FileManager.default.removeItem(at: package.model.url)
        await app.model.findModels()
        #expect(try compiled() == 0)
    }

    @Test func whatTheProcessLeavesIsFoundAgain() async throws {
        let package = try TestPackage()
        let app = try await TestApp(package)
        try await app.open(app.photo(StubPhoto(type: "public.png", width: 8, height: 8)))
        let ready = try await TestApp(package, after: app)
        #expect(ready.model.state.screen == .ready)
        try await app.restore()
        let done = try await TestApp(package, after: app)
        #expect(done.model.state.work == app.model.state.work)
        done.model.send(.close)
        done.model.send(.answer(giveUp: true))
        let closed = try await TestApp(package, after: app)
        #expect(closed.model.state.screen == .start)
        #expect(try closed.files.isEmpty)
    }

    @Test func aRestorationThatTheProcessDidNotSurviveIsOfferedAgain() async throws {
        let package = try slow()
        let app = try await TestApp(package)
        try await app.open(app.photo(StubPhoto(type: "public.png", width: 200, height: 20)))
        app.model.send(.restore)
        let next = try await TestApp(package, after: app)
        guard case .ready(_, interrupted: true) = next.model.state.work else {
            Issue.record("\(next.model.state.work)")
            return
        }
        app.model.send(.cancel)
        try await app.wait("not cancelled") { $0.screen != .running }
    }

    @Test func withoutAModelOneSentenceSaysSo() async throws {
        let app = try await TestApp(nil)
        #expect(app.model.state.models == .none)
        try await app.open(app.photo(StubPhoto(type: "public.png", width: 8, height: 8)))
        #expect(!app.model.state.canRestore)
        app.model.send(.restore)
        #expect(app.model.state.notice == .nothingRuns)
    }

    @Test func aGainMapAndMoreBitsAreSaidToBeLost() async throws {
        let app = try await TestApp(TestPackage())
        var photo = StubPhoto(type: "public.heic", width: 8, height: 8)
        photo.gainMap = true
        photo.depth = 10
        try await app.open(app.photo(photo))
        #expect(app.model.state.work.photo?.notes == [Words.noteGainMap, Words.noteBits(10)])
    }

    private func slow() throws -> TestPackage {
        try TestPackage { $0.functions["restore"]?.milliseconds = 20 }
    }
}
