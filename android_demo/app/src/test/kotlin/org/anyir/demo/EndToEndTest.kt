package org.anyir.demo

import android.content.Intent
import org.anyir.core.Model
import org.anyir.core.ModelEntry
import org.anyir.demo.models.AppModels
import org.anyir.demo.models.recommended
import org.anyir.demo.photo.FileFacts
import org.anyir.demo.photo.TestPhotos
import org.anyir.demo.restore.Export
import org.anyir.demo.restore.GalleryApp
import org.anyir.demo.restore.JobsRule
import org.anyir.demo.restore.RestoreState
import org.anyir.demo.ui.MainActivity
import org.anyir.engines.EngineFactory
import org.anyir.engines.JvmArtifacts
import org.anyir.engines.JvmEngineFactory
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import java.io.File

/**
 * A photo shared to the app, restored by its service with real LiteRT and a real program, and saved, against what
 * `anyir restore --with` the same program makes of it.
 */
@RunWith(RobolectricTestRunner::class)
class EndToEndTest {
    @get:Rule
    val test = JobsRule()

    private val engine: EngineFactory = JvmEngineFactory()

    /** Shares a photo as any app does, and restores it. */
    private fun restore(name: String, model: Model): RestoreState.Done {
        test.gallery.folder = JvmArtifacts.folder
        val intent = Intent(Intent.ACTION_SEND).setType("image/*").putExtra(Intent.EXTRA_STREAM, GalleryApp.uri(name))
        Robolectric.buildActivity(MainActivity::class.java, intent).setup()
        test.settle()
        assertEquals(name, (test.jobs.state as RestoreState.Ready).photo.name)
        test.jobs.start(model, engine)
        test.startService()
        test.settle()
        return test.jobs.state as RestoreState.Done
    }

    private fun assertSame(expected: File, pixels: IntArray, what: String) {
        val psnr = TestPhotos.psnr(TestPhotos.pixels(expected), pixels)
        println("$what: $psnr dB from Python's result")
        assertTrue("$what: $psnr dB", psnr >= 50)
    }

    @Test
    fun `a PNG is saved with the pixels that Python gives, by every program`() {
        val original = TestPhotos.pixels(JvmArtifacts.photo)
        for (model in JvmArtifacts.models) {
            val done = restore("photo.png", model)
            assertEquals("LiteRT (this machine's CPU)", done.result.accelerator)
            assertTrue(test.save() is Export.Made)
            val saved = TestPhotos.pixels(test.media.file(test.media.rows.keys.last()))
            assertSame(JvmArtifacts.restored(model), saved, model.manifest.name)
            assertTrue("the photo was changed", TestPhotos.psnr(original, saved) < 45)
        }
    }

    @Test
    fun `a JPEG that lies on its side is decoded, turned and restored as in Python`() {
        val model = JvmArtifacts.models.single { it.manifest.precision == "fp32" }
        assertEquals(6, FileFacts.read(File(JvmArtifacts.folder, "turned.jpg")).orientation)
        restore("turned.jpg", model)
        assertSame(File(JvmArtifacts.folder, "restored/turned.png"), test.resultPixels(), "turned.jpg")
        assertTrue(test.save() is Export.Made)
        val saved = test.media.file(test.media.rows.keys.last())
        val psnr = TestPhotos.psnr(TestPhotos.pixels(saved), test.resultPixels())
        assertTrue("quality 95 of a very noisy picture: $psnr dB", psnr > 22)
    }

    @Test
    fun `a program that was pushed to the phone is found, recommended and run`() {
        JvmArtifacts.models.first().file.parentFile!!.copyRecursively(
            test.app.getExternalFilesDir("models")!!,
            overwrite = true,
        )
        val entries = AppModels.of(test.app).list()
        val models = entries.filterIsInstance<ModelEntry.Usable>().map { it.model }
        val choice = recommended(models, listOf(engine))!!
        assertEquals("fp32", choice.model.manifest.precision)
        restore("photo.png", choice.model)
        assertSame(JvmArtifacts.restored(choice.model), test.resultPixels(), "pushed ${choice.model.manifest.name}")
    }
}
