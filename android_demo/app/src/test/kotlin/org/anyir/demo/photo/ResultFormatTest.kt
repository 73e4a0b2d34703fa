package org.anyir.demo.photo

import android.net.Uri
import org.anyir.demo.R
import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import java.awt.image.BufferedImage
import java.io.File
import javax.imageio.ImageIO

/** Which format a result is saved in. HEIF and AVIF cannot be decoded here; their results, which are PNG, can. */
@RunWith(RobolectricTestRunner::class)
class ResultFormatTest {
    @get:Rule
    val temporary = TemporaryFolder()

    private fun encoder(
        format: PhotoFormat,
        result: File,
        width: Int = TestPhotos.WIDTH,
        height: Int = TestPhotos.HEIGHT,
    ): ResultEncoder {
        val file = TestPhotos.file("photo.avif")
        val photo = PhotoInfo(Uri.EMPTY, "a.photo", file, format, 1, width, height, emptyList())
        return ResultEncoder(photo, result, width, height, half = false, strength = 1f)
    }

    @Test
    fun `a photo with alpha is not saved as JPEG, and a note says so`() {
        val result = TestPhotos.file("alpha.png")
        for (format in listOf(PhotoFormat.HEIF, PhotoFormat.AVIF)) {
            val encoder = encoder(format, result)
            assertEquals(PhotoFormat.PNG, encoder.format)
            assertEquals("a-restored.png", encoder.name)
            assertTrue(Sentence(R.string.saved_as, listOf("PNG", format.label)) in encoder.notes)
            val saved = temporary.newFile()
            saved.outputStream().use { encoder.write(it, temporary.root) }
            assertArrayEquals(TestPhotos.pixels(result), TestPhotos.pixels(saved))
        }
    }

    @Test
    fun `an alpha channel that is opaque everywhere is no alpha`() {
        val opaque = BufferedImage(TestPhotos.WIDTH, TestPhotos.HEIGHT, BufferedImage.TYPE_INT_ARGB)
        for (y in 0 until opaque.height) for (x in 0 until opaque.width) opaque.setRGB(x, y, 0xff336699.toInt())
        val file = temporary.newFile("opaque.png")
        ImageIO.write(opaque, "png", file)
        assertEquals(PhotoFormat.JPEG, encoder(PhotoFormat.HEIF, file).format)
        assertEquals(PhotoFormat.JPEG, encoder(PhotoFormat.AVIF, TestPhotos.file("upright.png")).format)
    }

    @Test
    fun `what is longer than Android's JPEG is a PNG`() {
        val result = TestPhotos.file("upright.png")
        assertEquals(PhotoFormat.JPEG, encoder(PhotoFormat.JPEG, result, width = 65_500).format)
        assertEquals(PhotoFormat.PNG, encoder(PhotoFormat.JPEG, result, width = 65_501).format)
        assertEquals(PhotoFormat.PNG, encoder(PhotoFormat.JPEG, result, height = 65_501).format)
    }
}
