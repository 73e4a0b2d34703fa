package org.anyir.demo.restore

import android.content.ContentValues
import android.net.Uri
import android.provider.OpenableColumns
import org.anyir.demo.photo.TestPhotos
import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import java.io.File
import java.io.FileNotFoundException

@RunWith(RobolectricTestRunner::class)
class ResultProviderTest {
    @get:Rule
    val test = JobsRule()

    private fun share(name: String): Export.Made {
        test.choose(name, discard = true)
        test.restore()
        var export: Export? = null
        test.jobs.share(1f) { export = it }
        test.settle()
        return export as Export.Made
    }

    private fun open(uri: Uri, mode: String = "r") = test.app.contentResolver.openFileDescriptor(uri, mode)

    @Test
    fun `another app reads what was shared, with its name and size`() {
        val made = share("lying2.png")
        assertEquals("content://org.anyir.demo.results/lying2-restored.png", made.uri.toString())
        assertEquals("image/png", test.app.contentResolver.getType(made.uri))
        val copy = File.createTempFile("shared", ".png").apply { deleteOnExit() }
        test.app.contentResolver.openInputStream(made.uri)!!.use { input ->
            copy.outputStream().use { input.copyTo(it) }
        }
        assertArrayEquals(test.resultPixels(), TestPhotos.pixels(copy))
        test.app.contentResolver.query(made.uri, null, null, null, null)!!.use { rows ->
            assertTrue(rows.moveToFirst())
            assertEquals(made.name, rows.getString(rows.getColumnIndexOrThrow(OpenableColumns.DISPLAY_NAME)))
            assertEquals(copy.length(), rows.getLong(rows.getColumnIndexOrThrow(OpenableColumns.SIZE)))
        }
        assertFalse("sharing is not saving", (test.jobs.state as RestoreState.Done).result.saved)
    }

    @Test
    fun `names do not leave the folder, and only what was shared is given`() {
        share("one.png")
        val inside =
            listOf("..%2Fstate.json", "%2E%2E%2Fstate.json", "..", ".", "", "a/b", "state.json", "..%2F..%2Fx", "%00")
        for (path in inside) {
            val uri = Uri.parse("content://org.anyir.demo.results/$path")
            assertThrows(path, FileNotFoundException::class.java) { open(uri) }
            assertEquals(path, 0, test.app.contentResolver.query(uri, null, null, null, null)!!.use { it.count })
        }
    }

    @Test
    fun `nothing can be changed`() {
        val uri = share("one.png").uri
        for (mode in listOf("w", "rw", "rwt", "wa")) assertThrows(FileNotFoundException::class.java) { open(uri, mode) }
        val resolver = test.app.contentResolver
        assertThrows(UnsupportedOperationException::class.java) { resolver.delete(uri, null, null) }
        assertThrows(UnsupportedOperationException::class.java) { resolver.insert(uri, ContentValues()) }
        assertThrows(UnsupportedOperationException::class.java) { resolver.update(uri, ContentValues(), null, null) }
    }

    @Test
    fun `sharing again replaces the file, saving and dismissing leave it to who reads it`() {
        val first = share("one.png")
        test.save()
        open(first.uri)!!.close()
        val second = share("upright.png")
        assertThrows(FileNotFoundException::class.java) { open(first.uri) }
        open(second.uri)!!.close()
        test.jobs.dismiss()
        test.settle()
        open(second.uri)!!.close()
        share("one.png")
        assertThrows(FileNotFoundException::class.java) { open(second.uri) }
    }
}
