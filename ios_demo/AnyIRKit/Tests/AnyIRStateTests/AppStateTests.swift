import AnyIRCore
import AnyIRState
import Foundation
import Testing

private let photo = PhotoInfo(file: "photo-1", name: "IMG_1.HEIC", type: "public.heic", width: 4032, height: 3024)
private let huge = PhotoInfo(file: "photo-2", name: "PANO.JPG", type: "public.jpeg", width: 16_000, height: 4000)
private let pair = Pair(model: "small", engine: "coreml")
private let result = RestoredPhoto(
    file: "result-1", width: 4032, height: 3024, halfSize: false, model: "small", engine: "coreml",
    engineLabel: "Core ML", accelerator: "Core ML (Neural Engine)", seconds: 4,
    need: Need(change: 24.3, brightness: -30, contrast: 12, detail: -1.5))

private struct OneEngine: EngineFactory {
    var id = "coreml"
    var unavailable: String?
    let label = "Core ML"

    func opens(_ manifest: Manifest) -> Bool { manifest.runtime == .coreml }

    func open(_ model: Model, threads: Int, both: Bool) async throws -> sending any TileEngine {
        throw EngineError("No.")
    }
}

private func catalogue(_ models: String..., unavailable: String? = nil, chosen: Pair? = nil) throws -> Catalogue {
    let entries = try models.map { ModelEntry.usable(try coreML($0)) }
    return Catalogue(entries: entries, engines: [OneEngine(unavailable: unavailable)], chosen: chosen)
}

private func coreML(_ name: String) throws -> Model {
    let shape = #""shape":[1,3,64,64],"dtype":"float32","layout":"NCHW","range":[0,1]"#
    let found = #"{"name":"s","shape":[1,8],"dtype":"float32","layout":"opaque","range":null}"#
    let operators = #"{"total":1,"delegated":null,"partitions":null}"#
    let text = #"""
        {"schema_version":2,"name":"\#(name)","file":"\#(name).mlpackage","sha256":"0","bytes":1,
        "source":{"file":"f","sha256":"0","preset":"small","config":{}},"runtime":"coreml","backend":"mlprogram",
        "precision":"fp16","target":"iOS18","tile":64,"entries":{
        "look":{"inputs":[{"name":"image",\#(shape)}],"outputs":[\#(found)],"operators":\#(operators)},
        "restore":{"inputs":[{"name":"image",\#(shape)},\#(found)],"outputs":[{"name":"restored",\#(shape)}],
        "operators":\#(operators)}},"quantization":null,"parity":{"status":"evaluated","reason":null,"bounds":{},
        "stages":[],"degradations":[],"samples":[]},"versions":{},"code_sha256":"0","seconds":1}
        """#
    let url = URL(fileURLWithPath: "/models/\(name).mlpackage")
    return Model(manifest: try Manifest.parse(Data(text.utf8)), url: url)
}

@Suite struct AppStateTests {
    /// The state after these events.
    private func state(_ events: AppState.Event..., from work: Work = .idle) throws -> AppState {
        var state = AppState(work: work)
        _ = state.handle(.found(try catalogue("small")))
        for event in events { _ = state.handle(event) }
        return state
    }

    @Test func fromChoosingToASavedResult() throws {
        var state = AppState()
        #expect(state.screen == .start && state.models == .looking && !state.canRestore)
        #expect(state.handle(.found(try catalogue("small"))) == [])
        #expect(state.models == .some && state.canRestore)
        #expect(state.handle(.choose("item-1")) == [.open("item-1")])
        #expect(state.screen == .opening && !state.canClose)
        #expect(state.handle(.opened(photo)) == [.keep(Kept(photo: photo))])
        #expect(state.screen == .ready && state.canClose && !state.isUnsaved)
        let started = state.handle(.restore)
        #expect(started == [.keep(Kept(photo: photo, running: true)), .restore(photo, pair, halfSize: false)])
        #expect(state.work == .running(photo, nil))
        let progress = RestoreProgress(done: 3, total: 9, timeLeft: .seconds(2), need: result.need)
        #expect(state.handle(.progressed(progress)) == [])
        #expect(state.work == .running(photo, progress))
        #expect(state.handle(.restored(result)) == [.keep(Kept(photo: photo, result: result))])
        #expect(state.screen == .done && state.isUnsaved && state.again == nil)
        #expect(state.handle(.save(strength: 7)) == [.save(photo, result, strength: 1)])
        #expect(state.handle(.save(strength: 1)) == [], "one saving at a time")
        var saved = result
        saved.saved = true
        let told = state.handle(.saved(file: result.file, notes: ["No gain map."]))
        #expect(told == [.keep(Kept(photo: photo, result: saved))])
        #expect(state.saving == .done(notes: ["No gain map."]) && !state.isUnsaved)
        #expect(state.handle(.close) == [.keep(nil)])
        #expect(state.screen == .start && state.saving == .not)
    }

    @Test func theSampleIsOneTapFromItsResult() throws {
        var state = AppState()
        #expect(state.handle(.choose("sample", thenRestore: true)) == [.open("sample")])
        #expect(state.handle(.opened(photo)) == [.keep(Kept(photo: photo))], "the models are still looked for")
        #expect(state.handle(.found(try catalogue("small"))).contains(.restore(photo, pair, halfSize: false)))
        #expect(state.screen == .running)
        // And a photo chosen later does not start by itself.
        state = try self.state(.choose("sample", thenRestore: true), .cancel, .choose("other"), .opened(photo))
        #expect(state.screen == .ready)
    }

    @Test func aSecondPhotoWaitsWhileOneRuns() throws {
        var state = try state(.choose("a"), .opened(photo), .restore)
        #expect(state.handle(.choose("b")) == [])
        #expect(state.notice == .busyRestoring && state.screen == .running)
        #expect(state.handle(.restore) == [] && state.notice == .busyRestoring)
        #expect(state.handle(.close) == [] && state.notice == .busyRestoring)
        state = try self.state(.choose("a"))
        #expect(state.handle(.choose("b")) == [] && state.notice == .busyOpening)
        #expect(state.handle(.cancel) == [.cancelOpening])
        #expect(state.notice == nil && state.screen == .start)
        #expect(state.handle(.opened(photo)) == [], "what comes late changes nothing")
        #expect(state.handle(.notOpened(.gone)) == [])
        #expect(state.screen == .start && state.notice == nil)
    }

    @Test func cancellingShowsWhatWasThereBefore() throws {
        var state = try state(.choose("a"), .opened(photo), .restore)
        #expect(state.handle(.cancel) == [.cancelRestoring])
        #expect(state.work == .running(photo, nil, cancelling: true))
        #expect(state.handle(.cancel) == [])
        #expect(state.handle(.progressed(RestoreProgress(done: 1, total: 2))) == [])
        #expect(state.work == .running(photo, nil, cancelling: true))
        #expect(state.handle(.notRestored(nil)) == [.keep(Kept(photo: photo))])
        #expect(state.work == .ready(photo) && state.notice == nil)
        // The last tile was faster than the tap.
        state = try self.state(.choose("a"), .opened(photo), .restore, .cancel)
        #expect(state.handle(.restored(result)) == [.keep(Kept(photo: photo))])
        #expect(state.work == .ready(photo))
    }

    @Test func anUnsavedResultIsGivenUpOnlyWhenAsked() throws {
        let done = Work.done(photo, result)
        var state = try state(from: done)
        #expect(state.handle(.close) == [] && state.question == .closing)
        #expect(state.handle(.answer(giveUp: false)) == [])
        #expect(state.work == done && state.question == nil)
        #expect(state.handle(.choose("b")) == [] && state.question == .opening(photo: "b"))
        #expect(state.handle(.answer(giveUp: true)) == [.open("b")])
        #expect(state.handle(.notOpened(.notDelivered)) == [])
        #expect(state.work == done, "the result stays where the next photo does not come")
        #expect(state.notice == .notDelivered)
        _ = state.handle(.close)
        #expect(state.handle(.answer(giveUp: true)) == [.keep(nil)])
        #expect(state.handle(.answer(giveUp: true)) == [], "no question, no answer")
    }

    @Test func whatFailsIsSaidAndNothingIsLost() throws {
        var state = try state(.choose("a"), .notOpened(.notAPhoto))
        #expect(state.work == .failed(nil, .notAPhoto) && state.canClose)
        #expect(state.handle(.restore) == [] && state.notice == .chooseFirst)
        state = try self.state(.choose("a"), .opened(photo), .restore, .notRestored(.noMemory))
        #expect(state.work == .failed(photo, .noMemory))
        #expect(state.handle(.restore).contains(.restore(photo, pair, halfSize: false)), "it can be tried again")
        // Restoring a result again keeps the first one until the second is there.
        let done = Work.done(photo, result)
        state = try self.state(.restore, from: done)
        #expect(state.handle(.notRestored(.noSpaceForResult)) == [.keep(Kept(photo: photo, result: result))])
        #expect(state.work == done && state.notice == .noSpaceForResult)
        state = try self.state(.choose("b"), .notOpened(.gone), from: .ready(photo))
        #expect(state.work == .ready(photo) && state.notice == .gone)
    }

    @Test func savingThatFailsKeepsTheResult() throws {
        var state = try state(from: .done(photo, result))
        _ = state.handle(.save(strength: 0.5))
        #expect(state.handle(.notSaved(file: result.file, .saveRefused)) == [])
        #expect(state.saving == .failed(.saveRefused) && state.isUnsaved)
        #expect(state.handle(.save(strength: -1)) == [.save(photo, result, strength: 0)])
        #expect(state.handle(.share(strength: 1)) == [.share(photo, result, strength: 1)])
        #expect(state.handle(.share(strength: 1)) == [] && state.isSharing, "one sharing at a time")
        _ = state.handle(.notShared(.noSpaceToSave))
        #expect(state.notice == .noSpaceToSave && !state.isSharing)
        #expect(state.handle(.share(strength: 1)) == [.share(photo, result, strength: 1)])
        #expect(state.handle(.shared) == [] && !state.isSharing)
        state = try self.state()
        #expect(state.handle(.save(strength: 1)) == [] && state.notice == .nothingToSave)
        #expect(state.handle(.share(strength: 1)) == [] && state.notice == .nothingToSave)
        #expect(state.handle(.saved(file: result.file, notes: [])) == [], "what comes late changes nothing")
    }

    @Test func whatIsSavedWhileItIsRestoredAgainIsKnownAsSaved() throws {
        var saved = result
        saved.saved = true
        for end in [AppState.Event.notRestored(nil), .notRestored(.noMemory)] {
            var state = try state(.save(strength: 1), .restore, from: .done(photo, result))
            // Nothing is written down: that would delete the file of the result that is being made.
            #expect(state.handle(.saved(file: result.file, notes: [])) == [])
            #expect(state.handle(end) == [.keep(Kept(photo: photo, result: saved))])
            #expect(state.work == .done(photo, saved) && !state.isUnsaved)
        }
        // It may also come after the end.
        var state = try state(.save(strength: 1), .restore, .notRestored(nil), from: .done(photo, result))
        #expect(state.handle(.saved(file: result.file, notes: [])) == [.keep(Kept(photo: photo, result: saved))])
    }

    @Test func anEarlierResultsSavingIsNotTheLaterOnes() throws {
        var second = result
        second.file = "result-2"
        var state = try state(.save(strength: 1), .restore, .restored(second), from: .done(photo, result))
        #expect(state.handle(.saved(file: result.file, notes: [])) == [])
        #expect(state.work == .done(photo, second) && state.isUnsaved && state.saving == .not)
        #expect(state.handle(.notSaved(file: result.file, .notTaken)) == [])
        #expect(state.notice == .notTaken && state.saving == .not)
    }

    @Test func aHugePhotoIsRestoredAtHalfSize() throws {
        #expect(huge.onlyHalfSize && huge.half == (8000, 2000) && !photo.onlyHalfSize)
        var state = try state(.choose("a"), .opened(huge))
        #expect(state.handle(.restore).last == .restore(huge, pair, halfSize: true))
    }

    @Test func nothingIsRestoredWhileTheDeviceIsMeasuredOrWithoutAModel() throws {
        var state = try state(.choose("a"), .opened(photo), .measuring(true))
        #expect(state.handle(.restore) == [] && state.notice == .busyMeasuring)
        _ = state.handle(.measuring(false))
        #expect(!state.handle(.restore).isEmpty)
        state = AppState(work: .ready(photo))
        #expect(state.handle(.restore) == [] && state.notice == .nothingRuns)
        _ = state.handle(.found(try catalogue()))
        #expect(state.models == .none)
        _ = state.handle(.found(try catalogue("small", unavailable: notInThisBuild)))
        #expect(state.models == .noneRuns && !state.canRestore)
    }

    @Test func whatTheLastProcessLeftIsFoundAgain() throws {
        let all: (String) -> Bool = { _ in true }
        #expect(Work(after: nil, exists: all) == .idle)
        #expect(Work(after: Kept(photo: photo, running: true), exists: all) == .ready(photo, interrupted: true))
        #expect(Work(after: Kept(photo: photo, result: result), exists: all) == .done(photo, result))
        // It died while a result was restored again: the first result is still there.
        #expect(Work(after: Kept(photo: photo, running: true, result: result), exists: all) == .done(photo, result))
        #expect(Work(after: Kept(photo: photo, result: result)) { $0 != "result-1" } == .ready(photo))
        #expect(Work(after: Kept(photo: photo, result: result)) { $0 != "photo-1" } == .idle)
        let kept = Kept(photo: photo, running: true, result: result)
        #expect(try JSONDecoder().decode(Kept.self, from: JSONEncoder().encode(kept)) == kept)
        #expect(kept.files == ["photo-1", "result-1"])
    }

    @Test func anotherChoiceIsOfferedForAResult() throws {
        var state = try state(from: .done(photo, result))
        #expect(state.again == nil)
        _ = state.handle(.found(try catalogue("small", "phone", chosen: Pair(model: "phone", engine: "coreml"))))
        #expect(state.again == Pair(model: "phone", engine: "coreml"))
    }

    @Test func theCatalogueKeepsWhatWasChosenWhereItRuns() throws {
        let models = try ["small", "phone"].map { ModelEntry.usable(try coreML($0)) }
        let refused = ModelEntry.refused(URL(fileURLWithPath: "/models/x.json"), reason: "The file x is missing.")
        let engines = [OneEngine(), OneEngine(id: "executorch", unavailable: notInThisBuild)]
        let times = [Pair(model: "phone", engine: "coreml"): Speed(seconds: 0.1, benchmarked: true)]
        let found = Catalogue(entries: models + [refused], engines: engines, chosen: pair) { times[$0.pair] }
        #expect(found.pair == pair)
        #expect(found.models.map(\.isRecommended) == [false, true])
        #expect(found.models.map(\.isChosen) == [true, false])
        #expect(found.models.map(\.speed) == [nil, times[Pair(model: "phone", engine: "coreml")]])
        #expect(found.engines.map(\.obstacle) == [nil, .unavailable(notInThisBuild)])
        #expect(found.refused.map(\.reason) == ["The file x is missing."])
        let gone = Catalogue(entries: models, engines: engines, chosen: Pair(model: "gone", engine: "coreml"))
        #expect(gone.pair == pair)
        // A restoration's own time cannot be compared, and recommends nothing.
        let used = Catalogue(entries: models, engines: engines) {
            Speed(seconds: $0.pair.model == "phone" ? 0.1 : 0.5, benchmarked: false)
        }
        #expect(used.models.map(\.isRecommended) == [true, false])
    }

    @Test func everySentenceIsOne() {
        let notices: [Notice] = [
            .busyOpening, .busyRestoring, .busyMeasuring, .chooseFirst, .onlyHalfSize(megapixels: 64), .nothingRuns,
            .nothingToSave, .notAPhoto, .animated, .cutOff, .cannotDecode, .gone, .notDelivered, .noPhotoMemory,
            .tooLarge(megapixels: 300), .noSpaceToOpen, .noMemory, .noSpaceForResult, .timeWasUp, .noSpaceToSave,
            .saveRefused, .notTaken, .severalPages, .sharedWaits, .notEncoded,
            .engineStopped(engine: "Core ML", model: "small", reason: "it was interrupted"),
        ]
        for notice in notices { #expect(notice.sentence.hasSuffix(".") && !notice.sentence.contains("\n")) }
        struct Odd: Error {}
        #expect(AnyIRState.notice(of: CancellationError(), engine: "E", model: "m") == nil)
        #expect(AnyIRState.notice(of: EngineError("No."), engine: "E", model: "m") == .model("No."))
        #expect(
            AnyIRState.notice(of: Odd(), engine: "E", model: "m")?.sentence == "E stopped while it ran m: Odd: Odd().")
    }
}
