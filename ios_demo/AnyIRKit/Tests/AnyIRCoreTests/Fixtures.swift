import AnyIRCore
import Foundation
import Synchronization
import Testing

/// The folder of the whole project, whose fixtures these tests share with Python and Kotlin.
let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../../../..").standardizedFileURL

/// What tests/helpers/make_ios_artifacts.py made; nil where the tests run without.
let artifacts: URL? = ProcessInfo.processInfo.environment["ANYIR_ARTIFACTS"].map { URL(fileURLWithPath: $0) }

func fixture<Content: Decodable>(_ name: String, _: Content.Type = Content.self) throws -> Content {
    let url = repository.appendingPathComponent("tests/fixtures/\(name)")
    return try JSONDecoder().decode(Content.self, from: Data(contentsOf: url))
}

/// A folder that is gone after the test.
func withFolder<Result>(_ body: (URL) async throws -> Result) async throws -> Result {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("anyir-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    return try await body(folder.resolvingSymlinksInPath())
}

/// An engine made of a function of the value and its place: (value, x, y, colour) -> value. It finds the first value of
/// the sheet when it looks, checks that tiles are restored with it, and notes what it did.
final class PlaceEngine: TileEngine {
    let tile: Int
    let tileSize: TileSize
    let facts = EngineFacts(name: "place", accelerator: "arithmetic")
    let statisticSizes = [1, 2]

    private let opener: PlaceOpener
    private var found = Float.nan

    init(_ opener: PlaceOpener) {
        self.opener = opener
        tile = opener.tile
        tileSize = opener.tileSize
    }

    func look(_ sheet: FloatBuffer, into statistics: Statistics) throws -> RunTiming {
        #expect(sheet.count == 3 * tile * tile)
        try opener.note("look")
        opener.see(sheet)
        found = sheet.values[0]
        for buffer in statistics.values { buffer.values.update(repeating: found) }
        if let bad = opener.badLook { statistics.values[1].values[1] = bad }
        return RunTiming(run: .milliseconds(1))
    }

    func restore(_ tile: FloatBuffer, with statistics: Statistics, into output: FloatBuffer) throws -> RunTiming {
        try checkOwn(statistics)
        #expect(statistics.values[1].values[1] == found, "not what the look found")
        try opener.note("restore")
        #expect(tile.count == 3 * tileSize.pixels && output.count == tile.count)
        let (height, width) = (tileSize.height, tileSize.width)
        for i in 0..<3 * tileSize.pixels {
            output.values[i] = opener.answer(tile.values[i], i % width, i / width % height, i / tileSize.pixels)
        }
        return RunTiming(run: .milliseconds(2))
    }
}

/// Opens place engines, and keeps what they did.
final class PlaceOpener: EngineOpener {
    typealias Answer = @Sendable (Float, Int, Int, Int) -> Float

    let tile: Int
    let tileSize: TileSize
    let badLook: Float?
    let answer: Answer

    private let failing: Int?
    private let state = Mutex<(calls: [String], opened: Int)>(([], 0))
    private let seen = Mutex(Data())

    /// - Parameters:
    ///   - size: of tiles that are not as large as sheets
    ///   - failing: the call, counted from 0, that throws an engine's error, once
    init(
        tile: Int, size: TileSize? = nil, badLook: Float? = nil, failing: Int? = nil,
        _ answer: @escaping Answer = { v, _, _, _ in v }
    ) {
        self.tile = tile
        tileSize = size ?? TileSize(side: tile)
        self.badLook = badLook
        self.failing = failing
        self.answer = answer
    }

    var calls: [String] { state.withLock { $0.calls } }
    var opened: Int { state.withLock { $0.opened } }

    /// The last sheet that was looked at: R, G, B of every pixel.
    var sheet: Data { seen.withLock { $0 } }

    func see(_ sheet: FloatBuffer) {
        let size = sheet.count / 3
        let bytes = (0..<3 * size).map { UInt8((255 * sheet.values[$0 % 3 * size + $0 / 3]).rounded()) }
        seen.withLock { $0 = Data(bytes) }
    }

    func open() async throws -> sending any TileEngine {
        state.withLock { $0.opened += 1 }
        return PlaceEngine(self)
    }

    func note(_ call: String) throws {
        let index = state.withLock { state in
            state.calls.append(call)
            return state.calls.count - 1
        }
        if index == failing { throw EngineError("The engine stopped.") }
    }
}

/// Of a fixture's case.
struct RestoreSize: Decodable {
    let height: Int, width: Int

    var size: TileSize { TileSize(height: height, width: width) }
}

func randomPhoto(_ width: Int, _ height: Int, seed: UInt64 = 1) -> MemoryPhoto {
    var state = seed
    let pixels = (0..<4 * width * height).map { _ in
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return UInt8(truncatingIfNeeded: state >> 56)
    }
    return MemoryPhoto(width: width, height: height, pixels: pixels)
}
