import AnyIRCore
import Testing

private struct Needs: Decodable {
    struct Pair: Decodable {
        let width: Int, height: Int
        let before: [Double], after: [Double]
        let change: Double, brightness: Double, contrast: Double, detail: Double
        let needed: Bool
        let faults: [String]
    }

    let pairs: [Pair]
}

@Suite struct NeedTests {
    @Test func needsArePythons() throws {
        let pairs = try fixture("needs.json", Needs.self).pairs
        #expect(pairs.count >= 13)
        for due in pairs {
            let tile = max(due.width, due.height) + 3
            let need = Need(
                from: image(due.before, tile: tile, width: due.width, height: due.height),
                to: image(due.after, tile: tile, width: due.width, height: due.height),
                tile: tile, width: due.width, height: due.height)
            let pythons = Need(
                change: due.change, brightness: due.brightness, contrast: due.contrast, detail: due.detail)
            #expect(need == pythons)
            #expect(need.isNeeded == due.needed)
            #expect(need.faults.map(\.rawValue) == due.faults)
        }
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
