import AnyIRCore
import Synchronization
import Testing

private struct Needs: Decodable {
    struct Answer: Decodable {
        let change: Double, brightness: Double, contrast: Double, detail: Double
        let needed: Bool
        let faults: [String]
    }

    struct Pair: Decodable {
        let width: Int, height: Int
        let before: [Double], after: [Double]
    }

    struct Photo: Decodable {
        let width: Int, height: Int, tile: Int
        let restore_size: RestoreSize?
    }

    struct Case<Content: Decodable>: Decodable {
        let content: Content
        let answer: Answer

        init(from decoder: any Decoder) throws {
            content = try Content(from: decoder)
            answer = try Answer(from: decoder)
        }
    }

    let pairs: [Case<Pair>]
    let photos: [Case<Photo>]
}

@Suite struct NeedTests {
    @Test func needsArePythons() throws {
        let pairs = try fixture("needs.json", Needs.self).pairs
        #expect(pairs.count >= 13)
        for one in pairs {
            let due = one.content
            let tile = max(due.width, due.height) + 3
            let need = Need(
                from: image(due.before, tile: tile, width: due.width, height: due.height),
                to: image(due.after, tile: tile, width: due.width, height: due.height),
                tile: TileSize(side: tile), width: due.width, height: due.height)
            check(need, one.answer)
        }
    }

    @Test func aFaultBeginsAtItsBound() {
        func faults(_ change: Double, _ brightness: Double, _ contrast: Double, _ detail: Double) -> [Fault] {
            Need(change: change, brightness: brightness, contrast: contrast, detail: detail).faults
        }
        #expect(faults(2.5, 0, 0, -0.5) == [.noise] && faults(2.5, 0, 0, -0.49) == [])
        #expect(faults(2.5, 0, 0, 0.5) == [.blur] && faults(2.5, 5, 0, 0.5) == [.lowLight])
        #expect(faults(2.5, 4.99, 1, 0.5) == [.haze] && faults(2.49, 5, 1, -0.5) == [])
    }

    @Test func needsOfPhotosArePythons() async throws {
        let photos = try fixture("needs.json", Needs.self).photos
        #expect(photos.count >= 6)
        for one in photos {
            let due = one.content
            let opener = opener(due.tile, size: due.restore_size?.size)
            let (told, _) = try await restore(due.width, due.height, by: opener)
            let need = try #require(told.last?.need)
            check(need, one.answer)
        }
    }

    @Test func itIsToldWithTheLookAndCostsOneTile() async throws {
        let (asked, silent) = (opener(16), opener(16))
        let (told, photo) = try await restore(40, 20, by: asked)
        let (none, same) = try await restore(40, 20, by: silent, asksNeed: false)
        #expect(asked.calls.count == silent.calls.count + 1 && asked.calls.count { $0 == "look" } == 1)
        #expect(photo == same, "the photo's tiles are not touched by it")
        #expect(told.map { $0.need != nil } == [false] + Array(repeating: true, count: told.count - 1))
        #expect(none.allSatisfy { $0.need == nil })
    }

    @Test func ofAPhotoOfOneTileItCostsNothing() async throws {
        let opener = opener(16)
        let (told, _) = try await restore(16, 9, by: opener)
        #expect(opener.calls == ["look", "restore"])
        #expect(told.map { $0.need != nil } == [false, false, true])
    }

    @Test func aSheetThatComesBackWithNaNEndsTheRestorationBeforeItsTiles() async throws {
        let opener = PlaceOpener(tile: 16) { v, x, y, c in x + y + c == 5 ? .nan : v }
        await #expect(throws: RestoreError.notFinite) { try await restore(40, 20, by: opener) }
        #expect(opener.calls == ["look", "restore"])
    }

    private func opener(_ tile: Int, size: TileSize? = nil) -> PlaceOpener {
        PlaceOpener(tile: tile, size: size) { v, x, y, c in
            v * (0.5 + Float(x) / 512) + Float(y) / 1024 - Float(c) / 32
        }
    }

    /// What was told, and the result, of the photo whose colour c at (x, y) is (7x + 13y + 29c + xy) mod 256.
    @discardableResult
    private func restore(
        _ width: Int, _ height: Int, by opener: PlaceOpener, asksNeed: Bool = true
    ) async throws -> ([RestoreProgress], MemoryPhoto?) {
        var pixels = [UInt8](repeating: 255, count: 4 * width * height)
        for i in 0..<width * height {
            let (x, y) = (i % width, i / width)
            for c in 0..<3 { pixels[4 * i + c] = UInt8((7 * x + 13 * y + 29 * c + x * y) % 256) }
        }
        let sink = MemorySink(width: width, height: height)
        let told = Mutex<[RestoreProgress]>([])
        try await PhotoRestorer(opener).restore(
            MemoryPhoto(width: width, height: height, pixels: pixels), into: sink, asksNeed: asksNeed
        ) { progress in told.withLock { $0.append(progress) } }
        return (told.withLock { $0 }, sink.photo)
    }

    private func check(_ need: Need, _ due: Needs.Answer) {
        let pythons = Need(
            change: due.change, brightness: due.brightness, contrast: due.contrast, detail: due.detail)
        #expect(need == pythons)
        #expect(need.isNeeded == due.needed)
        #expect(need.faults.map(\.rawValue) == due.faults)
    }

    /// A level, a slope and a chequerboard, as make_needs.py has them, in the corner of a tile that is 9 elsewhere.
    private func image(_ numbers: [Double], tile: Int, width: Int, height: Int) -> FloatBuffer {
        let buffer = FloatBuffer(count: 3 * tile * tile)
        for i in 0..<buffer.count {
            let (x, y, c) = (i % tile, i / tile % tile, i / (tile * tile))
            let slope = numbers[1] * ((Double(x) + 0.5) / Double(width) - 0.5)
            let ripple = numbers[2] * ((x + y) % 2 == 0 ? 1 : -1) * Double(1 + c) / 3
            buffer.values[i] = x < width && y < height ? Float(numbers[0] + slope + ripple) : 9
        }
        return buffer
    }
}
