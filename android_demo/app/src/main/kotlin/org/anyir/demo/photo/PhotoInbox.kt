package org.anyir.demo.photo

import android.content.ContentResolver
import android.content.Context
import android.net.Uri
import android.provider.MediaStore
import android.provider.OpenableColumns
import org.anyir.core.CancelledException
import org.anyir.demo.R
import java.io.File
import java.io.IOException
import java.io.InputStream

/**
 * Takes one photo from another app: copies it beside [target] and puts it there when it was found to be one. Nothing
 * at [target] changes where it was not.
 *
 * Whatever another app's content provider does, such as throwing or sending without end, ends in a [PhotoException].
 */
internal class PhotoInbox(
    private val context: Context,
    private val target: File,
    private val maxBytes: Long = MAX_BYTES,
) {
    private val resolver = context.contentResolver
    private val resources = context.resources

    @Volatile
    private var stopped = false

    @Volatile
    private var stream: InputStream? = null

    /**
     * @throws PhotoException cannot be read, is no photo, or is too large
     * @throws CancelledException [stop] was called
     */
    fun take(uri: Uri): PhotoInfo {
        if (uri.scheme != ContentResolver.SCHEME_CONTENT && uri.scheme != ContentResolver.SCHEME_ANDROID_RESOURCE) {
            // A file address would let other apps have this app's private files opened.
            throw PhotoException(R.string.photo_not_from_an_app)
        }
        val part = File(target.parentFile, "${target.name}.part")
        try {
            copy(uri, part)
            val name = name(uri)
            val facts = FileFacts.read(part)
            val info = describe(uri, name, facts, part)
            if (!part.renameTo(target)) throw PhotoException(R.string.photo_not_kept)
            return info
        } finally {
            part.delete()
        }
    }

    /** Ends [take], from another thread. It may go on for as long as the other app does not answer. */
    fun stop() {
        stopped = true
        try {
            stream?.close() // wakes who reads from it
        } catch (_: IOException) {
            return
        } catch (_: RuntimeException) { // whatever the other app threw
            return
        }
    }

    private fun copy(uri: Uri, part: File) {
        part.parentFile?.mkdirs()
        val input = try {
            resolver.openInputStream(uri)
        } catch (error: SecurityException) {
            throw PhotoException(R.string.photo_not_allowed, error)
        } catch (error: IOException) {
            throw PhotoException(R.string.photo_gone, error)
        } catch (error: RuntimeException) { // whatever the other app threw
            throw PhotoException(R.string.photo_gone, error)
        } ?: throw PhotoException(R.string.photo_gone)
        stream = input
        input.use { copyBounded(it, part) }
    }

    private fun copyBounded(input: InputStream, part: File) {
        val piece = ByteArray(1 shl 16)
        var total = 0L
        part.outputStream().use { output ->
            while (true) {
                if (stopped) throw CancelledException()
                val count = try {
                    input.read(piece)
                } catch (error: IOException) {
                    throw PhotoException(R.string.photo_gone, error)
                } catch (error: RuntimeException) { // whatever the other app threw
                    throw PhotoException(R.string.photo_gone, error)
                }
                if (count < 0) break
                total += count
                if (total > maxBytes) {
                    throw PhotoException(Sentence(R.plurals.photo_file_too_large, listOf((maxBytes shr 20).toInt())))
                }
                try {
                    output.write(piece, 0, count)
                } catch (error: IOException) {
                    val full = error.saysNoSpace()
                    throw PhotoException(if (full) R.string.photo_no_space else R.string.photo_not_kept, error)
                }
            }
        }
        if (total == 0L) throw PhotoException(R.string.photo_empty)
    }

    private fun name(uri: Uri): String {
        if (uri == sampleUri(context)) return resources.getString(R.string.sample_name)
        val shown = try {
            resolver.query(uri, arrayOf(OpenableColumns.DISPLAY_NAME), null, null, null)?.use { rows ->
                if (rows.moveToFirst()) rows.getString(0) else null
            }
        } catch (_: RuntimeException) { // a name is not worth an error
            null
        }
        return shown?.takeIf { it.isNotBlank() }?.take(MAX_NAME) ?: resources.getString(R.string.photo_unnamed)
    }

    private fun describe(uri: Uri, name: String, facts: FileFacts, part: File): PhotoInfo {
        val bounds = PhotoBounds.read(part)
        val swaps = Orientation(facts.orientation).swaps
        val width = if (swaps) bounds.height else bounds.width
        val height = if (swaps) bounds.width else bounds.height
        val sentences = facts.notes + placeNotes(uri, facts) + colourNotes(bounds) +
            memoryNotes(facts, part, width.toLong() * height)
        val notes = sentences.map { it.text(resources) }
        val info = PhotoInfo(uri, name, target, facts.format, facts.orientation, width, height, notes)
        if (info.onlyHalfSize && (width / 2).toLong() * (height / 2) > PhotoInfo.MAX_PIXELS) {
            val most = PhotoInfo.MAX_MEGAPIXELS
            throw PhotoException(Sentence(R.plurals.photo_too_large, listOf(info.roundMegapixels, most, 4 * most)))
        }
        return info
    }

    private fun placeNotes(uri: Uri, facts: FileFacts): List<Sentence> {
        val picked = uri.authority == MediaStore.AUTHORITY && uri.pathSegments.firstOrNull() == PICKER
        return if (picked && facts.exif != null) listOf(Sentence(R.string.note_place)) else emptyList()
    }

    private fun colourNotes(bounds: PhotoBounds): List<Sentence> {
        val lost = !Colours.canBeKept && bounds.colours != null && bounds.colours != Colours.SRGB
        return if (lost) listOf(Sentence(R.string.note_colours, listOf(bounds.colours.name))) else emptyList()
    }

    private fun memoryNotes(facts: FileFacts, part: File, pixels: Long): List<Sentence> {
        if (!Regions.open(part).use { it.whole }) return emptyList()
        val size = maxOf(1, pixels * BYTES_A_PIXEL shr 20).toInt()
        return listOf(Sentence(R.plurals.note_memory, listOf(size, facts.format.label)))
    }

    private companion object {
        const val BYTES_A_PIXEL = 4
        const val MAX_BYTES = 400L shl 20
        const val MAX_NAME = 120

        /** Begins the path of what the system's photo picker gives. */
        const val PICKER = "picker"
    }
}
