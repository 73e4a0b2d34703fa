package org.anyir.core

import com.sun.management.ThreadMXBean
import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertEquals
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test
import java.lang.management.ManagementFactory
import java.nio.FloatBuffer
import kotlin.random.Random

class PhotoRestorerTest {
    @Test
    fun `blending gives Python's numbers`() {
        val cases = fixture("blending.json").getAsJsonArray("cases").map { it.asJsonObject }
        assertTrue(cases.any { it.get("grey").asBoolean } && cases.size >= 6)
        for (case in cases) {
            val width = case.int("width")
            val height = case.int("height")
            val photo = MemoryPhoto(width, height, argb(case.getAsJsonArray("photo").ints()))
            val model = PlaceModel(case.int("tile"), case.tileSize()) { v, x, y, c ->
                v * (0.5f + x / 8f) + y / 16f - c / 8f
            }
            val restorer = PhotoRestorer(model, case.int("overlap"))

            val blended = DoubleArray(width * height * 3)
            restorer.blend(photo, { _, _ -> }, { false }) { y, rows, band ->
                val first = y * width * 3
                for (i in 0 until rows * width * 3) blended[first + i] = band.sums[i].coerceIn(0f, 1f).toDouble()
            }
            assertArrayEquals(case.getAsJsonArray("blended").doubles(), blended, 1e-6)

            val sink = MemorySink(width, height)
            restorer.restore(photo, sink)
            assertArrayEquals(argb(case.getAsJsonArray("restored").ints()), sink.argb)
        }
    }

    @Test
    fun `a model that changes nothing leaves every pixel and its alpha alone`() {
        val random = Random(1)
        repeat(60) {
            val (tile, other) = List(2) { 8 * random.nextInt(1, 5) }
            val size = if (random.nextBoolean()) TileSize(tile) else TileSize(tile, other)
            val photo = randomPhoto(random, random.nextInt(1, 120), random.nextInt(1, 120))
            val sink = MemorySink(photo.width, photo.height)
            val model = PlaceModel(tile, size) { v, _, _, _ -> v }
            PhotoRestorer(model, random.nextInt(0, size.shorter / 2 + 1)).restore(photo, sink)
            assertEquals(photo.height, sink.rows)
            assertArrayEquals(photo.argb, sink.argb)
        }
    }

    @Test
    fun `a photo without colour stays without, and one pixel of colour makes it a colour photo`() {
        val random = Random(6)
        for ((width, height) in listOf(1 to 1, 8 to 8, 100 to 37, 37 to 100, 200 to 200)) {
            val photo = MemoryPhoto(width, height, IntArray(width * height) { 0x10101 * random.nextInt(256) or ALPHA })
            val tinted = restored(photo)
            assertTrue("${width}x$height", tinted.all { it == 0x10101 * (it and 255) or ALPHA })
            assertArrayEquals(restored(MemoryPhoto(width, height, photo.argb, grey = true)), tinted)

            for (place in listOf(0, width * height / 2, width * height - 1)) {
                val colour = photo.argb.copyOf().also { it[place] = it[place] xor 1 }
                val pixels = restored(MemoryPhoto(width, height, colour))
                assertTrue("$place of ${width}x$height", pixels.any { it != 0x10101 * (it and 255) or ALPHA })
            }
        }
    }

    /** By a model that tints. */
    private fun restored(photo: PhotoSource): IntArray {
        val sink = MemorySink(photo.width, photo.height)
        PhotoRestorer(PlaceModel(16) { v, _, _, c -> 0.5f * v + c / 8f }, 4).restore(photo, sink)
        return sink.argb
    }

    @Test
    fun `colour is searched for no longer than until it is found, or until the photo is called off`() {
        val pixels = IntArray(200 * 200)
        val crops = LookPlan(200, 200, 64).crops().size
        for ((place, further) in listOf(100 * 200 + 7 to 5, 199 * 200 + 199 to 16)) {
            val reads = ArrayList<Region>()
            val photo = MemoryPhoto(200, 200, pixels.copyOf().also { it[place] = 0xff })
            val counting = object : PhotoSource by photo {
                override fun read(region: Region, argb: IntArray) {
                    reads += region
                    photo.read(region, argb)
                }
            }
            val model = PlaceModel(64) { v, _, _, _ -> v }
            PhotoRestorer(model).restore(counting, MemorySink(200, 200))
            assertEquals(crops + further + TilePlan(200, 200, TileSize(64), 16).size, reads.size)

            reads.clear()
            model.calls.clear()
            val stop = { reads.size == crops + 2 }
            assertThrows(CancelledException::class.java) {
                PhotoRestorer(model).restore(counting, MemorySink(200, 200), cancelled = stop)
            }
            assertEquals(listOf("look"), model.calls)
        }
    }

    @Test
    fun `one look, then every tile, and progress counts them all`() {
        for ((side, tiles) in listOf(20 to 9, 8 to 1, 1 to 1)) {
            val seen = ArrayList<Pair<Int, Int>>()
            val model = PlaceModel(8) { v, _, _, _ -> v }
            PhotoRestorer(model, 2).restore(
                randomPhoto(Random(2), side, side),
                MemorySink(side, side),
                progress = { done, total ->
                    seen += done to total
                    assertEquals("a step is done when it is told", done, model.calls.size)
                },
            )
            assertEquals((0..tiles + 1).map { it to tiles + 1 }, seen)
            assertEquals(listOf("look") + List(tiles) { "restore" }, model.calls)
        }
    }

    @Test
    fun `cancelling stops before the next step`() {
        for (steps in 0..3) {
            val model = PlaceModel(8) { v, _, _, _ -> v }
            val sink = MemorySink(40, 40)
            assertThrows(CancelledException::class.java) {
                PhotoRestorer(model, 2)
                    .restore(randomPhoto(Random(3), 40, 40), sink, cancelled = { model.calls.size == steps })
            }
            assertEquals(steps, model.calls.size)
            assertEquals(0, sink.rows)
        }
    }

    @Test
    fun `cancelling stops between the crops of a look`() {
        val read = ArrayList<Region>()
        val photo = object : PhotoSource by randomPhoto(Random(3), 200, 200) {
            override fun read(region: Region, argb: IntArray) {
                read += region
            }
        }
        val model = PlaceModel(128) { v, _, _, _ -> v }
        assertThrows(CancelledException::class.java) {
            PhotoRestorer(model).restore(photo, MemorySink(200, 200), cancelled = { read.size == 3 })
        }
        assertEquals(3, read.size)
        assertEquals(emptyList<String>(), model.calls)
    }

    @Test
    fun `NaN and infinity are never a result`() {
        for (bad in listOf(Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY)) {
            val sink = MemorySink(9, 9)
            val model = PlaceModel(8) { v, x, y, c -> if (x + y + c == 15) bad else v }
            assertThrows(RestoreException::class.java) {
                PhotoRestorer(model, 2).restore(randomPhoto(Random(4), 9, 9), sink)
            }
            assertEquals(0, sink.rows)
        }
    }

    @Test
    fun `a look that finds NaN or infinity ends in one sentence, before any tile`() {
        for (bad in listOf(Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY)) {
            val tiles = PlaceModel(8) { v, _, _, _ -> v }
            val model = object : TileRunner by tiles {
                override fun look(sheet: FloatBuffer, statistics: Statistics): RunTiming =
                    tiles.look(sheet, statistics).also { statistics.values.last().put(1, bad) }
            }
            val sink = MemorySink(9, 9)
            val error = assertThrows(LookException::class.java) {
                PhotoRestorer(model, 2).restore(randomPhoto(Random(4), 9, 9), sink)
            }
            assertEquals(
                "The model looked at the photo and returned NaN or infinity, so there is no result.",
                error.message,
            )
            assertEquals(listOf("look"), tiles.calls)
            assertEquals(0, sink.rows)
        }
    }

    @Test
    fun `a long strip takes one row of tiles`() {
        val photo = randomPhoto(Random(5), 20000, 3)
        val sink = MemorySink(20000, 3)
        PhotoRestorer(PlaceModel(64) { v, _, _, _ -> v }).restore(photo, sink)
        assertArrayEquals(photo.argb, sink.argb)
    }

    @Test
    fun `a tile allocates nothing to speak of, and a photo no more than a row of tiles`() {
        val threads = ManagementFactory.getThreadMXBean() as ThreadMXBean
        val width = 400
        val height = 6400
        val tile = 64
        val photo = MemoryPhoto(width, height, IntArray(width * height))
        val sink = PhotoSink { _, _, _ -> }
        val copies = object : TileRunner {
            override val tile = tile
            private val timing = RunTiming(0, 0, 0)

            override fun newStatistics() = Statistics(this, listOf(1))

            override fun look(sheet: FloatBuffer, statistics: Statistics) = timing

            override fun restore(input: FloatBuffer, statistics: Statistics, output: FloatBuffer) =
                timing.also { output.put(input) }
        }
        val restorer = PhotoRestorer(copies, 16)
        restorer.restore(MemoryPhoto(tile, tile, photo.argb), sink) // loads the classes

        var tiles = 0
        val before = threads.getThreadAllocatedBytes(Thread.currentThread().id)
        restorer.restore(photo, sink, progress = { _, total -> tiles = total })
        val allocated = threads.getThreadAllocatedBytes(Thread.currentThread().id) - before
        val band = 13L * width * tile + 4L * width * 16 // sums and alpha, and the rows that are handed on
        val tileBuffers = 3 * 4L * 3 * tile * tile
        val weights = 4L * 8 * height
        assertTrue("$allocated bytes for $tiles tiles", allocated < band + tileBuffers + weights + 1000L * tiles)
        assertTrue("the photo alone is ${4L * width * height}", allocated < 2L * width * height)
    }

    @Test
    fun `the overlap by default is Python's`() {
        assertEquals(listOf(2, 16, 32, 32), listOf(8, 64, 128, 512).map { defaultOverlap(it) })
    }

    private fun randomPhoto(random: Random, width: Int, height: Int) =
        MemoryPhoto(width, height, IntArray(width * height) { random.nextInt() })

    /** RGBA bytes -> ARGB. */
    private fun argb(rgba: IntArray) = IntArray(rgba.size / 4) {
        (rgba[4 * it + 3] shl 24) or (rgba[4 * it] shl 16) or (rgba[4 * it + 1] shl 8) or rgba[4 * it + 2]
    }

    private companion object {
        const val ALPHA = 0x7f shl 24
    }
}
