package org.anyir.engines

import org.anyir.core.PhotoRestorer
import org.anyir.core.PhotoSink
import org.anyir.core.PhotoSource
import org.anyir.core.Region
import org.junit.Assert.assertEquals
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test
import java.awt.image.BufferedImage
import java.io.File
import javax.imageio.ImageIO
import kotlin.math.log10

/** Real programs through the app's own code, against Python's results. */
class JvmEngineTest {
    @Test
    fun `every program restores a photo as Python does`() {
        val photo = ImageIO.read(JvmArtifacts.photo)
        val models = JvmArtifacts.models
        assertEquals(setOf("fp32", "fp16", "int8w"), models.map { it.manifest.precision }.toSet())
        for (model in models) {
            val result = BufferedImage(photo.width, photo.height, BufferedImage.TYPE_INT_RGB)
            val tiles = ArrayList<Int>()
            JvmEngineFactory().open(model, threads = 2).use { engine ->
                PhotoRestorer(engine).restore(source(photo), sink(result), progress = { done, _ -> tiles += done })
            }
            assertEquals((1..12).toList(), tiles)
            val expected = ImageIO.read(JvmArtifacts.restored(model))
            val psnr = psnr(result, expected)
            assertTrue("${model.manifest.name}: $psnr dB", psnr >= 50)
            assertTrue("the result is not the photo itself", psnr(result, photo) < 45)
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
