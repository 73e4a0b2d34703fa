package org.anyir.core

import org.junit.Assert.assertEquals
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test
import java.nio.FloatBuffer
import java.security.MessageDigest

/** The same answers as Python's, for every case of tests/fixtures/look_plans.json. */
class LookPlanTest {
    private val fixture = fixture("look_plans.json")

    @Test
    fun `every plan`() {
        val cases = fixture.getAsJsonArray("plans").map { it.asJsonObject }
        assertTrue(cases.size >= 17)
        for (case in cases) {
            val plan = LookPlan(case.int("width"), case.int("height"), case.int("tile"))
            val expected = case.getAsJsonArray("crops").map { crop -> crop.asJsonArray.ints().toList() }
            val crops = plan.crops().map { listOf(it.x, it.y, it.left, it.top, it.width, it.height) }
            assertEquals("${plan.width}x${plan.height} in ${plan.tile}", expected, crops)
            assertEquals(maxOf(plan.width, plan.height) <= plan.tile, plan.isWhole)
        }
    }

    @Test
    fun `every sheet, byte by byte`() {
        val cases = fixture.getAsJsonArray("sheets").map { it.asJsonObject }
        assertTrue(cases.size >= 6)
        for (case in cases) {
            val (width, height, tile) = listOf("width", "height", "tile").map { case.int(it) }
            val photo = MemoryPhoto(
                width,
                height,
                IntArray(width * height) { i ->
                    (0..2).fold(-1) { pixel, c -> pixel shl 8 or colour(i % width, i / width, c) }
                },
            )
            val bytes = ByteArray(3 * tile * tile)
            val model = PlaceModel(tile) { v, _, _, _ -> v }
            val seen = object : TileRunner by model {
                override fun look(sheet: FloatBuffer, statistics: Statistics): RunTiming {
                    for (i in 0 until tile * tile) {
                        for (c in 0..2) bytes[3 * i + c] = Math.round(255 * sheet.get(c * tile * tile + i)).toByte()
                    }
                    return model.look(sheet, statistics)
                }
            }
            PhotoRestorer(seen).restore(photo, MemorySink(width, height))
            val digest = MessageDigest.getInstance("SHA-256").digest(bytes).joinToString("") { "%02x".format(it) }
            assertEquals("${width}x$height in $tile", case["sha256"].asString, digest)
        }
    }

    private fun colour(x: Int, y: Int, c: Int) = (7 * x + 13 * y + 29 * c + x * y) % 256

    @Test
    fun `sizes that have no sheet are refused`() {
        val bad = listOf("0 5 64", "5 -1 64", "5 5 0", "5 5 60")
        for ((width, height, tile) in bad.map { it.split(" ").map(String::toInt) }) {
            assertThrows(IllegalArgumentException::class.java) { LookPlan(width, height, tile) }
        }
    }
}
