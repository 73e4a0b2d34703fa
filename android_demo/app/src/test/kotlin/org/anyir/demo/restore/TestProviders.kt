package org.anyir.demo.restore

import android.content.ContentProvider
import android.content.ContentUris
import android.content.ContentValues
import android.database.Cursor
import android.database.MatrixCursor
import android.net.Uri
import android.os.ParcelFileDescriptor
import android.provider.MediaStore
import org.robolectric.Robolectric
import java.io.File
import java.io.FileNotFoundException

/** Another app that shares photos: `content://gallery/NAME` is a file of [folder]. */
class GalleryApp : ContentProvider() {
    lateinit var folder: File

    /** Called before a file is opened: may throw, as other apps do. */
    var opening: (Uri) -> Unit = {}

    override fun onCreate() = true

    override fun openFile(uri: Uri, mode: String): ParcelFileDescriptor {
        opening(uri)
        val file = File(folder, uri.lastPathSegment!!)
        if (!file.isFile) throw FileNotFoundException(file.name)
        return ParcelFileDescriptor.open(file, ParcelFileDescriptor.MODE_READ_ONLY)
    }

    override fun query(
        uri: Uri,
        columns: Array<String>?,
        where: String?,
        values: Array<String>?,
        order: String?,
    ): Cursor = MatrixCursor(columns).apply { addRow(arrayOf(uri.lastPathSegment)) }

    override fun getType(uri: Uri): String? = "image/*"

    override fun insert(uri: Uri, values: ContentValues?): Uri? = null

    override fun update(uri: Uri, values: ContentValues?, where: String?, args: Array<String>?) = 0

    override fun delete(uri: Uri, where: String?, args: Array<String>?) = 0

    companion object {
        fun uri(name: String): Uri = Uri.parse("content://gallery").buildUpon().appendPath(name).build()

        fun install(folder: File): GalleryApp =
            Robolectric.buildContentProvider(GalleryApp::class.java).create("gallery").get().also { it.folder = folder }
    }
}

/** The system's collection of pictures, which numbers names that are taken. Every row's file lies in [folder]. */
class MediaStoreApp : ContentProvider() {
    lateinit var folder: File
    val rows = LinkedHashMap<Long, ContentValues>()

    /** Where the next file is written to instead of a real one. */
    var device: File? = null

    /** Thrown by the next insert. */
    var refusal: Throwable? = null

    /** What it does when it is asked for a name: may throw, as the system's does when it restarts. */
    var asking: () -> Unit = {}

    fun file(id: Long) = File(folder, "$id")

    override fun onCreate() = true

    override fun insert(uri: Uri, values: ContentValues?): Uri {
        refusal?.let { throw it }
        val id = rows.size + 1L
        val row = ContentValues(values)
        row.put(MediaStore.Images.Media.DISPLAY_NAME, unused(row.getAsString(MediaStore.Images.Media.DISPLAY_NAME)))
        rows[id] = row
        return ContentUris.withAppendedId(uri, id)
    }

    private fun unused(name: String): String {
        val taken = rows.values.map { it.getAsString(MediaStore.Images.Media.DISPLAY_NAME) }
        val (stem, extension) = Pair(name.substringBeforeLast('.'), name.substringAfterLast('.'))
        return generateSequence(1) { it + 1 }.map { "$stem ($it).$extension" }.let { sequenceOf(name) + it }
            .first { it !in taken }
    }

    override fun openFile(uri: Uri, mode: String): ParcelFileDescriptor {
        val pending = rows.getValue(ContentUris.parseId(uri)).getAsInteger(MediaStore.Images.Media.IS_PENDING)
        check(pending == 1) { "written while it can be seen" }
        val file = device ?: file(ContentUris.parseId(uri))
        return ParcelFileDescriptor.open(file, ParcelFileDescriptor.MODE_CREATE or ParcelFileDescriptor.MODE_READ_WRITE)
    }

    override fun update(uri: Uri, values: ContentValues?, where: String?, args: Array<String>?): Int {
        rows.getValue(ContentUris.parseId(uri)).putAll(values)
        return 1
    }

    override fun delete(uri: Uri, where: String?, args: Array<String>?): Int {
        val id = ContentUris.parseId(uri)
        file(id).delete()
        return if (rows.remove(id) != null) 1 else 0
    }

    override fun query(
        uri: Uri,
        columns: Array<String>?,
        where: String?,
        values: Array<String>?,
        order: String?,
    ): Cursor? {
        asking()
        val row = rows[ContentUris.parseId(uri)] ?: return null
        return MatrixCursor(columns).apply { addRow(columns!!.map { row.getAsString(it) }) }
    }

    override fun getType(uri: Uri): String? = null

    companion object {
        fun install(folder: File): MediaStoreApp =
            Robolectric.buildContentProvider(MediaStoreApp::class.java).create("media").get().also {
                it.folder = folder
            }
    }
}
