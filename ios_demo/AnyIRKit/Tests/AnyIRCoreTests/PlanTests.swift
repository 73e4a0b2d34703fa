import AnyIRCore
import Testing

private struct TilePlans: Decodable {
    struct Plan: Decodable {
        let width: Int, height: Int, tile: Int, overlap: Int
        let tiles: [[Int]]
    }

    struct Rectangles: Decodable {
        let width: Int, height: Int, tile_height: Int, tile_width: Int, overlap: Int
        let tiles: [[Int]]
    }

    let plans: [Plan]
    let rectangles: [Rectangles]
}

private struct LookPlans: Decodable {
    struct Plan: Decodable {
        let width: Int, height: Int, tile: Int
        let crops: [[Int]]
    }

    let plans: [Plan]
}

@Suite struct PlanTests {
    @Test func tilesArePythons() throws {
        let plans = try fixture("tile_plans.json", TilePlans.self).plans
        #expect(plans.count >= 14)
        for due in plans {
            let tile = TileSize(side: due.tile)
            let plan = TilePlan(width: due.width, height: due.height, tile: tile, overlap: due.overlap)
            #expect(plan.regions.map { [$0.x, $0.y, $0.width, $0.height] } == due.tiles)
            #expect(plan.count == due.tiles.count)
        }
    }

    @Test func tilesThatAreNoSquaresArePythons() throws {
        let plans = try fixture("tile_plans.json", TilePlans.self).rectangles
        #expect(plans.count >= 3)
        for due in plans {
            let tile = TileSize(height: due.tile_height, width: due.tile_width)
            let plan = TilePlan(width: due.width, height: due.height, tile: tile, overlap: due.overlap)
            #expect(plan.regions.map { [$0.x, $0.y, $0.width, $0.height] } == due.tiles)
        }
    }

    @Test func cropsArePythons() throws {
        let plans = try fixture("look_plans.json", LookPlans.self).plans
        #expect(plans.count >= 8)
        for due in plans {
            let plan = LookPlan(width: due.width, height: due.height, tile: due.tile)
            #expect(plan.crops.map { [$0.x, $0.y, $0.left, $0.top, $0.width, $0.height] } == due.crops)
        }
    }

    @Test(arguments: [(1, 8, 0), (100, 16, 8), (257, 64, 32), (1000, 64, 7), (65, 64, 16)])
    func weightsSumToOne(length: Int, tile: Int, overlap: Int) {
        let plan = TilePlan(width: length, height: 1, tile: TileSize(side: tile), overlap: overlap)
        var sums = [Double](repeating: 0, count: length)
        for (start, weights) in zip(plan.columns, plan.columnWeights) {
            for (i, weight) in weights.enumerated() { sums[start + i] += weight }
        }
        #expect(sums.allSatisfy { abs($0 - 1) < 1e-12 })
    }

    @Test func everySheetIsFull() {
        for (width, height, tile) in [(3, 900, 64), (900, 3, 128), (20_000, 30, 256), (70, 65, 64), (300, 200, 72)] {
            var covered = Array(repeating: false, count: tile * tile)
            for crop in LookPlan(width: width, height: height, tile: tile).crops {
                #expect(crop.x >= 0 && crop.x + min(crop.width, width) <= width)
                #expect(crop.y >= 0 && crop.y + min(crop.height, height) <= height)
                for y in crop.top..<crop.top + crop.height {
                    for x in crop.left..<crop.left + crop.width {
                        #expect(!covered[y * tile + x])
                        covered[y * tile + x] = true
                    }
                }
            }
            #expect(!covered.contains(false))
        }
    }

    @Test func reflectionRepeatsTheEdgeOnce() {
        #expect(reflectIndices(length: 4, size: 9) == [0, 1, 2, 3, 2, 1, 0, 1, 2])
        #expect(reflectIndices(length: 1, size: 4) == [0, 0, 0, 0])
        #expect(reflectIndices(length: 2, size: 5) == [0, 1, 0, 1, 0])
    }

    @Test func overlapByDefaultIsPythons() {
        let overlaps = [8, 64, 128, 512].map { TilePlan.defaultOverlap(tile: TileSize(side: $0)) }
        #expect(overlaps == [2, 16, 32, 32])
        #expect(TilePlan.defaultOverlap(tile: TileSize(height: 192, width: 64)) == 16)
    }
}
