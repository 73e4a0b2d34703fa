package org.anyir.demo.photo

import android.net.Uri
import org.anyir.demo.R
import org.anyir.demo.restore.JobsRule
import org.junit.Assert.assertEquals
import org.junit.Rule
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.Shadows.shadowOf
import java.io.File

/** The system's photo picker takes out where a photo was taken. */
@RunWith(RobolectricTestRunner::class)
class PickedPhotoTest {
    @get:Rule
    val test = JobsRule()

    private fun notes(address: String, photo: String): List<String> {
        val uri = Uri.parse(address)
        shadowOf(test.app.contentResolver).registerInputStreamSupplier(uri) { TestPhotos.file(photo).inputStream() }
        return PhotoInbox(test.app, File(test.app.cacheDir, "photo")).take(uri).notes
    }

    @Test
    fun `a picked photo with EXIF says so, another does not`() {
        val note = test.app.getString(R.string.note_place)
        val picked = "content://media/picker/0/com.android.providers.media.photopicker/media/1"
        assertEquals(listOf(note), notes(picked, "turned.jpg"))
        assertEquals("nothing can be missing", emptyList<String>(), notes(picked, "upright.png"))
        assertEquals(emptyList<String>(), notes("content://media/external/images/media/1", "turned.jpg"))
        assertEquals(emptyList<String>(), notes("content://elsewhere/picker/1", "turned.jpg"))
    }
}
