package org.anyir.demo.photo

import android.graphics.Bitmap
import android.graphics.Color
import android.graphics.ColorSpace
import android.graphics.Rect
import android.net.Uri
import android.os.Build
import org.anyir.core.LookPlan
import org.anyir.core.PhotoRestorer
import org.anyir.core.PhotoSink
import org.anyir.core.Region
import org.anyir.core.RunTiming
import org.anyir.core.Statistics
import org.anyir.core.TilePlan
import org.anyir.core.TileRunner
import org.anyir.core.TileSize
import org.anyir.core.defaultOverlap
import org.anyir.demo.R
import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.util.ReflectionHelpers
import java.io.File
import java.nio.FloatBuffer

/** Real decoding by Android's own Skia; what is expected was read by Java. */
@RunWith(RobolectricTestRunner::class)
class UprightSourceTest {
    private val upright = TestPhotos.upright()

    private fun open(name: String, half: Boolean = false) =
        UprightSource.open(TestPhotos.info(TestPhotos.file(name)), half)

    private fun part(pixels: IntArray, width: Int, region: Region) = IntArray(region.width * region.height) {
        pixels[(region.y + it / region.width) * width + region.x + it % region.width]
    }

    @Test
    fun `every orientation is read upright, whole and in parts`() {
        for (orientation in 1..8) {
            open("lying$orientation.png").use { source ->
                assertEquals(TestPhotos.WIDTH, source.width)
                assertEquals(TestPhotos.HEIGHT, source.height)
                assertArrayEquals("orientation $orientation", upright, TestPhotos.read(source))
                for (region in listOf(
                    Region(3, 0, 16, 10),
                    Region(31, 0, 16, 10),
                    Region(0, 9, 5, 21),
                    Region(46, 29, 1, 1),
                )) {
                    assertArrayEquals(part(upright, TestPhotos.WIDTH, region), TestPhotos.read(source, region))
                }
            }
        }
    }

    @Test
    fun `a wide colour space is kept, and its numbers are the file's`() {
        open("p3.png").use { source ->
            assertArrayEquals(upright, TestPhotos.read(source))
            val red = (source.colours as ColorSpace.Rgb).primaries
            assertEquals(0.680f, red[0], 2e-3f)
            assertEquals(0.320f, red[1], 2e-3f)
        }
    }

    @Test
    fun `before Android 10 colours are converted, and the user is told`() {
        ReflectionHelpers.setStaticField(Build.VERSION::class.java, "SDK_INT", 28)
        try {
            open("p3.png").use { source ->
                val psnr = TestPhotos.psnr(upright, TestPhotos.read(source))
                assertTrue("other numbers for the same colours: $psnr dB", psnr in 20.0..45.0)
                assertEquals(Colours.SRGB, source.colours)
            }
            val resolver = RuntimeEnvironment.getApplication().contentResolver
            val uri = Uri.parse("content://elsewhere/p3.png")
            shadowOf(resolver).registerInputStream(uri, TestPhotos.file("p3.png").inputStream())
            val target = File.createTempFile("photo", "").apply { deleteOnExit() }
            val notes = PhotoInbox(RuntimeEnvironment.getApplication(), target).take(uri).notes
            assertTrue("$notes", notes.single().endsWith("to sRGB."))
        } finally {
            ReflectionHelpers.setStaticField(Build.VERSION::class.java, "SDK_INT", 35)
        }
    }

    @Test
    fun `alpha and the colours beneath it are the file's`() {
        for (name in listOf("alpha.png", "alpha.webp")) {
            open(name).use { source ->
                assertArrayEquals(name, TestPhotos.pixels(TestPhotos.file("alpha.png")), TestPhotos.read(source))
                assertTrue(source.alpha)
            }
        }
        open("upright.png").use { source ->
            TestPhotos.read(source)
            assertFalse(source.alpha)
        }
    }

    @Test
    fun `every format without loss gives the same pixels`() {
        for (name in listOf("photo.webp", "photo.bmp", "upright.png")) {
            open(name).use { assertArrayEquals(name, upright, TestPhotos.read(it)) }
        }
        open("turned.jpg").use { assertTrue(TestPhotos.psnr(upright, TestPhotos.read(it)) > 36) }
        open("still.gif").use { assertTrue(TestPhotos.psnr(upright, TestPhotos.read(it)) > 25) }
    }

    @Test
    fun `half size halves both sides, whichever way the photo lies`() {
        val straight = open("lying1.png", half = true).use { source ->
            assertEquals(23, source.width)
            assertEquals(15, source.height)
            TestPhotos.read(source)
        }
        for (orientation in listOf(3, 6)) {
            open("lying$orientation.png", half = true).use { source ->
                assertEquals(23, source.width)
                val psnr = TestPhotos.psnr(straight, TestPhotos.read(source))
                assertTrue("orientation $orientation: $psnr dB", psnr > 20)
            }
        }
    }

    @Test
    fun `the screen gets the same picture, ready to be drawn`() {
        for (orientation in 1..8) {
            UprightImage.of(TestPhotos.info(TestPhotos.file("lying$orientation.png"))).use { image ->
                assertEquals(TestPhotos.WIDTH, image.width)
                val region = Region(5, 3, 20, 12)
                val bitmap = image.decode(Rect(5, 3, 25, 15), 1)
                val pixels = IntArray(20 * 12)
                bitmap.getPixels(pixels, 0, 20, 0, 0, 20, 12)
                assertArrayEquals("orientation $orientation", part(upright, TestPhotos.WIDTH, region), pixels)
            }
        }
        val alpha = UprightImage.of(TestPhotos.info(TestPhotos.file("alpha.png"))).use {
            it.decode(Rect(0, 0, 47, 30), 1)
        }
        assertTrue(alpha.hasAlpha() && alpha.isPremultiplied)
    }

    @Test
    fun `of 48 megapixels a band of rows is decoded at a time, and each once, of those without colour twice`() {
        for ((orientation, colour) in listOf(1 to Color.BLUE, 6 to Color.BLUE, 1 to Color.GRAY)) {
            val decoded = ArrayList<Rect>()
            val regions = object : Regions {
                override val width = 8000
                override val height = 6000
                override val whole = false

                override fun decode(area: Rect, sample: Int): Bitmap {
                    decoded += Rect(area)
                    return Bitmap.createBitmap(area.width(), area.height(), Bitmap.Config.ARGB_8888)
                        .also { it.eraseColor(colour) }
                }

                override fun close() = Unit
            }
            val runner = object : TileRunner {
                override val tile = 256

                override fun newStatistics() = Statistics(this, listOf(1))

                override fun look(sheet: FloatBuffer, statistics: Statistics) = RunTiming(0, 0, 0)

                override fun restore(input: FloatBuffer, statistics: Statistics, output: FloatBuffer) =
                    RunTiming(0, 0, 0)
            }
            val sink = object : PhotoSink {
                override fun writeRows(y: Int, rows: Int, argb: IntArray) = assertTrue(argb.size <= 8000 * 256)
            }
            val source = UprightSource(regions, Orientation(orientation))
            PhotoRestorer(runner).restore(source, sink)
            val plan = TilePlan(source.width, source.height, TileSize(256), defaultOverlap(256))
            val crops = decoded.take(LookPlan(source.width, source.height, 256).crops().size)
            assertTrue("no more rows than a crop's", crops.all { minOf(it.width(), it.height()) == 64 })
            val bands = decoded.drop(crops.size)
            val times = if (colour == Color.GRAY) 2 else 1
            assertEquals("one decoding for a row of tiles", times * plan.rows.size, bands.size)
            assertTrue(bands.all { minOf(it.width(), it.height()) == 256 })
            source.close()
        }
    }

    @Test
    fun `one pixel and a strip are photos too`() {
        open("one.png").use { assertEquals(upright[0], TestPhotos.read(it).single()) }
        open("strip.png").use { source ->
            assertEquals(20_000, source.width)
            val region = Region(19_000, 10, 1000, 20)
            assertArrayEquals(
                part(TestPhotos.pixels(TestPhotos.file("strip.png")), 20_000, region),
                TestPhotos.read(source, region),
            )
        }
    }

    @Test
    fun `what this Android cannot decode is one sentence`() {
        val error = assertThrows(PhotoException::class.java) { TestPhotos.info(TestPhotos.file("photo.avif")) }
        assertEquals(R.string.photo_cannot_decode, error.sentence.id)
    }
}
