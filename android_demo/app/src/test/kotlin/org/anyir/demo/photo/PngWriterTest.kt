package org.anyir.demo.photo

import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertEquals
import org.junit.Test
import java.io.ByteArrayOutputStream
import javax.imageio.ImageIO
import kotlin.random.Random

class PngWriterTest {
    private val width = 301
    private val height = 77

    private fun write(argb: IntArray, alpha: Boolean, grey: Boolean, exif: ByteArray? = null): ByteArray {
        val output = ByteArrayOutputStream()
        PngWriter(output, width, height, alpha, grey, exif = exif).use { png ->
            // In pieces of several heights, as a restoration gives them.
            for (y in 0 until height step 20) {
                val rows = minOf(20, height - y)
                png.write(argb.copyOfRange(y * width, (y + rows) * width), rows)
            }
            png.finish()
        }
        return output.toByteArray()
    }

    private fun readAgain(png: ByteArray) = ImageIO.read(png.inputStream()).let {
        it.getRGB(0, 0, it.width, it.height, null, 0, it.width)
    }

    @Test
    fun `what is written is read again, noise and alpha to the bit`() {
        val random = Random(0)
        val noise = IntArray(width * height) { random.nextInt() }
        assertArrayEquals(noise, readAgain(write(noise, alpha = true, grey = false)))
        val opaque = noise.map { it or (0xff shl 24) }.toIntArray()
        assertArrayEquals(opaque, readAgain(write(opaque, alpha = false, grey = false)))
    }

    @Test
    fun `grey is one channel`() {
        val random = Random(1)
        val grey = IntArray(width * height) {
            random.nextInt(256).let { v ->
                (0xff shl 24) or (v shl 16) or (v shl 8) or
                    v
            }
        }
        val png = write(grey, alpha = false, grey = true)
        assertEquals(1, ImageIO.read(png.inputStream()).raster.numBands)
        val values = IntArray(grey.size)
        ImageIO.read(png.inputStream()).raster.getPixels(0, 0, width, height, values)
        assertArrayEquals(grey.map { it and 255 }.toIntArray(), values)
    }

    @Test
    fun `EXIF is in its chunk, and the file passes our own check`() {
        val exif = FileFacts.read(TestPhotos.file("turned.jpg")).exif!!
        val png = write(IntArray(width * height), alpha = false, grey = false, exif)
        assertArrayEquals(exif, pngChunk(png, "eXIf"))
        val file = java.io.File.createTempFile("written", ".png").apply {
            writeBytes(png)
            deleteOnExit()
        }
        assertEquals(6, FileFacts.read(file).orientation)
    }
}
