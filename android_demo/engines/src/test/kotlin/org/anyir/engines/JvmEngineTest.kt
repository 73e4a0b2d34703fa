package org.anyir.engines

import org.anyir.core.PhotoRestorer
import org.anyir.core.PhotoSink
import org.anyir.core.PhotoSource
import org.anyir.core.Region
import org.anyir.core.Statistics
import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertEquals
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test
import java.awt.image.BufferedImage
import java.io.File
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.nio.FloatBuffer
import javax.imageio.ImageIO
import kotlin.math.abs
import kotlin.math.log10

/** Real programs through the app's own code, against Python's results. */
class JvmEngineTest {
    @Test
    fun `every program restores a photo as Python does`() {
        val photo = ImageIO.read(JvmArtifacts.photo)
        val models = JvmArtifacts.models
        assertEquals(setOf("fp32", "fp16", "int8w"), models.map { it.manifest.precision }.toSet())
        for (model in models + JvmArtifacts.rectangle) {
            val result = BufferedImage(photo.width, photo.height, BufferedImage.TYPE_INT_RGB)
            val steps = ArrayList<Int>()
            JvmEngineFactory().open(model, threads = 2).use { engine ->
                PhotoRestorer(engine).restore(source(photo), sink(result), progress = { done, _ -> steps += done })
            }
            assertEquals("the look, then twelve tiles", (0..13).toList(), steps)
            val expected = ImageIO.read(JvmArtifacts.restored(model))
            val psnr = psnr(result, expected)
            assertTrue("${model.manifest.name}: $psnr dB", psnr >= 50)
            assertTrue("the result is not the photo itself", psnr(result, photo) < 45)
        }
    }

    @Test
    fun `every program's look finds in a photo what it finds in Python`() {
        val photo = ImageIO.read(JvmArtifacts.photo)
        for (model in JvmArtifacts.models) {
            val found = ArrayList<FloatArray>()
            JvmEngineFactory().open(model, threads = 2).use { engine ->
                val listening = object : Engine by engine {
                    override fun look(sheet: FloatBuffer, statistics: Statistics) =
                        engine.look(sheet, statistics).also {
                            found += statistics.values.map { values -> values.array(values.capacity()) }
                        }
                }
                PhotoRestorer(listening).restore(source(photo), { _, _, _ -> })
            }
            val python = ByteBuffer.wrap(JvmArtifacts.look(model).readBytes()).order(ByteOrder.LITTLE_ENDIAN)
                .asFloatBuffer()
            assertEquals("one look", python.capacity(), found.sumOf { it.size })
            for ((i, values) in found.withIndex()) {
                val expected = FloatArray(values.size) { python.get() }
                val largest = expected.maxOf { abs(it) }
                val error = values.indices.maxOf { abs(values[it] - expected[it]) }
                assertTrue("${model.manifest.name}, $i: $error of $largest", largest > 0 && error < 1e-3 * largest)
            }
        }
    }

    @Test
    fun `a photo that fits into a tile is its own sheet`() {
        val photo = ImageIO.read(JvmArtifacts.photo).getSubimage(3, 5, 50, 41)
        val model = JvmArtifacts.models.single { it.manifest.precision == "fp32" }
        JvmEngineFactory().open(model, threads = 2).use { engine ->
            val images = ArrayList<FloatArray>()
            val listening = object : Engine by engine {
                override fun look(sheet: FloatBuffer, statistics: Statistics) =
                    engine.look(sheet, statistics).also { images += sheet.array(sheet.capacity()) }

                override fun restore(input: FloatBuffer, statistics: Statistics, output: FloatBuffer) =
                    engine.restore(input, statistics, output).also { images += input.array(input.capacity()) }
            }
            PhotoRestorer(listening).restore(source(photo), { _, _, _ -> })
            assertEquals(2, images.size)
            assertArrayEquals(images[1], images[0], 0f)
        }
    }

    @Test
    fun `statistics of another loaded program are refused`() {
        val model = JvmArtifacts.models.first()
        JvmEngineFactory().open(model, 1).use { one ->
            JvmEngineFactory().open(model, 1).use { other ->
                val image = direct(3 * one.tile * one.tile)
                val message = sentence { one.restore(image, other.newStatistics(), image) }
                assertEquals("${one.name} was given the statistics of another program.", message)
            }
        }
    }

    @Test
    fun `a file that is no program is refused with one sentence`() {
        val model = JvmArtifacts.models.first()
        val text = File.createTempFile("text", ".tflite").apply {
            writeText("no program")
            deleteOnExit()
        }
        val error = assertThrows(EngineException::class.java) {
            JvmEngineFactory().open(org.anyir.core.Model(model.manifest, text), threads = 1)
        }
        assertTrue(error.message!!.endsWith("."))
    }

    private fun source(image: BufferedImage) = object : PhotoSource {
        override val width = image.width
        override val height = image.height

        override fun read(region: Region, argb: IntArray) {
            image.getRGB(region.x, region.y, region.width, region.height, argb, 0, region.width)
        }

        override fun close() = Unit
    }

    private fun sink(image: BufferedImage) = object : PhotoSink {
        override fun writeRows(y: Int, rows: Int, argb: IntArray) {
            image.setRGB(0, y, image.width, rows, argb, 0, image.width)
        }
    }

    /** In dB, over all three colours, of 8-bit pictures. */
    private fun psnr(image: BufferedImage, reference: BufferedImage): Double {
        assertEquals(reference.width to reference.height, image.width to image.height)
        var squares = 0.0
        for (y in 0 until image.height) {
            for (x in 0 until image.width) {
                val a = image.getRGB(x, y)
                val b = reference.getRGB(x, y)
                for (shift in intArrayOf(0, 8, 16)) {
                    val difference = (a shr shift and 255) - (b shr shift and 255)
                    squares += difference * difference
                }
            }
        }
        val mean = squares / (3.0 * image.width * image.height)
        return if (mean == 0.0) Double.POSITIVE_INFINITY else 10 * log10(255 * 255 / mean)
    }
}
