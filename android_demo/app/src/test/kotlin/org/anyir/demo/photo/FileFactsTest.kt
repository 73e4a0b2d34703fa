package org.anyir.demo.photo

import org.anyir.demo.R
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNotNull
import org.junit.Assert.assertNull
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder
import java.io.File

class FileFactsTest {
    @get:Rule
    val temporary = TemporaryFolder()

    private fun facts(name: String) = FileFacts.read(TestPhotos.file(name))

    private fun refusal(file: File) = assertThrows(PhotoException::class.java) { FileFacts.read(file) }.sentence.id

    @Test
    fun `formats are told by their content`() {
        val formats = mapOf(
            "turned.jpg" to PhotoFormat.JPEG,
            "cmyk.jpg" to PhotoFormat.JPEG,
            "upright.png" to PhotoFormat.PNG,
            "photo.webp" to PhotoFormat.WEBP,
            "photo.avif" to PhotoFormat.AVIF,
            "photo.bmp" to PhotoFormat.BMP,
            "still.gif" to PhotoFormat.GIF,
        )
        assertEquals(formats, formats.mapValues { facts(it.key).format })
    }

    @Test
    fun `orientation is read from PNG and JPEG`() {
        assertEquals((1..8).toList(), (1..8).map { facts("lying$it.png").orientation })
        assertEquals(6, facts("turned.jpg").orientation)
        assertEquals(1, facts("upright.png").orientation)
    }

    @Test
    fun `EXIF is found in every format that has it`() {
        for (name in listOf("turned.jpg", "lying3.png", "photo.webp", "photo.avif")) {
            val exif = facts(name).exif
            assertNotNull(name, exif)
            assertTrue(name, "a maker's own" in String(exif!!, Charsets.ISO_8859_1))
        }
        assertNull(facts("upright.png").exif)
    }

    @Test
    fun `grey, depth and gain maps are seen, and the user is told what is lost`() {
        assertEquals(
            listOf(true, true, true, false),
            listOf("grey.jpg", "grey.png", "grey_alpha.png", "upright.png").map {
                facts(it).grey
            },
        )
        assertEquals(16, facts("deep.png").bits)
        assertTrue(facts("deep.png").notes.single() == Sentence(R.plurals.note_bits, listOf(16)))
        assertTrue(facts("gain_map.jpg").notes.single() == Sentence(R.string.note_gain_map))
        assertTrue(facts("photo.avif").notes.single() == Sentence(R.string.note_format, listOf("JPEG", "AVIF")))
        assertTrue(facts("cmyk.jpg").notes.single() == Sentence(R.string.note_cmyk))
        assertEquals(emptyList<Sentence>(), facts("turned.jpg").notes)
    }

    @Test
    fun `animations are refused`() {
        for (name in listOf("moving.gif", "moving.webp", "moving.png")) {
            assertEquals(R.string.photo_animated, refusal(TestPhotos.file(name)))
        }
    }

    @Test
    fun `a text file is no photo, whatever it is called`() {
        assertEquals(R.string.photo_not_a_photo, refusal(TestPhotos.file("text.jpg")))
        assertEquals(R.string.photo_not_a_photo, refusal(temporary.newFile("empty.jpg")))
    }

    @Test
    fun `a file that was cut off is refused wherever the cut is`() {
        for (name in listOf(
            "turned.jpg",
            "upright.png",
            "photo.webp",
            "photo.avif",
            "photo.bmp",
            "grey.jpg",
            "lying6.png",
        )) {
            val bytes = TestPhotos.file(name).readBytes()
            for (length in (16 until bytes.size - 3 step 29) + (bytes.size - 3)) {
                val cut = temporary.newFile().apply { writeBytes(bytes.copyOf(length)) }
                assertEquals("$name cut to $length", R.string.photo_cut_off, refusal(cut))
                cut.delete()
            }
        }
    }

    @Test
    fun `a GIF may lack its last byte, as many do`() {
        val bytes = TestPhotos.file("still.gif").readBytes()
        val cut = temporary.newFile().apply { writeBytes(bytes.copyOf(bytes.size - 1)) }
        assertEquals(PhotoFormat.GIF, FileFacts.read(cut).format)
        cut.writeBytes(bytes.copyOf(bytes.size / 2))
        assertEquals(R.string.photo_cut_off, refusal(cut))
    }

    @Test
    fun `a PNG with a changed pixel is refused`() {
        val bytes = TestPhotos.file("upright.png").readBytes()
        bytes[bytes.size / 2] = (bytes[bytes.size / 2] + 1).toByte()
        val changed = temporary.newFile().apply { writeBytes(bytes) }
        assertEquals(R.string.photo_damaged, refusal(changed))
    }

    @Test
    fun `what follows a JPEG is not looked at`() {
        val file = temporary.newFile().apply {
            writeBytes(
                TestPhotos.file("turned.jpg").readBytes() + "a video".toByteArray(),
            )
        }
        assertEquals(6, FileFacts.read(file).orientation)
    }
}
