package org.anyir.core

import com.google.gson.JsonObject
import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertEquals
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test
import kotlin.random.Random

/** The same answers as Python's, for every case of tests/fixtures/tile_plans.json. */
class TilePlanTest {
    private val fixture = fixture("tile_plans.json")

    @Test
    fun `every plan`() {
        val cases = fixture.getAsJsonArray("plans").map { it.asJsonObject }
        assertTrue(cases.size >= 14)
        for (case in cases) {
            check(case, TileSize(case.int("tile")))
        }
    }

    @Test
    fun `every plan of tiles that are no squares`() {
        val cases = fixture.getAsJsonArray("rectangles").map { it.asJsonObject }
        assertTrue(cases.size >= 3)
        for (case in cases) check(case, TileSize(case.int("tile_height"), case.int("tile_width")))
    }

    private fun check(case: JsonObject, tile: TileSize) {
        val plan = TilePlan(case.int("width"), case.int("height"), tile, case.int("overlap"))
        val expected = case.getAsJsonArray("tiles").map { region -> region.asJsonArray.ints().toList() }
        assertEquals(expected, plan.regions().map { listOf(it.x, it.y, it.width, it.height) }.toList())
        assertEquals(expected.size, plan.size)
    }

    @Test
    fun `every weight`() {
        val cases = fixture.getAsJsonArray("weights").map { it.asJsonObject }
        assertTrue(cases.size >= 9)
        for (case in cases) {
            val (length, tile, overlap) = listOf("length", "tile", "overlap").map { case.int(it) }
            assertArrayEquals(case.getAsJsonArray("starts").ints(), axisStarts(length, tile, overlap))
            val weights = axisWeights(length, tile, overlap)
            val expected = case.getAsJsonArray("weights").map { it.asJsonArray.doubles() }
            assertEquals(expected.size, weights.size)
            for ((mine, python) in weights.zip(expected)) assertArrayEquals(python, mine, 1e-6)
        }
    }

    @Test
    fun `every reflection`() {
        val cases = fixture.getAsJsonArray("reflections").map { it.asJsonObject }
        assertTrue(cases.size >= 6)
        for (case in cases) {
            assertArrayEquals(
                case.getAsJsonArray("indices").ints(),
                reflectIndices(case.int("length"), case.int("size")),
            )
        }
    }

    @Test
    fun `whatever the size, weights cover every pixel and sum to one`() {
        val random = Random(0)
        repeat(2000) {
            val tile = random.nextInt(1, 65)
            val overlap = random.nextInt(0, tile / 2 + 1)
            val length = random.nextInt(1, 401)
            val sums = DoubleArray(length)
            for ((start, weights) in axisStarts(length, tile, overlap).zip(axisWeights(length, tile, overlap))) {
                assertTrue(weights.all { it > 0 && it <= 1 })
                for (i in weights.indices) sums[start + i] += weights[i]
            }
            for (sum in sums) assertEquals(1.0, sum, 1e-12)
        }
    }

    @Test
    fun `bad values are refused`() {
        val bad = listOf("0 5 16 4", "5 0 16 4", "5 5 0 0", "5 5 16 -1", "5 5 16 9")
        for ((width, height, tile, overlap) in bad.map { it.split(" ").map(String::toInt) }) {
            assertThrows(IllegalArgumentException::class.java) {
                TilePlan(width, height, TileSize(tile), overlap)
            }
        }
        for ((tile, overlap) in listOf(TileSize(0, 16) to 0, TileSize(16, 32) to 9, TileSize(32, 16) to 9)) {
            assertThrows(IllegalArgumentException::class.java) { TilePlan(5, 5, tile, overlap) }
        }
    }
}
