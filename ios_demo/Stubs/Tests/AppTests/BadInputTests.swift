import AnyIRApple
import AnyIRCore
import AnyIRState
import Foundation
import ImageIO
import Photos
import Testing

@testable import AnyIR

/// What files, disks and permissions can do to the app: one sentence, and nothing is lost. What is wrong inside a photo,
/// a model or a benchmark stands with the tests of these.
@MainActor
@Suite struct BadInputTests {
    @Test func aPhotoThatIsDeletedMeanwhileIsRestoredAllTheSame() async throws {
        let app = try await TestApp(TestPackage())
        let url = try app.photo(StubPhoto(type: "public.png", width: 20, height: 20), name: "a.png")
        try await app.open(url)
        try FileManager.default.removeItem(at: url)
        try await app.restore()
        try await app.save()
        #expect(try await app.saved("a-restored.png").head.width == 20)
    }

    @Test func aPrivateCopyThatIsGoneIsSaid() async throws {
        let app = try await TestApp(TestPackage())
        try await app.open(app.photo(StubPhoto(type: "public.png", width: 20, height: 20)))
        for name in try app.files {
            try FileManager.default.removeItem(at: app.folder.appendingPathComponent("restore/\(name)"))
        }
        try await app.restore()
        #expect(app.model.state.work == .failed(app.model.state.work.photo, .gone))
        #expect(try app.files.isEmpty)
    }

    /// The photo's copy is gone too, which would be said if it were read first.
    @Test func aModelThatIsRefusedIsSaidBeforeThePhotoIsRead() async throws {
        let package = try TestPackage {
            for units in CoreMLUnits.allCases { $0.refuses[units.units.rawValue] = "no such unit" }
        }
        let app = try await TestApp(package)
        try await app.open(app.photo(StubPhoto(type: "public.png", width: 20, height: 20)))
        for name in try app.files {
            try FileManager.default.removeItem(at: app.folder.appendingPathComponent("restore/\(name)"))
        }
        try await app.restore()
        let refusal = Notice.model("Core ML, CPU cannot load tiny: StubError: no such unit")
        #expect(app.model.state.work == .failed(app.model.state.work.photo, refusal))
    }

    @Test func anEmptyFileAndOneThatIsTooLongAreNoPhotos() async throws {
        let app = try await TestApp(TestPackage())
        for (name, bytes) in [("empty.jpg", 0), ("long.jpg", PhotoInbox.maxBytes + 1)] {
            let url = app.folder.appendingPathComponent(name)
            try Data().write(to: url)
            let file = try FileHandle(forWritingTo: url)
            try file.truncate(atOffset: UInt64(bytes))  // without taking space
            try file.close()
            try await app.open(url)
            #expect(app.model.state.work == .failed(nil, .notAPhoto), "\(name)")
        }
        #expect(try app.files.isEmpty)
    }

    @Test func namesAreMadeSafe() async throws {
        let app = try await TestApp(TestPackage())
        try await app.open(app.photo(StubPhoto(type: "public.png", width: 4, height: 4), name: "a:b\\c.png"))
        try await app.restore()
        try await app.save()
        #expect(await app.library.saved.keys.sorted() == ["a_b_c-restored.png"])
    }

    @Test func aStateThatCannotBeReadIsNone() async throws {
        let package = try TestPackage()
        let app = try await TestApp(package)
        try await app.open(app.photo(StubPhoto(type: "public.png", width: 4, height: 4)))
        try Data("{".utf8).write(to: app.folder.appendingPathComponent("restore/kept.json"))
        #expect(try await TestApp(package, after: app).model.state.work == .idle)
    }

    @Test func aFullDiskIsSaid() async throws {
        let app = try await TestApp(TestPackage())
        // A file that takes nothing.
        let full = app.folder.appendingPathComponent("full")
        try FileManager.default.createSymbolicLink(atPath: full.path, withDestinationPath: "/dev/full")
        let writer = try PixelWriter(full)
        var thrown: (any Error)?
        do {
            try [UInt8](repeating: 0, count: 4).withUnsafeBufferPointer {
                try writer.write($0, firstRow: 0, rows: 1)
            }
        } catch {
            thrown = error
        }
        let error = try #require(thrown)
        #expect(notice(ofFile: error, noSpace: .noSpaceToOpen, other: .cannotDecode) == .noSpaceToOpen)
        #expect(notice(ofFile: CocoaError(.fileReadUnknown), noSpace: .noSpaceToOpen, other: .gone) == .gone)
        try await app.open(app.photo(StubPhoto(type: "public.png", width: 8, height: 8)))
        let photo = try #require(app.model.state.work.photo)
        let services = app.model.services
        let choice = try #require(
            choices(models: services.models.list().compactMap(\.model), engines: services.engines).first)
        let restoration = Restoration(photo: photo, choice: choice, halfSize: false, files: services.files)
        #expect(restoration.notice(of: error) == .noSpaceForResult)
    }

    /// Whatever way a photo comes in, and however the system wraps what the disk says.
    @Test func aPhotoThatDoesNotFitOnTheDiskIsSaidAsSuch() async throws {
        let full = CocoaError(.fileWriteOutOfSpace)
        let errors: [any Error] = [
            full, POSIXError(.ENOSPC), POSIXError(.EDQUOT),
            NSError(domain: NSCocoaErrorDomain, code: 512, userInfo: [NSUnderlyingErrorKey: POSIXError(.ENOSPC)]),
            NSError(domain: "transfer", code: 0, userInfo: ["NSMultipleUnderlyingErrorsKey": [full]]),
        ]
        for error in errors {
            let copy: PhotoFiles.Copy = { _, target in
                try Data("half of it".utf8).write(to: target)
                throw error
            }
            let app = try await TestApp(TestPackage(), copy: copy)
            try await app.open(app.photo(StubPhoto(type: "public.png", width: 4, height: 4)))
            #expect(app.model.state.work == .failed(nil, .noSpaceToOpen), "\(error)")
            #expect(try app.files.isEmpty, "nothing is left")
            #expect(throws: PhotoFault(.noSpaceToOpen)) { try PickedPhoto(app.folder, copy: copy).file.get() }
        }
        let other = PickedPhoto(FileManager.default.temporaryDirectory) { _, _ in throw CocoaError(.fileReadUnknown) }
        #expect(throws: PhotoFault(.notDelivered)) { try other.file.get() }
    }

    @Test func aStateThatCannotBeWrittenIsSaidOfThePhotoThenOfTheResult() async throws {
        let app = try await TestApp(TestPackage())
        // A folder in its place, which no file replaces.
        let kept = app.folder.appendingPathComponent("restore/kept.json/x")
        try FileManager.default.createDirectory(at: kept, withIntermediateDirectories: true)
        try await app.open(app.photo(StubPhoto(type: "public.png", width: 8, height: 8)))
        #expect(app.model.state.notice == .noSpaceToOpen)
        try await app.restore()
        #expect(app.model.state.screen == .done && app.model.state.notice == .noSpaceForResult)
    }

    @Test func theLibraryThatTakesNothingIsSaid() async throws {
        let library = PhotoLibrary()
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("anyir-\(UUID().uuidString).png")
        try Data("a photo".utf8).write(to: file)
        defer {
            try? FileManager.default.removeItem(at: file)
            StubLibrary.shared.set(.authorized)
        }
        let cases: [(PHAuthorizationStatus, (any Error)?, Notice)] = [
            (.denied, nil, .saveRefused), (.restricted, nil, .saveRefused),
            (.authorized, CocoaError(.fileWriteOutOfSpace), .noSpaceToSave),
            (.authorized, POSIXError(.ENOSPC), .noSpaceToSave), (.authorized, CocoaError(.fileWriteUnknown), .notTaken),
        ]
        for (status, error, notice) in cases {
            StubLibrary.shared.set(status, error: error)
            await #expect(throws: PhotoFault(notice)) { try await library.save(file) }
        }
        StubLibrary.shared.set(.limited)
        try await library.save(file)
        #expect(StubLibrary.shared.saved[file.lastPathComponent] == Data("a photo".utf8))
    }
}
