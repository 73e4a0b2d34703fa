package org.anyir.demo.example

import android.graphics.Bitmap
import android.graphics.BitmapFactory
import org.anyir.engines.Engines
import org.anyir.engines.JvmArtifacts
import org.anyir.engines.JvmEngineFactory
import org.junit.Assert.assertEquals
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import java.io.File
import kotlin.math.abs

/** The example in docs/guides/android/engine.md, run on real programs. */
@RunWith(RobolectricTestRunner::class)
class RestoreBitmapTest {
    private val models = File(JvmArtifacts.folder, "models")

    @Test
    fun `the example restores a bitmap as Python does`() {
        Engines.install(JvmEngineFactory())
        val photo = BitmapFactory.decodeFile(JvmArtifacts.photo.path)
        val result = restore(photo, models, "litert-jvm")
        val expected = BitmapFactory.decodeFile(JvmArtifacts.restored(JvmArtifacts.models.first()).path)
        assertEquals(expected.width to expected.height, result.width to result.height)
        val differences = pixels(result).zip(pixels(expected)).map { (a, b) ->
            listOf(0, 8, 16).maxOf { abs((a shr it and 255) - (b shr it and 255)) }
        }
        assertTrue("largest difference ${differences.max()}", differences.max() <= 2)
    }

    @Test
    fun `an engine that is not in the build is named`() {
        val photo = Bitmap.createBitmap(8, 8, Bitmap.Config.ARGB_8888)
        val error = assertThrows(IllegalStateException::class.java) { restore(photo, models, "executorch") }
        assertEquals("ExecuTorch (CPU): not in this build", error.message)
    }

    private fun pixels(bitmap: Bitmap): List<Int> = IntArray(bitmap.width * bitmap.height).also {
        bitmap.getPixels(it, 0, bitmap.width, 0, 0, bitmap.width, bitmap.height)
    }.toList()
}
