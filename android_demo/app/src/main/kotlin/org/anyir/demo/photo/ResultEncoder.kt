package org.anyir.demo.photo

import android.graphics.Bitmap
import android.os.Build
import org.anyir.core.Region
import org.anyir.demo.R
import java.io.Closeable
import java.io.File
import java.io.OutputStream

private const val JPEG_QUALITY = 95
private const val MAX_WEBP_SIDE = 16_383

/** Of the library that Android writes JPEG with; the format itself has 35 more. */
private const val MAX_JPEG_SIDE = 65_500

/**
 * A result as the file that is saved: mixed with the photo by [strength], in the photo's format or one of its family,
 * with its EXIF and colours.
 *
 * PNG is written row by row; for the other formats Android wants the picture as one bitmap.
 *
 * @param result lossless PNG of [width] x [height]
 * @param half whether the result has half the photo's width and height
 * @param strength 0..1, how much of the restoration
 */
internal class ResultEncoder(
    private val photo: PhotoInfo,
    private val result: File,
    private val width: Int,
    private val height: Int,
    private val half: Boolean,
    private val strength: Float,
) {
    private val facts = FileFacts.read(photo.file)
    private val exif = facts.exif?.let { Exif.forResult(it, width, height) }

    val format: PhotoFormat = when (photo.format.saved) {
        PhotoFormat.WEBP -> if (canWriteWebp()) PhotoFormat.WEBP else PhotoFormat.PNG
        PhotoFormat.JPEG -> if (canWriteJpeg()) PhotoFormat.JPEG else PhotoFormat.PNG
        else -> PhotoFormat.PNG
    }

    /** Sentences about what the file does not have. Complete after [write]. */
    val notes = mutableListOf<Sentence>()

    init {
        if (format != photo.format.saved) {
            notes += Sentence(R.string.saved_as, listOf(format.label, photo.format.label))
        }
        if (facts.exif != null && exif == null) notes += Sentence(R.string.saved_without_damaged_exif)
    }

    /** `<name>-restored.<ext>`. */
    val name: String
        get() {
            val stem = photo.name.substringBeforeLast('.').ifBlank { photo.name }
            val safe = stem.replace(UNSAFE, "_").trim('.', ' ')
            return "${safe.ifEmpty { "photo" }}-restored.${format.extension}"
        }

    /**
     * Writes the file; [output] stays open.
     *
     * @param temporary a folder for files that are deleted again
     * @throws PhotoException a picture cannot be decoded or encoded, or there is not enough memory
     * @throws java.io.IOException it cannot be written
     */
    fun write(output: OutputStream, temporary: File) {
        if (format == PhotoFormat.PNG) return writePng(output)
        val encoded = File.createTempFile("result", ".${format.extension}", temporary)
        try {
            compress(encoded)
            if (format == PhotoFormat.WEBP) {
                copyWebpWithExif(encoded, exif, output)
            } else if (!copyJpegWithExif(encoded, exif, output)) {
                notes += Sentence(R.string.saved_without_long_exif)
            }
        } finally {
            encoded.delete()
        }
    }

    private fun canWriteWebp() = Build.VERSION.SDK_INT >= Build.VERSION_CODES.R && maxOf(width, height) <= MAX_WEBP_SIDE

    private fun canWriteJpeg() = maxOf(width, height) <= MAX_JPEG_SIDE && !transparent()

    /** Whether some pixel is not opaque. Reads all of a result that may have one, which a JPEG's may not. */
    private fun transparent(): Boolean {
        if (photo.format == PhotoFormat.JPEG) return false
        UprightSource.open(result).use { source ->
            val rows = IntArray(width * minOf(ROWS, height))
            for (y in 0 until height step ROWS) {
                val region = Region(0, y, width, minOf(ROWS, height - y))
                source.read(region, rows)
                if (!source.alpha) return false
                if ((0 until width * region.height).any { rows[it] ushr 24 != 255 }) return true
            }
        }
        return false
    }

    private fun writePng(output: OutputStream) {
        if (strength >= 1f) {
            result.inputStream().use { it.copyTo(output) }
            return
        }
        MixedRows().use { rows ->
            rows.read(0)
            val profile = Colours.profile(rows.colours)
            PngWriter(output, width, height, rows.alpha, facts.grey, profile, exif).use { png ->
                for (y in 0 until height step ROWS) png.write(rows.read(y), minOf(ROWS, height - y))
                png.finish()
            }
        }
    }

    private fun compress(file: File) {
        try {
            val bitmap = MixedRows().use { rows ->
                rows.read(0)
                val bitmap = Bitmap.createBitmap(width, height, Bitmap.Config.ARGB_8888, rows.alpha)
                bitmap.isPremultiplied = false
                for (y in 0 until height step ROWS) {
                    bitmap.setPixels(rows.read(y), 0, width, 0, y, width, minOf(ROWS, height - y))
                }
                Colours.putOn(bitmap, rows.colours)
                bitmap
            }
            file.outputStream().buffered().use { encode(it) { stream -> bitmap.compress(codec(), quality(), stream) } }
            bitmap.recycle()
        } catch (error: OutOfMemoryError) {
            throw PhotoException(R.string.save_no_memory, error)
        }
    }

    private fun codec(): Bitmap.CompressFormat = when {
        format == PhotoFormat.JPEG -> Bitmap.CompressFormat.JPEG
        Build.VERSION.SDK_INT >= Build.VERSION_CODES.R -> Bitmap.CompressFormat.WEBP_LOSSLESS
        else -> throw PhotoException(R.string.save_no_webp)
    }

    private fun quality() = if (format == PhotoFormat.JPEG) JPEG_QUALITY else 100

    /** Rows of the result mixed with the photo's; a band of each is in memory. */
    private inner class MixedRows : Closeable {
        private val restored = UprightSource.open(result)
        private val original = if (strength < 1f) UprightSource.open(photo, half) else null
        private val to = IntArray(width * minOf(ROWS, height))
        private val from = if (original != null) IntArray(to.size) else to

        val colours get() = restored.colours
        val alpha get() = restored.alpha

        /** [ROWS] rows from [y], or what there is of them. */
        fun read(y: Int): IntArray {
            val region = Region(0, y, width, minOf(ROWS, height - y))
            restored.read(region, to)
            if (original != null) {
                original.read(region, from)
                for (i in 0 until width * region.height) to[i] = mix(from[i], to[i], strength)
            }
            return to
        }

        override fun close() {
            original?.close()
            restored.close()
        }
    }

    private companion object {
        const val ROWS = 256
        val UNSAFE = Regex("[\\x00-\\x1f\\x7f/\\\\:*?\"<>|]")
    }
}

/** Runs an encoder that returns whether it wrote to [output]; where [output] was at fault, throws what that threw. */
internal fun encode(output: OutputStream, encoder: (OutputStream) -> Boolean) {
    val stream = RememberingStream(output)
    val written = encoder(stream)
    if (written) stream.flush()
    stream.failure?.let { throw it }
    if (!written) throw PhotoException(R.string.save_not_encoded)
}

/** [from] and [to] mixed channel by channel, rounded once; alpha is the same in both. */
internal fun mix(from: Int, to: Int, strength: Float): Int {
    var pixel = to and (0xff shl 24)
    for (shift in intArrayOf(16, 8, 0)) {
        val a = from shr shift and 255
        val b = to shr shift and 255
        pixel = pixel or (Math.round(a + strength * (b - a)).coerceIn(0, 255) shl shift)
    }
    return pixel
}
