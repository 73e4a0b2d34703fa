package org.anyir.demo.photo

import android.content.ContentResolver
import android.net.Uri
import android.provider.OpenableColumns
import java.io.File
import java.io.IOException
import java.io.InputStream

/**
 * Takes photos from other apps: copies a photo beside [target] and puts it there when it was found to be one. Nothing
 * at [target] changes where it was not.
 *
 * Whatever another app's content provider does, such as throwing or sending without end, ends in a [PhotoException].
 */
internal class PhotoInbox(
    private val resolver: ContentResolver,
    private val target: File,
    private val maxBytes: Long = MAX_BYTES,
) {
    /** @throws PhotoException cannot be read, is no photo, or is too large */
    fun take(uri: Uri): PhotoInfo {
        if (uri.scheme != ContentResolver.SCHEME_CONTENT && uri.scheme != ContentResolver.SCHEME_ANDROID_RESOURCE) {
            // A file address would let other apps have this app's private files opened.
            throw PhotoException(NOT_OURS)
        }
        val part = File(target.parentFile, "${target.name}.part")
        try {
            copy(uri, part)
            val name = name(uri)
            val facts = FileFacts.read(part)
            val info = describe(uri, name, facts, part)
            if (!part.renameTo(target)) throw PhotoException("The photo could not be kept on this phone.")
            return info
        } finally {
            part.delete()
        }
    }

    private fun copy(uri: Uri, part: File) {
        part.parentFile?.mkdirs()
        val input = try {
            resolver.openInputStream(uri)
        } catch (error: SecurityException) {
            throw PhotoException("This app is not allowed to read the photo any more; choose it again.", error)
        } catch (error: IOException) {
            throw PhotoException(GONE, error)
        } catch (error: RuntimeException) { // whatever the other app threw
            throw PhotoException(GONE, error)
        } ?: throw PhotoException(GONE)
        input.use { copyBounded(it, part) }
    }

    private fun copyBounded(input: InputStream, part: File) {
        val piece = ByteArray(1 shl 16)
        var total = 0L
        part.outputStream().use { output ->
            while (true) {
                val count = try {
                    input.read(piece)
                } catch (error: IOException) {
                    throw PhotoException(GONE, error)
                } catch (error: RuntimeException) { // whatever the other app threw
                    throw PhotoException(GONE, error)
                }
                if (count < 0) break
                total += count
                if (total > maxBytes) {
                    throw PhotoException("This file is larger than ${maxBytes shr 20} MB; photos are smaller.")
                }
                try {
                    output.write(piece, 0, count)
                } catch (error: IOException) {
                    throw PhotoException("There is not enough space on this phone to open the photo.", error)
                }
            }
        }
        if (total == 0L) throw PhotoException("This file is empty.")
    }

    private fun name(uri: Uri): String {
        val shown = try {
            resolver.query(uri, arrayOf(OpenableColumns.DISPLAY_NAME), null, null, null)?.use { rows ->
                if (rows.moveToFirst()) rows.getString(0) else null
            }
        } catch (_: RuntimeException) { // a name is not worth an error
            null
        }
        return shown?.takeIf { it.isNotBlank() }?.take(MAX_NAME) ?: "photo"
    }

    private fun describe(uri: Uri, name: String, facts: FileFacts, part: File): PhotoInfo {
        val bounds = PhotoBounds.read(part)
        val swaps = Orientation(facts.orientation).swaps
        val width = if (swaps) bounds.height else bounds.width
        val height = if (swaps) bounds.width else bounds.height
        val notes = facts.notes + colourNotes(bounds) + memoryNotes(facts, part, width.toLong() * height)
        val info = PhotoInfo(uri, name, target, facts.format, facts.orientation, width, height, notes)
        if (info.onlyHalfSize && (width / 2).toLong() * (height / 2) > PhotoInfo.MAX_PIXELS) {
            val size = "%.0f".format(info.megapixels)
            throw PhotoException("This photo has $size megapixels; up to 50 can be restored, or 200 at half size.")
        }
        return info
    }

    private fun colourNotes(bounds: PhotoBounds): List<String> {
        val lost = !Colours.canBeKept && bounds.colours != null && bounds.colours != Colours.SRGB
        return if (lost) listOf("The colours are converted from ${bounds.colours.name} to sRGB.") else emptyList()
    }

    private fun memoryNotes(facts: FileFacts, part: File, pixels: Long): List<String> {
        if (!Regions.open(part).use { it.whole }) return emptyList()
        val size = maxOf(1, pixels * BYTES_A_PIXEL shr 20)
        return listOf("A ${facts.format.label} is decoded as a whole, which takes $size MB of memory.")
    }

    private companion object {
        const val BYTES_A_PIXEL = 4
        const val MAX_BYTES = 400L shl 20
        const val MAX_NAME = 120
        const val NOT_OURS =
            "This app opens photos from the photo picker, the files app, or another app's share button."
        const val GONE = "This photo cannot be opened: it may have been deleted or moved."
    }
}
