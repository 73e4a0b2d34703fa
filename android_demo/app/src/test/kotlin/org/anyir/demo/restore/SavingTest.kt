package org.anyir.demo.restore

import android.Manifest
import android.os.Build
import android.os.Environment
import android.provider.MediaStore
import org.anyir.demo.photo.FileFacts
import org.anyir.demo.photo.PhotoFormat
import org.anyir.demo.photo.TestPhotos
import org.anyir.demo.photo.UprightSource
import org.anyir.demo.photo.mix
import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Assume.assumeTrue
import org.junit.Rule
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.Shadows.shadowOf
import org.robolectric.shadows.ShadowEnvironment
import org.robolectric.util.ReflectionHelpers
import java.io.File

/** What the gallery gets, read again by Java and by the app's own readers. */
@RunWith(RobolectricTestRunner::class)
class SavingTest {
    @get:Rule
    val test = JobsRule()

    /** Chooses, restores with [value], saves with [strength]; the file that the gallery has. */
    private fun saved(name: String, strength: Float = 1f, value: (Float) -> Float = { 1 - it }): File {
        test.choose(name, discard = true)
        test.restore(TestEngine(value = value))
        val made = test.save(strength) as Export.Made
        assertEquals("Pictures/AnyIR", made.place)
        val (id, row) = test.media.rows.entries.last()
        assertEquals(0, row.getAsInteger(MediaStore.Images.Media.IS_PENDING))
        assertEquals(made.name, row.getAsString(MediaStore.Images.Media.DISPLAY_NAME))
        assertEquals(made.mimeType, row.getAsString(MediaStore.Images.Media.MIME_TYPE))
        assertTrue((test.jobs.state as RestoreState.Done).result.saved)
        return test.media.file(id)
    }

    private fun lastName() = test.media.rows.values.last().getAsString(MediaStore.Images.Media.DISPLAY_NAME)

    @Test
    fun `a PNG is saved to the bit, under a new name`() {
        val before = TestPhotos.file("lying3.png").readBytes()
        val file = saved("lying3.png")
        assertEquals("lying3-restored.png", lastName())
        assertArrayEquals(TestPhotos.upright().map { it xor 0xffffff }.toIntArray(), TestPhotos.pixels(file))
        assertEquals(1, FileFacts.read(file).orientation)
        assertArrayEquals("the original is as it was", before, TestPhotos.file("lying3.png").readBytes())
    }

    @Test
    fun `the name is the one that the gallery gave, and saving does not depend on its answer`() {
        test.choose("lying3.png")
        test.restore()
        val names = List(3) { (test.save() as Export.Made).name }
        assertEquals(listOf("lying3-restored.png", "lying3-restored (1).png", "lying3-restored (2).png"), names)
        test.media.asking = { throw IllegalStateException("it restarts") }
        assertEquals("lying3-restored.png", (test.save() as Export.Made).name)
        assertEquals("nothing is taken back", 4, test.media.rows.size)
    }

    @Test
    fun `strength mixes photo and result`() {
        val expected = TestPhotos.upright().map { mix(it, it xor 0xffffff, 0.25f) }.toIntArray()
        assertArrayEquals(expected, TestPhotos.pixels(saved("lying6.png", strength = 0.25f)))
        assertArrayEquals(TestPhotos.upright(), TestPhotos.pixels(saved("lying6.png", strength = 0f)))
        val alpha = TestPhotos.pixels(TestPhotos.file("alpha.png"))
        assertArrayEquals(alpha, TestPhotos.pixels(saved("alpha.png", strength = 0f)))
    }

    @Test
    fun `mixing rounds once and leaves alpha`() {
        assertEquals(0x80_80_40_00.toInt(), mix(0x80_00_00_00.toInt(), 0x80_ff_80_00.toInt(), 0.5f))
        assertEquals(0xff_01_02_03.toInt(), mix(0xff_01_02_03.toInt(), 0xff_ff_ff_ff.toInt(), 0f))
        assertEquals(0xff_ff_ff_ff.toInt(), mix(0xff_01_02_03.toInt(), 0xff_ff_ff_ff.toInt(), 1f))
    }

    @Test
    fun `a JPEG keeps its EXIF and its colours and is upright`() {
        val file = saved("turned.jpg", value = { it })
        assertEquals("turned-restored.jpg", lastName())
        val facts = FileFacts.read(file)
        assertEquals(PhotoFormat.JPEG, facts.format)
        assertEquals(1, facts.orientation)
        assertTrue("a maker's own" in String(facts.exif!!, Charsets.ISO_8859_1))
        val text = String(file.readBytes(), Charsets.ISO_8859_1)
        assertEquals("one EXIF segment", 2, text.split("Exif\u0000\u0000").size)
        UprightSource.open(file).use { source ->
            val psnr = TestPhotos.psnr(TestPhotos.upright(), TestPhotos.read(source))
            assertTrue("$psnr dB", psnr > 30)
            assertTrue(source.colours.isWideGamut)
        }
    }

    @Test
    fun `a WebP is saved without loss, with alpha and EXIF`() {
        val file = saved("alpha.webp", value = { it })
        UprightSource.open(file).use {
            assertArrayEquals(TestPhotos.pixels(TestPhotos.file("alpha.png")), TestPhotos.read(it))
        }
        val withExif = saved("photo.webp", value = { it })
        assertEquals("photo-restored.webp", lastName())
        val facts = FileFacts.read(withExif)
        assertTrue("a maker's own" in String(facts.exif!!, Charsets.ISO_8859_1))
        UprightSource.open(withExif).use { assertArrayEquals(TestPhotos.upright(), TestPhotos.read(it)) }
    }

    @Test
    fun `other formats are saved as one of their family`() {
        saved("photo.bmp")
        assertEquals("photo-restored.png", lastName())
        saved("still.gif")
        assertEquals("still-restored.png", lastName())
        saved("cmyk.jpg")
        assertEquals("cmyk-restored.jpg", lastName())
    }

    @Test
    fun `no space - one sentence, and no row is left`() {
        val full = File("/dev/full")
        assumeTrue("this system has no /dev/full", full.exists())
        for (name in listOf("upright.png", "turned.jpg")) {
            test.choose(name, discard = true)
            test.restore()
            test.media.device = full
            assertTrue(test.sentence((test.save() as Export.Refused).message).contains("not enough space"))
            assertEquals(0, test.media.rows.size)
            assertFalse("still unsaved", (test.jobs.state as RestoreState.Done).result.saved)
            assertEquals("no temporary file", emptyList<File>(), test.app.cacheDir.listFiles()!!.filter { it.isFile })
            test.media.device = null
            assertTrue("and it can be saved later", test.save() is Export.Made)
            test.media.rows.clear()
        }
    }

    @Test
    fun `a gallery that does not take the file is not a full phone`() {
        test.choose("upright.png")
        test.restore()
        test.media.device = File(test.app.cacheDir, "no such folder/file")
        assertEquals(
            "The photo could not be written: nothing was saved.",
            test.sentence((test.save() as Export.Refused).message),
        )
        assertEquals(0, test.media.rows.size)
    }

    @Test
    fun `memory that runs out - one sentence, and the result is still there`() {
        test.choose("upright.png")
        test.restore()
        test.media.refusal = OutOfMemoryError()
        assertEquals("There is not enough memory to save this photo.", (test.save() as Export.Refused).message)
        test.media.refusal = null
        assertTrue(test.save() is Export.Made)
    }

    @Test
    fun `permission refused - one sentence`() {
        test.choose("upright.png")
        test.restore()
        test.media.refusal = SecurityException("no")
        assertTrue(test.sentence((test.save() as Export.Refused).message).contains("permission"))
        test.media.refusal = IllegalStateException("volume is gone")
        test.sentence((test.save() as Export.Refused).message)
    }

    @Test
    fun `before Android 10 a file is written beside and renamed, with permission`() {
        ShadowEnvironment.setExternalStorageState(Environment.MEDIA_MOUNTED)
        test.choose("upright.png")
        test.restore()
        ReflectionHelpers.setStaticField(Build.VERSION::class.java, "SDK_INT", 28)
        try {
            assertTrue(test.sentence((test.save() as Export.Refused).message).contains("permission"))
            shadowOf(test.app).grantPermissions(Manifest.permission.WRITE_EXTERNAL_STORAGE)
            val names = List(2) { (test.save() as Export.Made).name }
            assertEquals(listOf("upright-restored.png", "upright-restored (1).png"), names)
        } finally {
            ReflectionHelpers.setStaticField(Build.VERSION::class.java, "SDK_INT", 35)
        }
        val folder = File(Environment.getExternalStoragePublicDirectory(Environment.DIRECTORY_PICTURES), "AnyIR")
        assertEquals(setOf("upright-restored.png", "upright-restored (1).png"), folder.list()!!.toSet())
    }

    @Test
    fun `names are made safe`() {
        val shared = File(test.app.cacheDir, "shared").apply { mkdirs() }
        test.gallery.folder = shared
        for ((name, expected) in listOf(
            "a:b?.png" to "a_b_-restored.png",
            ".png" to "png-restored.png",
            "no extension" to "no extension-restored.png",
        )) {
            TestPhotos.file("one.png").copyTo(File(shared, name))
            saved(name)
            assertEquals(expected, lastName())
        }
    }

    @Test
    fun `there is nothing to save before a photo is restored`() {
        test.choose("upright.png")
        var refused: Export? = null
        test.jobs.save(1f) { refused = it }
        test.sentence((refused as Export.Refused).message)
    }
}
