package org.anyir.core

import com.google.gson.JsonObject
import org.junit.Assert.assertEquals
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test
import java.nio.FloatBuffer

/** The same answers as Python's, for every case of tests/fixtures/needs.json. */
class NeedTest {
    private val fixture = fixture("needs.json")

    @Test
    fun `what differs between two images`() {
        val cases = fixture.getAsJsonArray("pairs").map { it.asJsonObject }
        assertTrue(cases.size >= 13)
        for (case in cases) {
            val (width, height) = listOf(case.int("width"), case.int("height"))
            val tile = maxOf(width, height) + 3
            val (before, after) = listOf("before", "after").map { name ->
                image(case.getAsJsonArray(name).doubles(), tile, width, height)
            }
            check(case, Need.between(before, after, TileSize(tile), width, height))
        }
    }

    @Test
    fun `what photos need, of their sheets`() {
        val cases = fixture.getAsJsonArray("photos").map { it.asJsonObject }
        assertTrue(cases.size >= 6)
        for (case in cases) {
            val needs = ArrayList<Need>()
            restore(case.int("width"), case.int("height"), model(case.int("tile"), case.tileSize()), needs)
            check(case, needs.single())
        }
    }

    @Test
    fun `it costs one tile of a photo that has several, nothing of one that has one, and nothing unasked`() {
        val several = model(16).also { restore(40, 20, it, ArrayList()) }
        val silent = model(16).also { restore(40, 20, it, null) }
        assertEquals(silent.calls.size + 1, several.calls.size)
        assertEquals(1, several.calls.count { it == "look" })
        val one = model(16).also { restore(16, 9, it, ArrayList()) }
        assertEquals(listOf("look", "restore"), one.calls)
    }

    @Test
    fun `the photo's tiles are not touched by it`() {
        val (asked, silent) = listOf(ArrayList<Need>(), null).map { restore(70, 33, model(16), it) }
        assertEquals(silent.argb.toList(), asked.argb.toList())
    }

    @Test
    fun `a sheet that comes back with NaN ends the restoration before its tiles`() {
        val model = PlaceModel(16) { v, x, y, c -> if (x + y + c == 5) Float.NaN else v }
        assertThrows(RestoreException::class.java) { restore(40, 20, model, ArrayList()) }
        assertEquals(listOf("look", "restore"), model.calls)
    }

    private fun model(tile: Int, size: TileSize = TileSize(tile)) =
        PlaceModel(tile, size) { v, x, y, c -> v * (0.5f + x / 512f) + y / 1024f - c / 32f }

    /** Of the photo whose colour c at (x, y) is (7x + 13y + 29c + xy) mod 256. */
    private fun restore(width: Int, height: Int, model: TileRunner, needs: MutableList<Need>?): MemorySink {
        val argb = IntArray(width * height) { i ->
            val (x, y) = listOf(i % width, i / width)
            (0..2).fold(-1) { pixel, c -> pixel shl 8 or (7 * x + 13 * y + 29 * c + x * y) % 256 }
        }
        val sink = MemorySink(width, height)
        val onNeed: ((Need) -> Unit)? = needs?.let { list -> { need -> list += need } }
        PhotoRestorer(model).restore(MemoryPhoto(width, height, argb), sink, onNeed = onNeed)
        return sink
    }

    /** A level, a slope and a chequerboard, as make_needs.py has them, in the corner of a tile that is 9 elsewhere. */
    private fun image(values: DoubleArray, tile: Int, width: Int, height: Int): FloatBuffer {
        val (level, slope, ripple) = values.toList()
        return FloatBuffer.wrap(
            FloatArray(3 * tile * tile) { i ->
                val (x, y, c) = listOf(i % tile, i / tile % tile, i / (tile * tile))
                val sign = 1 - 2 * ((x + y) % 2)
                val inside = level + slope * ((x + 0.5) / width - 0.5) + ripple * sign * (1 + c) / 3
                if (x < width && y < height) inside.toFloat() else 9f
            },
        )
    }

    private fun check(case: JsonObject, need: Need) {
        val numbers = listOf(need.change, need.brightness, need.contrast, need.detail)
        for ((name, number) in listOf("change", "brightness", "contrast", "detail").zip(numbers)) {
            assertEquals("$name of $case", case[name].asDouble, number, 1e-9)
        }
        assertEquals("$case", case["needed"].asBoolean, need.needed)
        val faults = case.getAsJsonArray("faults").map { it.asString }
        assertEquals("$case", faults, need.faults.map { it.name.lowercase() })
    }
}
