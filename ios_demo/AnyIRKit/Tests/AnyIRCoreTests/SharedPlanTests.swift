import AnyIRCore
import Testing

private struct TilePlans: Decodable {
    struct Weights: Decodable {
        let length: Int, tile: Int, overlap: Int
        let starts: [Int]
        let weights: [[Double]]
    }

    struct Reflection: Decodable {
        let length: Int, size: Int
        let indices: [Int]
    }

    let weights: [Weights]
    let reflections: [Reflection]
}

private struct Sheets: Decodable {
    struct Sheet: Decodable {
        let width: Int, height: Int, tile: Int
        let sha256: String
    }

    let sheets: [Sheet]
}

/// What Python wrote down beside its plans; the plans themselves stand in ``PlanTests``.
@Suite struct SharedPlanTests {
    @Test func weightsArePythons() throws {
        let cases = try fixture("tile_plans.json", TilePlans.self).weights
        #expect(cases.count >= 3)
        for due in cases {
            let tile = TileSize(side: due.tile)
            let plan = TilePlan(width: due.length, height: 1, tile: tile, overlap: due.overlap)
            #expect(plan.columns == due.starts)
            #expect(plan.columnWeights.count == due.weights.count)
            for (found, expected) in zip(plan.columnWeights, due.weights) {
                #expect(found.count == expected.count)
                #expect(zip(found, expected).allSatisfy { abs(Double($0) - $1) < 1e-6 })
            }
        }
    }

    @Test func reflectionsArePythons() throws {
        let cases = try fixture("tile_plans.json", TilePlans.self).reflections
        #expect(cases.count >= 6)
        for due in cases { #expect(reflectIndices(length: due.length, size: due.size) == due.indices) }
    }

    @Test func sheetsArePythonsByteByByte() async throws {
        let cases = try fixture("look_plans.json", Sheets.self).sheets
        #expect(cases.count >= 6)
        for due in cases {
            let opener = PlaceOpener(tile: due.tile)
            let sink = MemorySink(width: due.width, height: due.height)
            try await PhotoRestorer(opener).restore(patterned(due.width, due.height), into: sink)
            #expect(sha256(opener.sheet) == due.sha256, "\(due.width)x\(due.height) in \(due.tile)")
        }
    }

    /// The photo of `tests/fixtures/make_look_plans.py`.
    private func patterned(_ width: Int, _ height: Int) -> MemoryPhoto {
        var pixels = [UInt8](repeating: 255, count: 4 * width * height)
        for y in 0..<height {
            for x in 0..<width {
                for c in 0..<3 { pixels[4 * (y * width + x) + c] = UInt8((7 * x + 13 * y + 29 * c + x * y) % 256) }
            }
        }
        return MemoryPhoto(width: width, height: height, pixels: pixels)
    }
}
