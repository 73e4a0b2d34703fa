package org.anyir.demo.restore

import android.content.Context
import org.anyir.demo.photo.Gallery
import org.anyir.demo.photo.PhotoInfo
import org.anyir.demo.photo.ResultEncoder
import java.io.File
import java.io.IOException

/**
 * Gives results to the gallery and to other apps.
 *
 * @param shared the folder that [ResultProvider] hands files out of
 */
internal class ResultExport(private val context: Context, private val shared: File) {
    /** Throws [org.anyir.demo.photo.PhotoException]; nothing is half written. */
    fun save(photo: PhotoInfo, result: RestoredPhoto, strength: Float): Export.Made {
        val encoder = encoder(photo, result, strength)
        val gallery = Gallery(context)
        val added = gallery.add(encoder.name, encoder.format.mimeType) { encoder.write(it, context.cacheDir) }
        return Export.Made(added.uri, added.name, encoder.format.mimeType, gallery.place, notes(encoder))
    }

    /** Throws [IOException]: it cannot be written. Files shared before are deleted. */
    fun share(photo: PhotoInfo, result: RestoredPhoto, strength: Float): Export.Made {
        val encoder = encoder(photo, result, strength)
        shared.deleteRecursively()
        if (!shared.mkdirs()) throw IOException("no folder")
        val part = File(shared, ".part")
        val file = File(shared, encoder.name)
        try {
            part.outputStream().use { encoder.write(it, context.cacheDir) }
            if (!part.renameTo(file)) throw IOException("cannot be renamed")
        } finally {
            part.delete()
        }
        val uri = ResultProvider.uri(file.name)
        return Export.Made(uri, file.name, encoder.format.mimeType, place = null, notes(encoder))
    }

    private fun notes(encoder: ResultEncoder) = encoder.notes.map { it.text(context.resources) }

    private fun encoder(photo: PhotoInfo, result: RestoredPhoto, strength: Float) =
        ResultEncoder(photo, result.file, result.width, result.height, result.halfSize, strength.coerceIn(0f, 1f))
}
