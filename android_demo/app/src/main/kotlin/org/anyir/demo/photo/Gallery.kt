package org.anyir.demo.photo

import android.Manifest
import android.content.ContentResolver
import android.content.ContentValues
import android.content.Context
import android.content.pm.PackageManager
import android.media.MediaScannerConnection
import android.net.Uri
import android.os.Build
import android.os.Environment
import android.provider.MediaStore
import org.anyir.demo.R
import java.io.File
import java.io.IOException
import java.io.OutputStream

/**
 * Puts new pictures where people find them: `Pictures/AnyIR`. A picture appears when it is whole; no picture is
 * replaced, a number is added to the name instead.
 */
internal class Gallery(private val context: Context) {
    /** For people. */
    val place = "Pictures/$FOLDER"

    /**
     * A picture that was added.
     *
     * @property name that it really has, with a number where the one asked for was taken
     */
    class Added(val uri: Uri, val name: String)

    /**
     * Adds a picture.
     *
     * @param write writes the file
     * @throws PhotoException no space, not written, no permission, or what [write] threw as one; nothing is left behind
     */
    fun add(name: String, mimeType: String, write: (OutputStream) -> Unit): Added = try {
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.Q) {
            addPending(name, mimeType, write)
        } else {
            addFile(name, mimeType, write)
        }
    } catch (error: PhotoException) {
        throw error
    } catch (error: IOException) {
        throw PhotoException(if (error.saysNoSpace()) R.string.save_no_space else R.string.save_not_written, error)
    } catch (error: SecurityException) {
        throw PhotoException(R.string.save_no_permission, error)
    } catch (error: RuntimeException) { // what the system's media provider throws when its storage is gone
        throw PhotoException(R.string.save_not_taken, error)
    }

    private fun addPending(name: String, mimeType: String, write: (OutputStream) -> Unit): Added {
        val resolver = context.contentResolver
        val values = ContentValues().apply {
            put(MediaStore.Images.Media.DISPLAY_NAME, name)
            put(MediaStore.Images.Media.MIME_TYPE, mimeType)
            put(MediaStore.Images.Media.RELATIVE_PATH, place)
            put(MediaStore.Images.Media.IS_PENDING, 1)
        }
        val images = MediaStore.Images.Media.getContentUri(MediaStore.VOLUME_EXTERNAL_PRIMARY)
        val uri = resolver.insert(images, values) ?: throw IOException("no row")
        try {
            val output = resolver.openOutputStream(uri) ?: throw IOException("no stream")
            output.use(write)
            val whole = ContentValues().apply { put(MediaStore.Images.Media.IS_PENDING, 0) }
            resolver.update(uri, whole, null, null)
        } catch (error: Throwable) {
            deleteQuietly(resolver, uri)
            throw error
        }
        return Added(uri, nameOf(resolver, uri) ?: name)
    }

    /** The system may have changed the name, last when the picture was whole; null where it does not tell. */
    private fun nameOf(resolver: ContentResolver, uri: Uri): String? = try {
        resolver.query(uri, arrayOf(MediaStore.Images.Media.DISPLAY_NAME), null, null, null)
            ?.use { if (it.moveToFirst()) it.getString(0) else null }
    } catch (_: RuntimeException) {
        null // The picture is there all the same.
    }

    private fun deleteQuietly(resolver: ContentResolver, uri: Uri) {
        try {
            resolver.delete(uri, null, null)
        } catch (_: RuntimeException) {
            // Android itself removes what stays pending.
        }
    }

    /** Before Android 10: the file itself, written beside and renamed, then shown to the gallery. */
    private fun addFile(name: String, mimeType: String, write: (OutputStream) -> Unit): Added {
        val granted = context.checkSelfPermission(Manifest.permission.WRITE_EXTERNAL_STORAGE)
        if (granted != PackageManager.PERMISSION_GRANTED) throw PhotoException(R.string.save_no_permission)
        @Suppress("DEPRECATION") // its successor is what newer versions use above
        val folder = File(Environment.getExternalStoragePublicDirectory(Environment.DIRECTORY_PICTURES), FOLDER)
        folder.mkdirs()
        val part = File(folder, ".$name.part")
        try {
            part.outputStream().use { output ->
                write(output)
                output.fd.sync()
            }
            val file = unused(folder, name)
            if (!part.renameTo(file)) throw IOException("cannot be renamed")
            MediaScannerConnection.scanFile(context, arrayOf(file.path), arrayOf(mimeType), null)
            return Added(Uri.fromFile(file), file.name)
        } finally {
            part.delete()
        }
    }

    private fun unused(folder: File, name: String): File {
        val stem = name.substringBeforeLast('.')
        val extension = name.substringAfterLast('.')
        return generateSequence(0) { it + 1 }
            .map { File(folder, if (it == 0) name else "$stem ($it).$extension") }
            .first { !it.exists() }
    }

    private companion object {
        const val FOLDER = "AnyIR"
    }
}
