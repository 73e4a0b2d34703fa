package org.anyir.demo.restore

import android.content.ContentProvider
import android.content.ContentResolver
import android.content.ContentValues
import android.database.Cursor
import android.database.MatrixCursor
import android.net.Uri
import android.os.ParcelFileDescriptor
import android.provider.OpenableColumns
import org.anyir.demo.photo.PhotoFormat
import java.io.File
import java.io.FileNotFoundException
import java.io.IOException

/**
 * Lets other apps read the one result that was shared with them. Not exported: an app can read an address only when it
 * was granted it. Read only, and a name never leads out of the folder.
 */
class ResultProvider : ContentProvider() {
    override fun onCreate() = true

    override fun getType(uri: Uri): String? {
        val extension = uri.lastPathSegment.orEmpty().substringAfterLast('.')
        return PhotoFormat.values().firstOrNull { it.extension == extension }?.mimeType
    }

    override fun openFile(uri: Uri, mode: String): ParcelFileDescriptor {
        if (mode != "r") throw FileNotFoundException("read only")
        return ParcelFileDescriptor.open(file(uri), ParcelFileDescriptor.MODE_READ_ONLY)
    }

    override fun query(
        uri: Uri,
        projection: Array<String>?,
        selection: String?,
        selectionArgs: Array<String>?,
        sortOrder: String?,
    ): Cursor {
        val columns = (projection ?: COLUMNS).filter { it in COLUMNS }
        val cursor = MatrixCursor(columns.toTypedArray())
        val file = try {
            file(uri)
        } catch (_: FileNotFoundException) {
            return cursor
        }
        cursor.addRow(columns.map { if (it == OpenableColumns.DISPLAY_NAME) file.name else file.length() })
        return cursor
    }

    override fun insert(uri: Uri, values: ContentValues?): Uri? = throw UnsupportedOperationException("read only")

    override fun update(uri: Uri, values: ContentValues?, selection: String?, selectionArgs: Array<String>?): Int =
        throw UnsupportedOperationException("read only")

    override fun delete(uri: Uri, selection: String?, selectionArgs: Array<String>?): Int =
        throw UnsupportedOperationException("read only")

    private fun file(uri: Uri): File {
        val name = uri.pathSegments.singleOrNull() ?: throw FileNotFoundException("no such result")
        val folder = File(File(context!!.filesDir, RestoreJobs.FOLDER), FOLDER).canonicalFile
        val file = try {
            File(folder, name).canonicalFile
        } catch (_: IOException) { // no name at all, such as one with a zero byte
            throw FileNotFoundException("no such result")
        }
        if (file.parentFile != folder || !file.isFile) throw FileNotFoundException("no such result")
        return file
    }

    internal companion object {
        const val FOLDER = "shared"
        private const val AUTHORITY = "org.anyir.demo.results"
        private val COLUMNS = arrayOf(OpenableColumns.DISPLAY_NAME, OpenableColumns.SIZE)

        fun uri(name: String): Uri =
            Uri.Builder().scheme(ContentResolver.SCHEME_CONTENT).authority(AUTHORITY).appendPath(name).build()
    }
}
