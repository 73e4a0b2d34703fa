import AnyIRCore
import Foundation
import Synchronization
import Testing

private struct Blending: Decodable {
    struct Case: Decodable {
        let width: Int, height: Int, tile: Int, overlap: Int, grey: Bool
        let restore_size: RestoreSize?
        let photo: [UInt8], restored: [UInt8]
    }

    let cases: [Case]
}

/// A source that fails from a region on, or counts what is asked of it.
private final class TroubledSource: PhotoSource {
    struct Gone: Error {}

    let photo: MemoryPhoto
    let failing: Int
    let reads = Mutex(0)

    var width: Int { photo.width }
    var height: Int { photo.height }

    init(_ photo: MemoryPhoto, failing: Int) {
        self.photo = photo
        self.failing = failing
    }

    func read(_ region: Region, into pixels: UnsafeMutableBufferPointer<UInt8>) throws {
        let count = reads.withLock { reads in
            reads += 1
            return reads
        }
        if count > failing { throw Gone() }
        photo.read(region, into: pixels)
    }
}

private struct FullDisk: PhotoSink {
    struct NoSpace: Error {}

    func write(_ pixels: UnsafeBufferPointer<UInt8>, firstRow: Int, rows: Int) throws { throw NoSpace() }
}

@Suite struct PhotoRestorerTests {
    @Test func blendingGivesPythonsBytes() async throws {
        let cases = try fixture("blending.json", Blending.self).cases
        #expect(cases.count >= 6 && cases.contains { $0.grey })
        for due in cases {
            let opener = PlaceOpener(tile: due.tile, size: due.restore_size?.size) { v, x, y, c in
                v * (0.5 + Float(x) / 8) + Float(y) / 16 - Float(c) / 8
            }
            let photo = MemoryPhoto(width: due.width, height: due.height, pixels: due.photo)
            #expect(photo.isGrey == due.grey)
            let restored = try await restore(photo, by: PhotoRestorer(opener, overlap: due.overlap))
            #expect(restored?.pixels == due.restored)
        }
    }

    @Test func anEngineThatChangesNothingLeavesEveryPixelAndItsAlphaAlone() async throws {
        let cases = [(1, 1, 8, 4), (8, 8, 8, 0), (100, 37, 16, 8), (37, 100, 32, 5), (3, 90, 24, 12), (41, 9, 8, 1)]
        for (seed, (width, height, tile, overlap)) in cases.enumerated() {
            let photo = randomPhoto(width, height, seed: UInt64(seed))
            let restored = try await restore(photo, by: PhotoRestorer(PlaceOpener(tile: tile), overlap: overlap))
            #expect(restored == photo)
        }
    }

    @Test(arguments: [(20, 9), (8, 1), (1, 1)])
    func oneLookThenEveryTileAndProgressCountsThemAll(side: Int, tiles: Int) async throws {
        let opener = PlaceOpener(tile: 8)
        let seen = Mutex<[RestoreProgress]>([])
        let facts = try await PhotoRestorer(opener, overlap: 2).restore(
            randomPhoto(side, side), into: MemorySink(width: side, height: side)
        ) { progress in
            #expect(progress.done == opener.calls.count)
            seen.withLock { $0.append(progress) }
        }
        let told = seen.withLock { $0 }
        #expect(told.map(\.done) == Array(0...tiles + 1))
        #expect(told.allSatisfy { $0.total == tiles + 1 })
        #expect(told.map(\.tiles) == [nil] + (0...tiles).map { $0 })
        #expect(opener.calls == ["look"] + Array(repeating: "restore", count: tiles))
        #expect(facts.accelerator == "arithmetic")
        // There is something to go by after the second tile.
        #expect(told.last?.timeLeft == (tiles > 1 ? .zero : nil))
    }

    @Test(arguments: 0...3)
    func cancellingEndsBeforeTheNextStep(steps: Int) async throws {
        let opener = PlaceOpener(tile: 8)
        let sink = MemorySink(width: 40, height: 40)
        let restorer = PhotoRestorer(opener, overlap: 2)
        let task = Task {
            try await restorer.restore(randomPhoto(40, 40), into: sink) { progress in
                if progress.done == steps { withUnsafeCurrentTask { $0?.cancel() } }
            }
        }
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(opener.calls.count == steps)
        #expect(sink.photo == nil)
        // The restorer can be used again, and keeps its engine.
        #expect(try await restore(randomPhoto(9, 9), by: restorer) == randomPhoto(9, 9))
        #expect(opener.opened == 1)
    }

    @Test func cancellingEndsBetweenTheCropsOfALook() async throws {
        let source = TroubledSource(randomPhoto(200, 200), failing: .max)
        let opener = PlaceOpener(tile: 128)
        let restorer = PhotoRestorer(opener)
        let task = Task {
            try await restorer.restore(source, into: MemorySink(width: 200, height: 200)) { _ in
                withUnsafeCurrentTask { $0?.cancel() }
            }
        }
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(source.reads.withLock { $0 } == 0)
        #expect(opener.calls.isEmpty)
    }

    @Test func aSecondPhotoIsRefusedWhileOneRuns() async throws {
        let restorer = PhotoRestorer(PlaceOpener(tile: 8), overlap: 2)
        let (started, start) = AsyncStream.makeStream(of: Void.self)
        let first = Task {
            try await restorer.restore(randomPhoto(400, 40), into: MemorySink(width: 400, height: 40)) { _ in
                start.yield()
            }
        }
        for await _ in started { break }
        await #expect(throws: RestoreError.busy) {
            try await restorer.restore(randomPhoto(8, 8), into: MemorySink(width: 8, height: 8))
        }
        await #expect(throws: RestoreError.busy) { try await restorer.load() }
        _ = try await first.value
        #expect(try await restore(randomPhoto(8, 8), by: restorer) == randomPhoto(8, 8))
    }

    @Test(arguments: [Float.nan, .infinity, -.infinity])
    func whatIsNoNumberIsNeverAResult(bad: Float) async throws {
        let sink = MemorySink(width: 9, height: 9)
        let opener = PlaceOpener(tile: 8) { v, x, y, c in x + y + c == 15 ? bad : v }
        await #expect(throws: RestoreError.notFinite) {
            try await PhotoRestorer(opener, overlap: 2).restore(randomPhoto(9, 9), into: sink)
        }
        #expect(sink.photo == nil)

        let looker = PlaceOpener(tile: 8, badLook: bad)
        await #expect(throws: RestoreError.lookNotFinite) {
            try await PhotoRestorer(looker, overlap: 2).restore(randomPhoto(9, 9), into: sink)
        }
        #expect(looker.calls == ["look"])
    }

    @Test(arguments: [0, 1, 5])
    func anEngineThatThrowsIsLoadedAnew(failing: Int) async throws {
        let opener = PlaceOpener(tile: 8, failing: failing)
        let restorer = PhotoRestorer(opener, overlap: 2)
        await #expect(throws: EngineError("The engine stopped.")) {
            try await restorer.restore(randomPhoto(20, 20), into: MemorySink(width: 20, height: 20))
        }
        #expect(try await restore(randomPhoto(20, 20), by: restorer) == randomPhoto(20, 20))
        #expect(opener.opened == 2)
    }

    @Test func aSourceOrASinkThatFailsEndsIt() async throws {
        let restorer = PhotoRestorer(PlaceOpener(tile: 8), overlap: 2)
        for failing in [0, 1, 4] {
            let source = TroubledSource(randomPhoto(20, 20), failing: failing)
            await #expect(throws: TroubledSource.Gone.self) {
                try await restorer.restore(source, into: MemorySink(width: 20, height: 20))
            }
        }
        await #expect(throws: FullDisk.NoSpace.self) {
            try await restorer.restore(randomPhoto(20, 20), into: FullDisk())
        }
    }

    @Test(arguments: [-1, 5, 1000])
    func anOverlapThatDoesNotFitTheTileIsRefused(overlap: Int) async throws {
        await #expect(throws: RestoreError.overlap(overlap, tile: 8)) {
            try await restore(randomPhoto(9, 9), by: PhotoRestorer(PlaceOpener(tile: 8), overlap: overlap))
        }
    }

    @Test func aLongStripTakesOneRowOfTiles() async throws {
        let opener = PlaceOpener(tile: 64)
        let photo = randomPhoto(20_000, 30)
        #expect(try await restore(photo, by: PhotoRestorer(opener)) == photo)
        #expect(
            opener.calls.count == 1 + TilePlan(width: 20_000, height: 30, tile: TileSize(side: 64), overlap: 16).count)
    }

    @Test func unloadingGivesTheEngineBack() async throws {
        let opener = PlaceOpener(tile: 8)
        let restorer = PhotoRestorer(opener)
        #expect(try await restorer.load().name == "place")
        try await restorer.load()
        #expect(opener.opened == 1)
        await restorer.unload()
        #expect(try await restore(randomPhoto(8, 8), by: restorer) == randomPhoto(8, 8))
        #expect(opener.opened == 2)
    }

    @Test func timeLeftFollowsLaterTiles() {
        var left = TimeLeft()
        #expect(left.after(0, of: 6, at: .zero) == nil)
        #expect(left.after(1, of: 6, at: .seconds(9)) == nil)
        #expect(left.after(2, of: 6, at: .seconds(18)) == nil)
        #expect(left.after(3, of: 6, at: .seconds(20)) == .seconds(6))
        #expect(left.after(4, of: 6, at: .seconds(27)) == .seconds(6))
    }

    private func restore(_ photo: MemoryPhoto, by restorer: PhotoRestorer) async throws -> MemoryPhoto? {
        let sink = MemorySink(width: photo.width, height: photo.height)
        try await restorer.restore(photo, into: sink)
        return sink.photo
    }
}
